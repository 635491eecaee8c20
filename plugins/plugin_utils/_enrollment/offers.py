# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Halves of PUKs that an enrolment offers to a host, for cards that are yet to be made.

Whether a card is there, the host alone knows: each card gets an offer, and the offers that nobody took are taken back.
What the host says about it is believed, for a lie costs its own card the recovery and nothing else.
"""

from __future__ import annotations

import typing as t

from .._ledger.ledger import Ledger
from .progress import Progress
from .recovery_key import NewHalf
from .wanted import CardToEnroll, WantedHost


class Offers:
    """The offers to one host.

    :param check: check mode: nothing is written down
    """

    def __init__(self, wanted: WantedHost, ledger: Ledger, check: bool) -> None:
        self._host = wanted.host
        self._ledger = ledger
        self._check = check
        self._made = {card.name: NewHalf.make() for card in wanted.cards if card.recoverable}
        self._recipient = wanted.recovery_key

    def question(self, card: CardToEnroll) -> t.Dict[str, t.Any]:
        """Returns what the host is asked of a card besides, once the ledger has it."""
        offer = self._made.get(card.name)
        if offer is None:
            return {}
        if not self._check:
            self._ledger.offer_half(self._host, card.name, offer.sealed(self._recipient))
        return {"recovery": offer.task()}

    def settle(self, progress: Progress, halves: t.Sequence[str]) -> str:
        """Keeps the half that the card has, and takes back what it has no use for.

        :param halves: identifiers of those that the card has, as the host says
        :returns: a warning, if nobody can recover the card's PIN; else empty
        """
        name, offer = progress.card.name, self._made.get(progress.card.name)
        if self._check or offer is None:
            return ""
        if offer.identifier not in halves:
            self._ledger.take_back_half(offer.identifier)
        if progress.refused or progress.verified is None:
            return ""
        if len(halves) == 1 and self._ledger.keep_half(self._host, name, halves[0]):
            return ""
        if len(halves) > 1:
            return ""  # A recovery was cut off, and the next one needs all that there are.
        return f"The PIN of the card {name} can't be recovered: the card was made without the controller's half."
