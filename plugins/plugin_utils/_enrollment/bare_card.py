# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that gets the certificate of its attestation key, and of keys no more than what attests them: an enrolment
without an owner.
"""

from __future__ import annotations

import hashlib
import ssl
import typing as t

from ...module_utils._card.edge import Edge, parse_algorithm
from ...module_utils._card.key import slot_number
from ...module_utils._encoding.evidence import Document
from .._ca import profiles
from .._ca.identity import COMMON_NAME_LENGTH, Identity
from .._ca.profile import Profile
from .._ledger.replacement import Replacement, read_fingerprint
from .wanted import CardToEnroll, KeyToCertify, WantedHost, held_by_tpm


def wanted(host: str, task: t.Mapping[str, t.Any], ca: t.Mapping[str, t.Any]) -> WantedHost:
    """Returns what is to be enrolled.

    :param task: of ``virtual_smartcard``
    :param ca: its ``attestation_ca``
    """
    ak_profile = profiles.SHIPPED[profiles.AK]
    card = CardToEnroll(
        name=task["name"],
        identity=Identity(host[:COMMON_NAME_LENGTH]),
        keys=tuple(_keys(task, profiles.for_attested_keys(ak_profile))),
        **held_by_tpm(task),
        task={},
        attested=True,
        needs_keys=False,
    )
    return WantedHost(
        host,
        (card,),
        ak_profile,
        (ca["ek"] or "").replace(":", "").lower(),
        _replacement(card.name, ca),
    )


def _keys(task: t.Mapping[str, t.Any], profile: Profile) -> t.Iterator[KeyToCertify]:
    """The keys of a card that has the command ATTEST."""
    for at, key in enumerate(task["keys"] or () if task["card_edge"] == Edge.PIV.value else ()):
        slot = slot_number(key["slot"], f"keys[{at}].slot")
        yield KeyToCertify(key["slot"], parse_algorithm(key["algorithm"], slot, f"keys[{at}].algorithm"), profile)


def _replacement(card: str, ca: t.Mapping[str, t.Any]) -> Replacement:
    goes = read_fingerprint(ca["replace_card"], "attestation_ca.replace_card")
    return Replacement(read_fingerprint(ca["replace_ek"], "attestation_ca.replace_ek"), {card: goes} if goes else {})


def answer(name: str, made: t.Mapping[str, t.Any]) -> Document:
    """Returns what a host says of its card as an enrolment reads it.

    :param made: the result of ``virtual_smartcard``, which may be anything
    """
    said = made.get("card")
    card: t.Mapping[str, t.Any] = said if isinstance(said, dict) else {}
    issuer, slots = _der(card.get("attestation_issuer")), card.get("slots")
    shown = [each for each in slots if isinstance(each, dict)] if isinstance(slots, list) else []
    attested = {str(each.get("reference")): _der(each.get("attestation")) for each in shown}
    held = {
        "name": name,
        "ak_certificate": _digest(_der(card.get("attestation_certificate"))),
        "attestations": {slot: _digest(der + issuer) for slot, der in attested.items() if der},
    }
    return {"cards": [held], "evidence": made.get("evidence")}


def _der(pem: t.Any) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem)
    except (ValueError, AttributeError, TypeError):
        return b""


def _digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest() if der else ""
