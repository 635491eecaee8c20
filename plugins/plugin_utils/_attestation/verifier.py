# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies what a host shows: all of it, so that one run tells everything that is wrong."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime

from ...module_utils._encoding.evidence import Document, Evidence
from ...module_utils._encoding.fields import UnknownField
from ...module_utils._encoding.public import Public
from ...module_utils._encoding.wire import WireError
from .._ledger.pins import Known
from .card import VerifiedCard, check_card
from .ek import Ek, TrustPolicy, check_ek, read_ek
from .finding import Code, Finding, Report
from .known import Recall
from .pins import check_cards_known, check_host_known
from .request import EvidenceRequest
from .storage_root import read_storage_root


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    :param findings: failed checks; none if everything is to be trusted
    :param warnings: what could not be looked at, where the policy lets that pass
    :param root: Name of the storage root key, in hex; empty if it can't be read
    :param cards: by name; to be trusted only where :meth:`accepts` says so
    """

    host: str
    findings: t.Tuple[Finding, ...]
    warnings: t.Tuple[str, ...] = ()
    ek: t.Optional[Ek] = None
    root: str = ""
    cards: t.Mapping[str, VerifiedCard] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    """What was known of the host before."""

    @property
    def accepted(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.findings

    def accepts(self, card: str) -> bool:
        """Whether nothing is wrong with the host and this card, whatever may be with others."""
        return card in self.cards and not any(finding.card in ("", card) for finding in self.findings)

    def refusing(self, finding: Finding) -> Verdict:
        """Returns the verdict with one thing more that is wrong."""
        return replace(self, findings=(*self.findings, finding))

    def only(self, cards: t.AbstractSet[str], warnings: t.Sequence[str]) -> Verdict:
        """Returns the verdict on some of the cards."""
        left = {name: card for name, card in self.cards.items() if name in cards}
        return replace(self, cards=left, warnings=(*self.warnings, *warnings))

    @property
    def message(self) -> str:
        """One line for a person: the first failed check, and how many more there are."""
        if not self.findings:
            return f"{self.host} is verified."
        first, more = self.findings[0], len(self.findings) - 1
        return f"{first.code.name}: {first.sentence}" + (f" ({more} more)" if more else "")

    def document(self) -> Document:
        """Returns what a module returns and a bundle keeps: the decision, and which EK, AKs and keys it is about."""
        return {
            "host": self.host,
            "accepted": self.accepted,
            "findings": [finding.document() for finding in self.findings],
            "warnings": list(self.warnings),
            "ek": None if self.ek is None else self.ek.document(),
            "storage_root": self.root,
            "cards": {name: card.document() for name, card in sorted(self.cards.items())},
        }


def verify(document: t.Any, request: EvidenceRequest, policy: TrustPolicy, recall: Recall, now: datetime) -> Verdict:
    """Returns the verdict on a host's answer to a request. Whatever the answer is, nothing is raised.

    :param document: what a JSON parser made of the answer
    :param recall: tells what is known of the host from before
    :param now: with a time zone
    """
    report = Report()
    try:
        evidence = Evidence.parse(document)
    except UnknownField as error:
        report.refuse(Code.IDENTITY_FROM_HOST, f"the host says what it was not asked: {error}")
        return Verdict(request.host, tuple(report.findings))
    except WireError as error:
        report.refuse(Code.EVIDENCE_MALFORMED, f"the evidence is malformed: {error}")
        return Verdict(request.host, tuple(report.findings))
    ek, root = read_ek(evidence, report), read_storage_root(evidence, report)
    if ek is None or root is None:
        return Verdict(request.host, tuple(report.findings), tuple(report.warnings), ek)
    root_name = root.name.hex()
    known = recall(request.host, ek.fingerprint, root_name)
    check_host_known(ek.fingerprint, root_name, request, known, report)
    ek = check_ek(ek, evidence, request, policy, now, report)
    cards = _check_cards(evidence, request, root, report)
    check_cards_known(cards, request, known, report)
    return Verdict(request.host, tuple(report.findings), tuple(report.warnings), ek, root_name, cards, known)


def _check_cards(
    evidence: Evidence, request: EvidenceRequest, root: Public, report: Report
) -> t.Dict[str, VerifiedCard]:
    shown, wanted = {card.name: card for card in evidence.cards}, {card.name: card for card in request.cards}
    report.demand(len(shown) == len(evidence.cards), Code.EVIDENCE_SURPLUS, "a card is shown twice")
    for name in sorted(wanted.keys() - shown.keys()):
        report.about(name).refuse(Code.EVIDENCE_INCOMPLETE, f"the card {name} is not shown")
    for name in sorted(shown.keys() - wanted.keys()):
        report.refuse(Code.EVIDENCE_SURPLUS, f"the card {name} is shown without being asked for")
    cards = {}
    for name in sorted(shown.keys() & wanted.keys()):
        card = check_card(shown[name], wanted[name], root, report.about(name))
        if card is not None:
            cards[name] = card
    return cards
