# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence, request and decision in one JSON document that can be verified again later, offline.

It holds no secret that still opens anything. What it records is checked against what its evidence shows: check 17 of
docs/attestation.md.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from ...module_utils._encoding.evidence import LARGEST_CERTIFICATE, LONGEST_NAME, MOST_CARDS, Document
from ...module_utils._encoding.fields import Fields, encoded
from .._ledger import clock
from .._ledger.pins import Known, KnownCard
from .certificate import Certificate
from .ek import TrustPolicy
from .finding import Code, Finding
from .known import Recall
from .pending import read_proof
from .request import LONGEST_HOST, EvidenceRequest
from .revocation import RevocationPolicy
from .trust import Anchor, Trust
from .verifier import Verdict, verify

LARGEST_LIST = 16 << 20
LONGEST_URL = 2048
_MOST_LISTS = 64
_MOST_ANCHORS = 64
_MOST_EKS = 64
_MOST_KNOWN_CARDS = 1024


def verify_and_keep(
    document: t.Any, request: EvidenceRequest, policy: TrustPolicy, recall: Recall, now: datetime
) -> t.Tuple[Verdict, Document]:
    """Returns the verdict as :func:`~.verifier.verify`, and what a bundle keeps of it: see :mod:`.seal`."""
    lists: t.Dict[str, bytes] = {}

    def remember(url: str) -> t.Optional[bytes]:
        data = policy.lists(url)
        if data is not None:
            lists[url] = data
        return data

    now = now.astimezone(timezone.utc).replace(microsecond=0)
    asked = _Asked(recall)
    verdict = verify(document, request, TrustPolicy(policy.trust, policy.revocation, remember), asked, now)
    return verdict, {
        "at": clock.text(now),
        "request": request.document(),
        "evidence": document,
        "trust": _trust_document(verdict, policy.trust),
        "revocation": {"policy": policy.revocation.value, "lists": _list_documents(lists)},
        "known": asked.document(),
        "record": verdict.document(),
    }


class _Asked:
    """Asks what is known, and remembers the answer."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._known = Known()

    def __call__(self, host: str, ek: str, root: str) -> Known:
        self._known = self._recall(host, ek, root)
        return self._known

    def document(self) -> Document:
        known = self._known
        return {
            "ek_host": known.ek_host,
            "root_host": known.root_host,
            "eks": list(known.eks),
            "storage_root": known.root,
            "cards": [{"card": name, **card.row()} for name, card in sorted(known.cards.items())],
        }


def _trust_document(verdict: Verdict, trust: Trust) -> Document:
    path = verdict.ek.path if verdict.ek is not None else None
    anchors = [path.anchor] if path is not None else []
    helpers = path.certificates[1:] if path is not None else ()
    return {
        "source": trust.source,
        "anchors": [{"name": encoded(anchor.name), "spki": encoded(anchor.spki)} for anchor in anchors],
        "helpers": [encoded(helper.raw) for helper in helpers],
    }


def _list_documents(lists: t.Mapping[str, bytes]) -> t.List[Document]:
    return [{"url": url, "list": encoded(data)} for url, data in sorted(lists.items())]


def judge_content(content: t.Any, trust: t.Optional[Trust] = None) -> t.Tuple[Verdict, t.FrozenSet[str]]:
    """Returns the verdict on what a bundle holds, as of the time that it was made, and the cards that answered.

    :param trust: anchors of your own; without them the ones in the bundle are believed, and a warning says so
    :raises WireError, InputError, ValueError: if it is malformed
    """
    parts = _read(content)
    policy = parts.policy if trust is None else replace(parts.policy, trust=trust)
    verdict = verify(parts.evidence, parts.request, policy, parts.recall, parts.at)
    findings, warnings = list(verdict.findings), list(verdict.warnings)
    if trust is None:
        warnings.append("The anchors are those of the bundle: give your own to trust in more than its own word.")
    if _essence(verdict.document()) != _essence(parts.record):
        findings.append(Finding(Code.BUNDLE_ALTERED, "The bundle records something else than its evidence shows."))
    return replace(verdict, findings=tuple(findings), warnings=tuple(warnings)), parts.answered


@dataclass(frozen=True)
class _Parts:
    """What a bundle holds.

    :param answered: cards whose challenge was answered rightly
    """

    at: datetime
    request: EvidenceRequest
    policy: TrustPolicy
    recall: Recall
    evidence: t.Any
    record: t.Any
    answered: t.FrozenSet[str]


def _read(content: t.Any) -> _Parts:
    fields = Fields(content, "content")
    at = clock.read(fields.text("at", 20))
    request = EvidenceRequest.parse(fields.value("request"))
    trust = _read_trust(fields.object("trust"))
    parts = _Parts(
        at=at,
        request=request,
        policy=_read_policy(fields.object("revocation"), trust),
        recall=_read_known(fields.object("known")),
        evidence=fields.value("evidence"),
        record=fields.value("record"),
        answered=frozenset(read_proof(each) for each in fields.objects("answers", MOST_CARDS)),
    )
    fields.end()
    return parts


def _read_trust(fields: Fields) -> Trust:
    anchors = []
    for anchor in fields.objects("anchors", _MOST_ANCHORS):
        anchors.append(Anchor(anchor.octets("name", LARGEST_CERTIFICATE), anchor.octets("spki", LARGEST_CERTIFICATE)))
        anchor.end()
    helpers = [Certificate.parse(data) for data in fields.octets_list("helpers", _MOST_ANCHORS, LARGEST_CERTIFICATE)]
    trust = Trust(anchors, helpers, fields.text("source", LONGEST_URL))
    fields.end()
    return trust


def _read_policy(fields: Fields, trust: Trust) -> TrustPolicy:
    lists = {}
    for each in fields.objects("lists", _MOST_LISTS):
        lists[each.text("url", LONGEST_URL)] = each.octets("list", LARGEST_LIST)
        each.end()
    policy = TrustPolicy(trust, RevocationPolicy(fields.text("policy", 32)), lists.get)
    fields.end()
    return policy


def _read_known(fields: Fields) -> Recall:
    known = Known(
        ek_host=_text_or_none(fields, "ek_host", LONGEST_HOST),
        root_host=_text_or_none(fields, "root_host", LONGEST_HOST),
        eks=tuple(str(each) for each in fields.list("eks", _MOST_EKS)),
        root=_text_or_none(fields, "storage_root", LONGEST_NAME),
        cards=dict(_read_card(each) for each in fields.objects("cards", _MOST_KNOWN_CARDS)),
    )
    fields.end()
    return lambda host, ek, root: known


def _read_card(fields: Fields) -> t.Tuple[str, KnownCard]:
    name = fields.text("card", LONGEST_NAME)
    row = {each: fields.value(each) for each in KnownCard.COLUMNS}
    fields.end()
    return name, KnownCard.of(row)


def _text_or_none(fields: Fields, name: str, most: int) -> t.Optional[str]:
    return None if fields.value(name) is None else fields.text(name, most)


def _essence(record: t.Any) -> t.Any:
    """The decision without its prose, which may be put differently in another release."""
    if not isinstance(record, dict) or not isinstance(record.get("findings"), list):
        return None
    codes = [(each.get("code"), each.get("card")) for each in record["findings"] if isinstance(each, dict)]
    return record.get("host"), codes, record.get("ek"), record.get("storage_root"), record.get("cards")
