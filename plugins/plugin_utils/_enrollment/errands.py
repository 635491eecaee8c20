# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be asked of another CA for the cards of one host, and when.

Only keys and orders that are that CA's come here, so an enrolment at our CA alone never gets to the desk.
"""

from __future__ import annotations

import typing as t

from ...module_utils._encoding.evidence import Document
from ...module_utils._errors import HardboundError, StateError
from .._ca.issuer import Issuer, Order
from .._ledger.record import CertificatePlace
from .external import ExternalDesk
from .progress import Progress
from .wanted import CardToEnroll, KeyToCertify, WantedHost


class Errands:
    """Errands for one host.

    :param desk: where requests go out, if there is another CA
    """

    def __init__(self, wanted: WantedHost, issuer: Issuer, desk: t.Optional[ExternalDesk], check: bool) -> None:
        self._host = wanted.host
        self._issuer = issuer
        self._maybe_desk = desk
        self._check = check

    @property
    def _desk(self) -> ExternalDesk:
        if self._maybe_desk is None:
            raise StateError("there is no other CA", "set external_ca")
        return self._maybe_desk

    def questions(self, card: CardToEnroll) -> t.List[Document]:
        """Returns the requests that the card's keys are to sign."""
        keys = [key for key in card.keys if key.external]
        return [self._desk.question(self._place(card, key), key, card.identity) for key in keys]

    def issuer_of(self, key: KeyToCertify) -> str:
        """Returns the name of the other CA that certifies the key; empty: ours does."""
        return self._desk.ca.name if key.external else ""

    def foresee(self, progress: Progress, key: KeyToCertify) -> None:
        """Check mode: notes who is to answer for a key that is yet to be made."""
        if key.external and not self._desk.ca.command:
            self._wait(progress, self._place(progress.card, key))

    def plan(self, progress: Progress, signatures: t.Mapping[str, bytes]) -> None:
        """Finds out what the other CA has to be asked for, and where nobody has answered yet.

        :raises Refusal, StateError: as :meth:`ExternalDesk.errand` and :meth:`ExternalDesk.waits`
        """
        for order in self._due(progress):
            if self._issuer.kept(order) is not None:
                continue
            slot = order.place.slot
            errand = progress.errands[slot] = self._desk.errand(order, signatures.get(slot, b""), self._check)
            if self._desk.waits(order, errand) and (self._check or not errand.is_new):
                self._wait(progress, order.place)
                if not errand.is_new:
                    progress.idle.add(slot)

    def run(self, progress: Progress) -> bool:
        """Asks the other CA; tells whether there is something new for the card.

        A TPM was shown to hold the AK by now, and so to speak of the keys.
        """
        before = len(progress.issued)
        progress.waiting = []
        for order in self._due(progress):
            try:
                issued = self._desk.run(order, progress.errands.pop(order.place.slot, None))
            except HardboundError as error:
                progress.fail(error)
                continue
            if issued is None:
                self._wait(progress, order.place)
            else:
                progress.issued.append(issued)
        return len(progress.issued) > before

    @staticmethod
    def _due(progress: Progress) -> t.List[Order]:
        return [order for order in progress.orders if order.external and order.place.slot in progress.reasons]

    def _place(self, card: CardToEnroll, key: KeyToCertify) -> CertificatePlace:
        return CertificatePlace(self._host, card.name, key.slot)

    def _wait(self, progress: Progress, place: CertificatePlace) -> None:
        ca = self._desk.ca
        paths = {"request": str(ca.request_path(place)), "answer": str(ca.answer_path(place))}
        progress.waiting.append({"slot": place.slot, **paths})
