# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator of a card in use. What each method promises, :class:`~.card.Card` says."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .admin_gate import AdminGate, Administrator, administration_of
from .admin_key import AdminChallenge, AdminKey
from .errors import UNCOUNTED, WrongSecret
from .gate import Gates
from .model import Role
from .record import Administration
from .secret import Reference
from .session import CardSession
from .specification import check_tries


class AdminSession:
    def __init__(self, session: CardSession) -> None:
        self._session = session

    @property
    def challenge(self) -> AdminChallenge:
        return administration_of(self._session.record).challenge

    def authenticate(self, answer: bytes, prove: t.Callable[[AdminKey], bytes]) -> bytes:
        session = self._session
        session.end_administration()
        with session.changing() as gates:
            administrator = AdminGate(gates).open(answer)
            self._renew(gates, administrator, administrator.key)
        try:
            return prove(administrator.key)
        except Exception:
            session.end_administration()
            raise

    def administer(self, key: AdminKey) -> None:
        challenge = self.challenge
        if key.cipher is not challenge.cipher:
            raise WrongSecret(Reference.ADMIN, UNCOUNTED)
        self.authenticate(key.encrypt(challenge.decrypted), lambda _key: b"")

    def change_key(self, key: AdminKey) -> None:
        key.check()
        with self._session.changing() as gates:
            self._renew(gates, self._session.require_administrator(), key)

    def _renew(self, gates: Gates, administrator: Administrator, key: AdminKey) -> None:
        """Gives the card another challenge, and if need be another key."""
        session = self._session
        gate = AdminGate(gates)
        challenge, renewal, auth = gate.prepare(administrator, key)
        session.end_administration()
        session.write(replace(session.known, administration=Administration(challenge, renewal)))
        gate.renew(administrator, auth)
        session.write(session.known.renewed(challenge, renewal.seal))
        session.administrator = Administrator(replace(administrator.opened, seal=renewal.seal), key, auth)

    def set_tries(self, pin: int, puk: int) -> None:
        check_tries("pin_retries", pin)
        check_tries("puk_retries", puk)
        session = self._session
        with session.changing() as gates:
            admin, opened = session.require_administrator().opened.ticket, session.require_pin().ticket
            for role, limit in ((Role.PIN, pin), (Role.PUK, puk)):
                if role in gates.model.indices:
                    with session.noticing_stale_tickets():
                        gates.set_tries(role, limit, admin, opened)
            session.write(replace(session.known, pin_retries=pin, puk_retries=puk))
