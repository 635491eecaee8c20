# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new PIN for an enrolled card, by both sides: the host shows the card, the controller sends its half to that card's
TPM and to no other, and the TPM states what came of it.

docs/recovery.md says what each side can do alone.
"""

from __future__ import annotations

import typing as t

from ...module_utils._card.secret import Tries
from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import encoded
from ...module_utils._encoding.recovery_order import RecoveryOrder
from ...module_utils._errors import InputError, StateError
from .._attestation.finding import Report
from .._attestation.known_card import KnownCardShown, recognise
from .._attestation.pending import PendingChallenge
from .._attestation.request import new_nonce
from .._ledger.halves import Half
from .._ledger.ledger import Ledger
from .._ledger.record import CertificatePlace, EventKind
from .answers import identifiers, octets, text
from .recovery_key import NewHalf, RecoveryKey

LONGEST_REASON = 200


class PinRecovery:
    """One card of one host.

    :param key: opens the halves
    :param recipient: whom the next half is sealed for
    :param reason: why, for the ledger
    """

    def __init__(
        self, place: CertificatePlace, ledger: Ledger, key: RecoveryKey, recipient: t.Any, reason: str = ""
    ) -> None:
        if len(reason) > LONGEST_REASON or not reason.isprintable():
            raise InputError("reason", "is too long, or not printable", f"use up to {LONGEST_REASON} characters")
        self._place, self._ledger, self._reason = place, ledger, reason
        self._key, self._recipient = key, recipient
        self._nonce = new_nonce()
        self._known: t.List[Half] = ledger.halves(place.host, place.card)
        if not self._known:
            found = f"the ledger holds no half for the card {place.card} of {place.host}"
            remedy = "see that host and name are those of the inventory; without a half, the PUK or a new card helps"
            raise StateError(found, remedy)

    def question(self) -> Document:
        """Returns what the host is asked at each visit."""
        self._nonce = new_nonce()
        return {"name": self._place.card, "nonce": encoded(self._nonce)}

    def examine(self, answer: t.Any) -> t.Tuple[KnownCardShown, t.Dict[str, bytes]]:
        """Returns the card, if it is the one that was enrolled, and the opened halves that it says it has.

        :raises StateError: if it is another card, or no half fits
        """
        shown = self._recognised(answer)
        said = identifiers(answer.get("recovery"))
        fitting = [half for half in self._known if half.identifier in said]
        if not fitting:
            found = f"the ledger holds no half that the card {self._place.card} of {self._place.host} has a half for"
            raise StateError(found, "give the card a new PIN with its PUK, or make a new card")
        if not shown.puk.left:
            raise StateError(f"the PUK of the card {self._place.card} is blocked", "make a new card")
        return shown, {half.identifier: self._key.open(half) for half in fitting}

    def order(self, shown: KnownCardShown, halves: t.Mapping[str, bytes]) -> Document:
        """Returns the challenge with the halves, once the next one is written down."""
        self._coming = NewHalf.make()
        place = self._place
        self._ledger.offer_half(place.host, place.card, self._coming.sealed(self._recipient))
        self._ledger.record(EventKind.PIN_RECOVERY_BEGUN, place, detail=self._reason)
        content = RecoveryOrder(halves, self._coming.identifier, self._coming.half).encode()
        self._pending = PendingChallenge(shown.ek, shown.ak, place.host, place.card, content, self._ledger.now())
        return self._pending.challenge.document()

    def accept(self, answer: t.Any) -> None:
        """Records the recovery, if the card's TPM has opened the halves and states that all tries are there.

        :raises StateError: if not; then the halves stay that there were
        """
        place, report = self._place, Report(self._place.card)
        given = octets(answer.get("answer")) if isinstance(answer, dict) else b""
        if not self._pending.accept(place.host, place.card, given, self._ledger.now(), report):
            raise StateError(report.findings[0].sentence[:-1], "run the recovery again")
        shown = self._recognised(answer)
        _demand_fresh(shown.pin, "PIN", place)
        _demand_fresh(shown.puk, "PUK", place)
        if identifiers(answer.get("recovery")) != (self._coming.identifier,):
            raise StateError(f"{place.host} has not set another PUK on the card {place.card}", "run the recovery again")
        self._ledger.recovered(place.host, place.card, self._coming.identifier, self._reason)

    def _recognised(self, answer: t.Any) -> KnownCardShown:
        evidence = answer.get("evidence") if isinstance(answer, dict) else None
        return recognise(evidence, self._place.host, self._place.card, self._nonce, self._ledger.known)


def told(answer: t.Mapping[str, t.Any]) -> t.Optional[str]:
    """Returns the PIN that the host has made, encrypted for its recipient."""
    return text(answer.get("pin_escrow")) or None


def _demand_fresh(tries: Tries, what: str, place: CertificatePlace) -> None:
    if tries.left < tries.limit:
        found = f"the TPM of {place.host} states that the {what} of the card {place.card} has {tries.left} tries left"
        raise StateError(f"{found} of {tries.limit}, so it was not set", "run the recovery again, and look at the host")
