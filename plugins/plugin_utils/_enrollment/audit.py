# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report on every host, card and key: what the ledger knows, what the host shows, what the inventory wants.

What a host says of its cards is what it says, not what it proved: enrolment alone proves.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from ...module_utils._card.edge import parse_algorithm
from ...module_utils._card.key import slot_number
from ...module_utils._errors import InputError
from .._ledger import clock
from .._ledger.ledger import Ledger
from .._ledger.pins import KnownCard, Standing
from .._ledger.record import IssuedCertificate
from . import words

Document = t.Dict[str, t.Any]
Cards = t.Sequence[t.Mapping[str, t.Any]]

_SHOWN: t.Mapping[str, t.Tuple[type, ...]] = {
    "state": (str,),
    "owner": (str,),
    "group": (str,),
    "faces": (list,),
    "passkeys": (bool,),
    "presence": (str,),
    "passkey_attestation": (str,),
    "enterprise_attestation": (list,),
    "card_reset": (bool,),
    "reader": (str,),
    "serial": (str,),
    "pin_policy": (dict,),
    "pin_retries": (int,),
    "pin_tries_left": (int,),
    "puk_retries": (int,),
    "puk_tries_left": (int,),
    "pin_must_change": (bool,),
    "pin_set_at": (str,),
    "pin_expires_at": (str,),
}
"""What the report takes over of what a host says of a card, and of what type it has to be."""

COMPARED = (
    "owner",
    "group",
    "faces",
    "passkeys",
    "presence",
    "passkey_attestation",
    "enterprise_attestation",
    "card_reset",
    "pin_retries",
)
"""Options of a card that may drift; the PIN policy's rules do so one by one."""

SEALED, NOT_SEALED, NEVER_SEALED = "sealed", "not sealed", "never sealed"

MOST_CARDS = 32
"""Cards that one host may add to the report; and below, keys of a card, objections, and characters of a name."""
MOST_KEYS = 32
_MOST_OBJECTIONS = 20
_LONGEST = 255
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,12000}-----END CERTIFICATE-----\s*")


@dataclass(frozen=True)
class SeenHost:
    """A host as this run found it.

    :param cards: as ``virtual_smartcard_info`` returns them; None if the host did not answer
    :param wanted: the inventory's cards
    :param trouble: what the host said instead of showing cards
    """

    host: str
    cards: t.Optional[Cards]
    wanted: Cards
    trouble: str = ""


def audit(ledger: Ledger, hosts: t.Iterable[SeenHost]) -> Document:
    """Returns the report. Changes nothing."""
    at, kept, seen = ledger.now(), _kept(ledger), {host.host: host for host in hosts}
    gone = [name for name in sorted(set(kept) - set(seen)) if kept[name].issued]
    reports = [_Host(host, kept.get(host.host, _Kept()), at).document() for host in seen.values()]
    reports += [_Host(SeenHost(name, None, ()), kept[name], at, False).document() for name in gone]
    reports = [report for report in reports if report["cards"] or report["inventory"]]
    return {"at": clock.text(at), "totals": _totals(reports), "hosts": reports}


def _totals(reports: t.Sequence[Document]) -> t.Dict[str, int]:
    cards = [card for report in reports for card in report["cards"]]
    keys = Counter(key["status"] for card in cards for key in card["slots"])
    drift = sum(bool(report["drift"]) or any(card["drift"] for card in report["cards"]) for report in reports)
    silent = sum(not report["answered"] for report in reports)
    found = {"hosts": len(reports), "silent": silent, "cards": len(cards), "drift": drift}
    waiting = sum(card["standing"] in (NOT_SEALED, NEVER_SEALED) for card in cards)
    return {**found, NOT_SEALED: waiting, **dict(sorted(keys.items()))}


@dataclass
class _Kept:
    """What the ledger holds of a host."""

    ek: str = ""
    issued: t.List[IssuedCertificate] = field(default_factory=list)
    cards: t.Dict[str, KnownCard] = field(default_factory=dict)


def _kept(ledger: Ledger) -> t.Dict[str, _Kept]:
    kept: t.Dict[str, _Kept] = defaultdict(_Kept)
    for certificate in ledger.certificates():
        kept[certificate.host].issued.append(certificate)
    for (host, name), card in ledger.cards().items():
        kept[host].cards[name] = card
    for host, ek in ledger.endorsement_keys().items():
        kept[host].ek = ek
    return kept


def _standing(card: t.Optional[KnownCard]) -> t.Optional[str]:
    """Whether the TPM was restarted since the card was made; None if the card has proved nothing yet."""
    if card is None:
        return None
    if card.standing is Standing.SEALED:
        return SEALED
    return NOT_SEALED if card.genesis_proven else NEVER_SEALED


class _Host:
    """One host, put together."""

    def __init__(self, seen: SeenHost, kept: _Kept, at: datetime, inventory: bool = True) -> None:
        self._seen = seen
        self._kept = kept
        self._at = at
        self._inventory = inventory
        self._issued = kept.issued
        self._shown = {str(card.get("name")): card for card in _shown(seen.cards)}
        self._wanted = {str(card.get("name")): card for card in seen.wanted}

    def document(self) -> Document:
        known = {each.card for each in self._issued if not each.revoked_at}
        names = sorted(set(self._shown) | set(self._wanted) | known)
        return {
            "host": self._seen.host,
            "inventory": self._inventory,
            "answered": self._seen.cards is not None,
            "ek": self._kept.ek,
            "cards": [self._card(name) for name in names],
            "drift": list(self._drift()),
        }

    def _drift(self) -> t.Iterator[str]:
        if not self._inventory and any(not each.revoked_at for each in self._issued):
            yield "The inventory does not name this host, and it holds certificates that are not revoked: retire it."
        if self._inventory and self._seen.cards is None:
            trouble = words.sentence(self._seen.trouble)
            yield f"The host could not show its cards: {trouble}" if trouble else "The host did not answer."
        if isinstance(self._seen.cards, list) and len(self._seen.cards) > MOST_CARDS:
            yield f"The host shows {len(self._seen.cards)} cards: no more than {MOST_CARDS} of them are in this report."

    def _card(self, name: str) -> Document:
        shown, wanted = self._shown.get(name, {}), self._wanted.get(name, {})
        keys = [self._key(name, slot, shown) for slot in self._slots(name, shown, wanted)]
        return {
            "name": name,
            "standing": _standing(self._kept.cards.get(name)),
            **{each: shown.get(each) for each in _SHOWN},
            "slots": keys,
            "drift": [*self._card_drift(name, shown, wanted), *(key.pop("drift") for key in keys if "drift" in key)],
        }

    def _slots(self, name: str, shown: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> t.List[str]:
        live = [each for each in self._issued if each.card == name and each.slot and not each.revoked_at]
        known = {each.label for each in live if not each.attests}
        found = {key["slot"] for card in (shown, wanted) for key in card.get("keys") or ()}
        return sorted(known | found)

    def _card_drift(self, name: str, shown: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> t.Iterator[str]:
        if self._seen.cards is None:
            return
        if wanted and not shown:
            yield f"The inventory wants the card {name}, and the host has none of that name."
            return
        if shown and not wanted:
            yield f"The host has the card {name}, and the inventory does not name it."
        if shown and shown.get("state") != "ready":
            yield f"The card {name} is {shown.get('state')}."
        yield from shown.get("objections", ())
        for each in COMPARED:
            if wanted.get(each) is not None and _words(wanted[each]) != _words(shown.get(each)):
                yield f"{each} is {_words(shown.get(each))}, and the inventory wants {_words(wanted[each])}."
        policy, found = wanted.get("pin_policy") or {}, shown.get("pin_policy") or {}
        for rule, value in sorted(policy.items()):
            if found.get(rule) != value:
                yield f"pin_policy.{rule} is {found.get(rule)}, and the inventory wants {value}."
        yield from self._key_drift(shown, wanted)

    def _key_drift(self, shown: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> t.Iterator[str]:
        algorithms = {key["slot"]: key.get("algorithm") for key in shown.get("keys") or ()}
        for key in wanted.get("keys") or ():
            slot, algorithm = key["slot"], _wanted_algorithm(key)
            if slot not in algorithms:
                yield f"The inventory wants a key in the slot {slot}, and there is none."
            elif algorithms[slot] != algorithm:
                yield f"The key in the slot {slot} is {algorithms[slot]}, and the inventory wants {algorithm}."

    def _key(self, card: str, slot: str, shown: t.Mapping[str, t.Any]) -> Document:
        found = {each["slot"]: each for each in shown.get("keys") or ()}
        key: t.Mapping[str, t.Any] = found.get(slot, {})
        places = [each for each in self._issued if (each.card, each.label) == (card, slot)]
        certificate = _on_card(places, key.get("certificate")) or _newest(places)
        document: Document = {
            "slot": slot,
            "algorithm": key.get("algorithm"),
            "pin": key.get("pin"),
            **_certificate(certificate, self._at),
        }
        if certificate is not None and key and not _is_on_card(certificate, key.get("certificate")):
            document["drift"] = f"The slot {slot} does not hold the certificate that was issued for it."
        return document


def _words(value: t.Any) -> str:
    """Returns an option as a sentence has it: faces are the same in any order, and no owner is like an empty one."""
    text = " and ".join(sorted(map(str, value))) if isinstance(value, list) else value
    return "none" if text in (None, "") else str(text)


def _shown(cards: t.Any) -> t.Iterator[Document]:
    """What a host says may be anything, and any amount: what is not of its type, or too much, was not said."""
    for card in cards[:MOST_CARDS] if isinstance(cards, list) else ():
        if isinstance(card, dict) and isinstance(card.get("name"), str):
            keys = card.get("slots")
            said = words.plain_object({each: card[each] for each in _SHOWN if each in card}, _LONGEST)
            yield {
                "name": words.sentence(card["name"], _LONGEST),
                **{each: said[each] for each, types in _SHOWN.items() if isinstance(said.get(each), types)},
                "keys": [_shown_key(key) for key in keys[:MOST_KEYS] if _is_key(key)] if isinstance(keys, list) else [],
                "objections": words.sentences(card.get("objections"), _MOST_OBJECTIONS),
            }


def _is_key(key: t.Any) -> bool:
    return isinstance(key, dict) and isinstance(key.get("slot"), str)


def _shown_key(key: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    shown = {name: words.sentence(key.get(name), _LONGEST) for name in ("slot", "algorithm", "pin")}
    certificate = key.get("certificate")
    shown["certificate"] = certificate if isinstance(certificate, str) and _PEM.fullmatch(certificate) else ""
    return {name: value for name, value in shown.items() if value}


def _newest(certificates: t.Sequence[IssuedCertificate]) -> t.Optional[IssuedCertificate]:
    live = [each for each in certificates if not each.revoked_at] or certificates
    return live[-1] if live else None


def _on_card(certificates: t.Sequence[IssuedCertificate], pem: t.Optional[str]) -> t.Optional[IssuedCertificate]:
    return next((each for each in certificates if _is_on_card(each, pem)), None)


def _is_on_card(certificate: IssuedCertificate, pem: t.Optional[str]) -> bool:
    try:
        return bool(pem) and ssl.PEM_cert_to_DER_cert(str(pem)) == certificate.body
    except ValueError:
        return False


def _certificate(certificate: t.Optional[IssuedCertificate], at: datetime) -> Document:
    if certificate is None:
        return {"status": "none", "profile": None, "holder": None, "assurance": None, "not_after": None, "serial": None}
    return {
        "status": _status(certificate, at),
        "profile": certificate.profile,
        "holder": json.loads(certificate.identity)["common_name"],
        "assurance": certificate.assurance,
        "not_after": clock.text(clock.moment(certificate.not_after)),
        "serial": certificate.number,
        "evidence": certificate.evidence,
        "sha256": "" if certificate.is_closed else hashlib.sha256(certificate.body).hexdigest(),
    }


def _status(certificate: IssuedCertificate, at: datetime) -> str:
    if certificate.revoked_at:
        return "revoked"
    if certificate.not_after <= clock.stamp(at):
        return "expired"
    if not certificate.activated_at:
        return "unproven"
    return "due" if certificate.is_due(at) else "valid"


def _wanted_algorithm(key: t.Mapping[str, t.Any]) -> t.Any:
    """What the inventory says, right or wrong: enrolment refuses what is wrong."""
    try:
        return parse_algorithm(key.get("algorithm"), slot_number(key["slot"])).value
    except InputError:
        return key.get("algorithm")
