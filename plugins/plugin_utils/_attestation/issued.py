# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for keys that were attested: checks 15 and 16 of docs/attestation.md."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ...module_utils._encoding.public import Public
from .._ca import ssh
from .._ca.certificate import load_public_key
from .._ca.oid import Purpose
from .certificate import BasicConstraints, Certificate
from .der import DerError
from .finding import Code, Report
from .key import VerifiedKey
from .path import find_path
from .trust import Trust


def check_certificate(data: bytes, key: VerifiedKey, report: Report) -> None:
    """Refuses a DER certificate that is not for the attested key, whoever issued it."""
    try:
        fits = Certificate.parse(data).spki == key.spki
    except DerError as error:
        report.refuse(Code.CERTIFICATE_OTHER_KEY, f"the certificate for the key {key.slot} {error}")
        return
    clause = f"the certificate for the key {key.slot} is for another key than the one attested"
    report.demand(fits, Code.CERTIFICATE_OTHER_KEY, clause)


def check_ssh_certificate(line: bytes, key: VerifiedKey, report: Report) -> None:
    """Refuses an OpenSSH certificate that is not for the attested key."""
    clause = f"the OpenSSH certificate for the key {key.slot} is for another key than the one attested"
    report.demand(ssh.is_for(line, load_public_key(key.spki)), Code.CERTIFICATE_OTHER_KEY, clause)


def check_ak_certificate(
    data: bytes, ak: Public, ours: Trust, is_revoked: t.Callable[[int], bool], now: datetime, report: Report
) -> None:
    """Looks at the AK certificate that an earlier enrolment gave out.

    :param data: DER
    :param ak: the AK that the card shows now; the ledger says that it is this host's and card's
    :param ours: our own CAs
    :param is_revoked: looks a serial number up in the ledger
    """
    try:
        certificate = Certificate.parse(data)
        constraints = certificate.basic_constraints or BasicConstraints()
        purposes = certificate.purposes or frozenset()
    except DerError as error:
        report.refuse(Code.AK_CERTIFICATE_MALFORMED, f"the AK certificate {error}")
        return
    fits = Purpose.AK_CERTIFICATE.value in purposes and not constraints.ca
    report.demand(fits, Code.AK_CERTIFICATE_PURPOSE, "the AK certificate is not for an AK")
    valid = certificate.not_before <= now <= certificate.not_after
    clause = f"the AK certificate is valid from {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
    report.demand(valid, Code.AK_CERTIFICATE_EXPIRED, clause)
    _unused, faults = find_path(certificate, (), ours, min(max(now, certificate.not_before), certificate.not_after))
    report.demand(not faults, Code.AK_CERTIFICATE_ISSUER, "the AK certificate is not by our CA")
    clause = f"the AK certificate with serial number {certificate.serial:x} is revoked"
    report.demand(not is_revoked(certificate.serial), Code.AK_CERTIFICATE_REVOKED, clause)
    clause = "the AK certificate is for the AK of another card"
    report.demand(certificate.spki == ak.spki(), Code.AK_CERTIFICATE_OTHER_CARD, clause)
