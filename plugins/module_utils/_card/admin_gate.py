# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate that the admin key opens: the ADMIN index, and the seal behind it.

The TPM checks the answer to the card's challenge, and gives up K and the admin key to whoever knew it. A
new challenge takes the old one's place at once, so that no answer works twice.

The new challenge is on disk before the TPM is told its answer, and is the one that counts from then on. If
the run is cut off in between, the TPM still wants the old answer; its authValue is on disk as well, masked
with the new answer. So the new answer opens the card in either case, and the disk alone in none.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._tpm import nv
from .._tpm.session import NOTHING_GIVEN
from .admin_key import AdminChallenge, AdminKey
from .derivation import auth_value, masked
from .errors import NotOffered
from .gate import Gates, Opened
from .model import Role
from .record import Administration, Record, Renewal
from .secret import Reference

CARD_KEY_SIZE = 32
"""Bytes of K."""


@dataclass(frozen=True)
class Administrator:
    """Whoever has answered the challenge.

    :param key: the admin key
    :param auth: authValue that the ADMIN index has now
    """

    opened: Opened
    key: AdminKey = field(repr=False)
    auth: bytes = field(repr=False)


def answer_auth(salt: bytes, challenge: AdminChallenge, answer: bytes) -> bytes:
    """Returns the authValue of the ADMIN index that an answer makes."""
    return auth_value(answer, salt + challenge.nonce, "admin")


def _mask(salt: bytes, challenge: AdminChallenge, answer: bytes) -> bytes:
    return auth_value(answer, salt + challenge.nonce, "admin previous")


def administration_of(record: Record) -> Administration:
    """:raises NotOffered: if the card has no admin key"""
    if record.administration is None:
        raise NotOffered("The card has no admin key.")
    return record.administration


class AdminGate:
    """:param gates: of the card, for whoever holds the TPM"""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._salt = gates.record.salt

    @property
    def _administration(self) -> Administration:
        return administration_of(self._gates.record)

    def open(self, answer: bytes) -> Administrator:
        """Opens the card with the answer to its challenge.

        :raises WrongSecret, NotOffered:
        """
        challenge, renewal = self._administration.challenge, self._administration.renewal
        auths = [answer_auth(self._salt, challenge, answer)]
        seal = self._gates.record.seals[Role.ADMIN]
        if renewal is not None:
            auths.append(masked(renewal.previous, _mask(self._salt, challenge, answer)))
            seal = renewal.seal
        entered = self._gates.enter(Reference.ADMIN, Role.ADMIN, auths)
        sealed = self._gates.unseal(Role.ADMIN, seal, entered)
        card_key, value = sealed[:CARD_KEY_SIZE], sealed[CARD_KEY_SIZE:]
        opened = self._gates.opened(Role.ADMIN, entered.ticket, seal, card_key)
        return Administrator(opened, AdminKey(challenge.cipher, value), entered.auth)

    def prepare(self, administrator: Administrator, key: AdminKey) -> t.Tuple[AdminChallenge, Renewal, bytes]:
        """Returns what has to be on disk before :meth:`renew`, and the authValue for it."""
        challenge, answer = AdminChallenge.make(key)
        seal = administrator.opened.seal
        if key != administrator.key:
            seal = self._gates.make_seal(Role.ADMIN, b"", administrator.opened.contents().key + key.value)
        renewal = Renewal(seal, masked(administrator.auth, _mask(self._salt, challenge, answer)))
        return challenge, renewal, answer_auth(self._salt, challenge, answer)

    def renew(self, administrator: Administrator, auth: bytes) -> None:
        """Tells the TPM what it shall take from now on."""
        model = self._gates.model
        entity = self._gates.entity(Role.ADMIN, administrator.auth)
        steps = model.indices[Role.ADMIN].authorise(model.admin_renewal)
        nv.change_auth(self._gates.tpm, entity, auth, steps, NOTHING_GIVEN)
