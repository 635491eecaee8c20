# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a host's cards: certificates revoked, the list signed, the pins of its keys let go."""

from __future__ import annotations

import typing as t

from .._ca.external_ca import ExternalCa
from .._ledger.record import IssuedCertificate, RevocationReason
from .._ledger.refusal import Refusal
from .desk import Desk

_REASONS = {reason.name.lower(): reason for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED}
REASONS = list(_REASONS)


class Retirement:
    """Cards of one host that shall be no more.

    :param names: of the cards; none means all that the ledger knows, and the host with them
    :param external_ca: another CA that can be asked to revoke what it has issued for them
    """

    def __init__(
        self,
        host: str,
        names: t.Sequence[str],
        desk: Desk,
        reason: str,
        external_ca: t.Optional[ExternalCa] = None,
    ) -> None:
        self._host = host
        self._desk = desk
        self._reason = _REASONS[reason]
        self._whole = not names
        self._elsewhere = desk.elsewhere(external_ca)
        self.warnings: t.List[str] = []
        self.failures: t.List[Refusal] = []
        """What the other CA was asked to revoke, and has not."""
        self.cards = list(names) or sorted({each.card for each in desk.ledger.certificates(host)})

    def revoke(self, check: bool) -> t.List[t.Dict[str, str]]:
        """Revokes what is valid and publishes the list; in check mode, tells what would be revoked.

        :raises StateError: if the ledger or the passphrase does not allow it
        """
        authority, ledger = self._desk.authority, self._desk.ledger
        found: t.List[IssuedCertificate] = []
        for card in self.cards:
            where = {"host": self._host, "card": card}
            if check:
                found += ledger.revocable(where, authority.identifier)
            else:
                found += ledger.revoke(where, self._reason, authority.identifier)
        if check:
            self.warnings = self._elsewhere.foretell(found)
        else:
            self._desk.publish()
            self.warnings, self.failures = self._elsewhere.revoke(self._host, found)
        return [_document(each) for each in found]

    def release(self) -> None:
        """Lets go of the keys, so that cards that are made anew can be enrolled."""
        ledger = self._desk.ledger
        known = ledger.known(self._host, "", "")
        if self._whole:
            if known.eks:
                ledger.release(self._host)
            return
        for card in self.cards:
            if card in known.cards:
                ledger.release(self._host, card)


def _document(certificate: IssuedCertificate) -> t.Dict[str, str]:
    what = certificate.label or "attestation_key"
    return {
        "card": certificate.card,
        "slot": what,
        "serial": certificate.number,
        "profile": certificate.profile,
        "line": f"{certificate.card} {what} {certificate.number}",
    }
