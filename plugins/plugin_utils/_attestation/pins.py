# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host and its cards showed before, compared with what they show now: checks 6 and 18 of docs/attestation.md."""

from __future__ import annotations

import itertools
import typing as t

from .._ledger.pins import CardPins, Known
from .card import VerifiedCard
from .finding import Code, Report
from .request import EvidenceRequest


def check_host_known(ek: str, root: str, request: EvidenceRequest, known: Known, report: Report) -> None:
    """Refuses a TPM that is another host's, or another one than the host had.

    :param ek: SHA-256 of the EK's SubjectPublicKeyInfo, in hex
    :param root: Name of the storage root key, in hex
    """
    host = request.host
    clause = f"the EK {ek} serves the host {known.ek_host} already"
    report.demand(known.ek_host in (None, host), Code.EK_SERVES_OTHER_HOST, clause)
    clause = f"the storage root key {root} serves the host {known.root_host} already, so both are one TPM"
    report.demand(known.root_host in (None, host), Code.ROOT_SERVES_OTHER_HOST, clause)
    if request.replacement.lets_tpm(known.fingerprint):
        return
    before = f"that TPM has the fingerprint {known.fingerprint}"
    if known.is_another_tpm(ek, root):
        clause = f"the EK of {host} was {', '.join(known.eks)} and is now {ek}; {before}"
        report.refuse(Code.EK_CHANGED, clause)
    if known.root not in (None, root):
        clause = f"the storage root key of {host} was {known.root} and is now {root}; {before}"
        report.refuse(Code.ROOT_CHANGED, clause)


def check_cards_known(
    cards: t.Mapping[str, VerifiedCard], request: EvidenceRequest, known: Known, report: Report
) -> None:
    """Refuses a card that is another than before, and cards that are one card shown twice."""
    for name, card in cards.items():
        before = known.cards.get(name)
        if before is not None and not request.replacement.lets_card(name, before.pins.fingerprint):
            _check_card(card, before.pins, report.about(name))
    _check_shared(cards, known, report)


def _check_card(card: VerifiedCard, before: CardPins, report: Report) -> None:
    pins, goes = card.pins, f"the card of before is {card.name}={before.fingerprint}"
    clause = f"the AK of the card was {before.ak} and is now {pins.ak}; {goes}"
    report.demand(before.ak == pins.ak, Code.AK_CHANGED, clause)
    changed = before.changed(pins)
    clause = f"the Name of the card's {' and '.join(changed)} is another than before; {goes}"
    report.demand(not changed, Code.CARD_CHANGED, clause)


def _check_shared(cards: t.Mapping[str, VerifiedCard], known: Known, report: Report) -> None:
    pins = {name: card.pins for name, card in cards.items()}
    others = {name: each.pins for name, each in known.cards.items() if name not in cards}
    pairs = itertools.chain(itertools.combinations(sorted(cards), 2), itertools.product(sorted(cards), sorted(others)))
    for first, second in pairs:
        other = {**others, **pins}[second]
        shared = [*(["AK"] if pins[first].ak == other.ak else []), *pins[first].shared(other)]
        clause = f"the cards {first} and {second} have the same {' and '.join(shared)}"
        for name in _suspects(first, second, cards, known) if shared else ():
            report.about(name).refuse(Code.CARDS_SHARE, clause)


def _suspects(first: str, second: str, cards: t.Container[str], known: Known) -> t.List[str]:
    """Of two cards that are one, the card that is known is the card, and the other one the copy."""
    shown = [name for name in (first, second) if name in cards]
    return [name for name in shown if name not in known.cards] or shown
