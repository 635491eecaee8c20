# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a host's cards: certificates revoked, the list signed, the pins of its keys let go."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .._ca import crl, files
from .._ca.crl import Crl
from .._ledger.record import OUTSIDE, Certificate, Reason
from .desk import Desk
from .outside import revoke_elsewhere

_REASONS = {reason.name.lower(): reason for reason in Reason if reason is not Reason.SUPERSEDED}
REASONS = list(_REASONS)
DEFAULT_LIFETIME = timedelta(days=7)
"""Of a revocation list, where there was none before."""


class Retirement:
    """Cards of one host that shall be no more.

    :param names: of the cards; none means all that the ledger knows, and the host with them
    """

    def __init__(self, host: str, names: t.Sequence[str], desk: Desk, reason: str) -> None:
        self._host = host
        self._desk = desk
        self._reason = _REASONS[reason]
        self._whole = not names
        self.warnings: t.List[str] = []
        self.cards = list(names) or sorted({each.card for each in desk.ledger.certificates(host)})

    def revoke(self, check: bool) -> t.List[t.Dict[str, str]]:
        """Revokes what is valid and publishes the list; in check mode, tells what would be revoked.

        :raises StateError: if the ledger or the passphrase does not allow it
        """
        authority, ledger = self._desk.authority, self._desk.ledger
        found: t.List[Certificate] = []
        for card in self.cards:
            where = {"host": self._host, "card": card}
            if check:
                found += ledger.revocable(where, authority.identifier)
            else:
                found += ledger.revoke(where, self._reason, authority.identifier)
        if not check and crl.is_due(crl.newest(ledger, authority.identifier), ledger, authority.identifier):
            self._publish()
        self.warnings = [revoke_elsewhere(each) for each in found if each.kind == OUTSIDE]
        return [_document(each) for each in found]

    def release(self) -> None:
        """Lets go of the keys, so that cards that are made anew can be enrolled."""
        ledger = self._desk.ledger
        if self._whole:
            if ledger.ek_of_host(self._host) is not None:
                ledger.release(self._host)
            return
        for card in self.cards:
            if ledger.ak_of_card(self._host, card) is not None:
                ledger.release(self._host, card)

    def _publish(self) -> None:
        """Signs a list that is good for as long as the last one, and writes the newest, whoever signed it."""
        authority, ledger = self._desk.authority, self._desk.ledger
        last = crl.newest(ledger, authority.identifier)
        crl.sign(ledger, authority.issuing(), _lifetime(last) if last else DEFAULT_LIFETIME)
        written: t.Optional[Crl] = None
        while True:
            newest = crl.newest(ledger, authority.identifier)
            if newest is None or newest == written:
                return
            files.write(authority.folder.crl("issuing"), newest.body, files.PUBLIC)
            files.write(authority.folder.revoked_ssh_keys, self._revoked_ssh_keys(), files.PUBLIC)
            written = newest

    def _revoked_ssh_keys(self) -> bytes:
        return crl.revoked_ssh_keys(self._desk.ledger, self._desk.authority.identifier)


def _lifetime(last: Crl) -> timedelta:
    return timedelta(seconds=last.next_update - last.this_update)


def _document(certificate: Certificate) -> t.Dict[str, str]:
    what = certificate.label or "attestation_key"
    return {
        "card": certificate.card,
        "slot": what,
        "serial": certificate.number,
        "profile": certificate.profile,
        "line": f"{certificate.card} {what} {certificate.number}",
    }
