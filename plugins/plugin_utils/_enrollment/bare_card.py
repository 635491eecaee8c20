# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that gets no certificate but that of its attestation key: an enrolment that asks for no key's."""

from __future__ import annotations

import hashlib
import ssl
import typing as t

from ...module_utils._encoding.evidence import Document
from .._ca import profiles
from .._ca.identity import COMMON_NAME_LENGTH, Identity
from .._ledger.replacement import Replacement, read_fingerprint
from .wanted import CardToEnroll, WantedHost, held_by_tpm


def wanted(host: str, task: t.Mapping[str, t.Any], ca: t.Mapping[str, t.Any]) -> WantedHost:
    """Returns what is to be enrolled.

    :param task: of ``virtual_smartcard``
    :param ca: its ``attestation_ca``
    """
    card = CardToEnroll(
        name=task["name"],
        identity=Identity(host[:COMMON_NAME_LENGTH]),
        keys=(),
        **held_by_tpm(task),
        task={},
    )
    return WantedHost(
        host,
        (card,),
        profiles.SHIPPED[profiles.AK],
        (ca["ek"] or "").replace(":", "").lower(),
        _replacement(card.name, ca),
    )


def _replacement(card: str, ca: t.Mapping[str, t.Any]) -> Replacement:
    goes = read_fingerprint(ca["replace_card"], "attestation_ca.replace_card")
    return Replacement(read_fingerprint(ca["replace_ek"], "attestation_ca.replace_ek"), {card: goes} if goes else {})


def answer(name: str, made: t.Mapping[str, t.Any]) -> Document:
    """Returns what a host says of its card as an enrolment reads it.

    :param made: the result of ``virtual_smartcard``, which may be anything
    """
    card = made.get("card")
    held = card.get("attestation_certificate") if isinstance(card, dict) else None
    return {"cards": [{"name": name, "ak_certificate": _digest(held)}], "evidence": made.get("evidence")}


def _digest(pem: t.Any) -> str:
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    except (ValueError, AttributeError, TypeError):
        return ""
