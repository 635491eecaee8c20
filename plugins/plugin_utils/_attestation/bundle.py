# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence, request and decision in one JSON document that can be verified again later, offline.

It holds no secret. What it records is checked against what its evidence shows: check 17 of docs/attestation.md.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from ...module_utils._encoding.evidence import LARGEST_CERTIFICATE, LONGEST_NAME, MOST_CARDS, Document
from ...module_utils._encoding.fields import Fields, encoded
from ...module_utils._encoding.wire import WireError
from ...module_utils._errors import InputError
from .._ledger import clock
from .certificate import Certificate
from .ek import Policy
from .finding import Code, Finding
from .known import Known, Remembered
from .request import LONGEST_HOST, Request
from .revocation import RevocationPolicy
from .trust import Anchor, Trust
from .verifier import Verdict, verify

VERSION = 1
LARGEST_LIST = 16 << 20
LONGEST_URL = 2048
_MOST_LISTS = 64
_MOST_ANCHORS = 64


def verify_and_keep(
    document: t.Any, request: Request, policy: Policy, known: Known, now: datetime
) -> t.Tuple[Verdict, Document]:
    """Returns the verdict as :func:`~.verifier.verify`, and the bundle to keep."""
    lists: t.Dict[str, bytes] = {}

    def remember(url: str) -> t.Optional[bytes]:
        data = policy.lists(url)
        if data is not None:
            lists[url] = data
        return data

    now = now.astimezone(timezone.utc).replace(microsecond=0)
    asked = _Asked(known)
    verdict = verify(document, request, Policy(policy.trust, policy.revocation, remember), asked, now)
    return verdict, {
        "version": VERSION,
        "at": clock.text(now),
        "request": request.document(),
        "evidence": document,
        "trust": _trust_document(verdict, policy.trust),
        "revocation": {"policy": policy.revocation.value, "lists": _list_documents(lists)},
        "known": asked.document(),
        "record": verdict.document(),
    }


class _Asked:
    """Asks what is known, and remembers the answers."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._answers = Remembered()

    def host_of_ek(self, ek: str) -> t.Optional[str]:
        host = self._known.host_of_ek(ek)
        if host is not None:
            self._answers.eks[host] = ek
        return host

    def ek_of_host(self, host: str) -> t.Optional[str]:
        ek = self._known.ek_of_host(host)
        if ek is not None:
            self._answers.eks[host] = ek
        return ek

    def ak_of_card(self, host: str, card: str) -> t.Optional[str]:
        ak = self._known.ak_of_card(host, card)
        if ak is not None:
            self._answers.aks[host, card] = ak
        return ak

    def document(self) -> Document:
        return {
            "eks": [{"host": host, "ek": ek} for host, ek in sorted(self._answers.eks.items())],
            "aks": [{"card": card, "ak": ak} for (_unused, card), ak in sorted(self._answers.aks.items())],
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


def verify_again(bundle: t.Any, trust: t.Optional[Trust] = None) -> Verdict:
    """Returns the verdict on a bundle, as of the time that it was made. Whatever it is, nothing is raised.

    :param trust: anchors of your own; without them the ones in the bundle are believed, and a warning says so
    """
    try:
        host, now, request, policy, known, evidence, record = _read(bundle)
    except (WireError, InputError, ValueError) as error:
        finding = Finding(Code.BUNDLE_MALFORMED, f"The bundle is malformed: {error}".rstrip(".") + ".")
        return Verdict("", (finding,))
    if trust is not None:
        policy = Policy(trust, policy.revocation, policy.lists)
    verdict = verify(evidence, request, policy, known, now)
    findings, warnings = list(verdict.findings), list(verdict.warnings)
    if trust is None:
        warnings.append("The anchors are those of the bundle: give your own to trust in more than its own word.")
    if _essence(verdict.document()) != _essence(record):
        findings.append(Finding(Code.BUNDLE_ALTERED, "The bundle records something else than its evidence shows."))
    return Verdict(host, tuple(findings), tuple(warnings), verdict.ek, verdict.cards)


_Parts = t.Tuple[str, datetime, Request, Policy, Known, t.Any, t.Any]


def _read(bundle: t.Any) -> _Parts:
    fields = Fields(bundle, "")
    version = fields.number("version", 2**31)
    if version != VERSION:
        raise fields.fault("version", f"is {version}, where {VERSION} is understood")
    now = clock.read(fields.text("at", 20))
    request = Request.parse(fields.value("request"))
    trust = _read_trust(fields.object("trust"))
    policy = _read_policy(fields.object("revocation"), trust)
    known = _read_known(fields.object("known"), request.host)
    evidence, record = fields.value("evidence"), fields.value("record")
    fields.end()
    return request.host, now, request, policy, known, evidence, record


def _read_trust(fields: Fields) -> Trust:
    anchors = []
    for anchor in fields.objects("anchors", _MOST_ANCHORS):
        anchors.append(Anchor(anchor.octets("name", LARGEST_CERTIFICATE), anchor.octets("spki", LARGEST_CERTIFICATE)))
        anchor.end()
    helpers = [Certificate.parse(data) for data in fields.octets_list("helpers", _MOST_ANCHORS, LARGEST_CERTIFICATE)]
    trust = Trust(anchors, helpers, fields.text("source", LONGEST_URL))
    fields.end()
    return trust


def _read_policy(fields: Fields, trust: Trust) -> Policy:
    lists = {}
    for each in fields.objects("lists", _MOST_LISTS):
        lists[each.text("url", LONGEST_URL)] = each.octets("list", LARGEST_LIST)
        each.end()
    policy = Policy(trust, RevocationPolicy(fields.text("policy", 32)), lists.get)
    fields.end()
    return policy


def _read_known(fields: Fields, host: str) -> Remembered:
    known = Remembered()
    for each in fields.objects("eks", 2):
        known.eks[each.text("host", LONGEST_HOST)] = each.text("ek", LONGEST_NAME)
        each.end()
    for each in fields.objects("aks", MOST_CARDS):
        known.aks[host, each.text("card", LONGEST_NAME)] = each.text("ak", LONGEST_NAME)
        each.end()
    fields.end()
    return known


def _essence(record: t.Any) -> t.Any:
    """The decision without its prose, which may be put differently in another release."""
    if not isinstance(record, dict) or not isinstance(record.get("findings"), list):
        return None
    codes = [(each.get("code"), each.get("card")) for each in record["findings"] if isinstance(each, dict)]
    return record.get("host"), codes, record.get("ek"), record.get("cards")
