# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endorsement key: checks 1 to 6 and 18 of docs/attestation.md."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from ...module_utils._encoding.ek_template import TEMPLATES
from ...module_utils._encoding.evidence import Document, Evidence
from ...module_utils._encoding.public import Public
from . import structure
from .certificate import Certificate
from .der import DerError
from .ek_certificate import TpmIdentity, check_ek_certificate, check_manufacturer
from .finding import Code, Report
from .path import Path, find_path
from .request import EvidenceRequest
from .revocation import Lists, RevocationPolicy, check_revocation
from .trust import Trust


def _no_lists(url: str) -> t.Optional[bytes]:
    return None


@dataclass(frozen=True)
class TrustPolicy:
    """Whom the controller trusts.

    :param trust: the anchors
    :param revocation: what to do about revocation lists
    :param lists: where they come from
    """

    trust: Trust
    revocation: RevocationPolicy = RevocationPolicy.WHERE_REACHABLE
    lists: Lists = field(default=_no_lists)


@dataclass(frozen=True)
class Ek:
    """An endorsement key.

    :param fingerprint: SHA-256 of its SubjectPublicKeyInfo, in hex
    :param tpm: what its certificate says it is in, if it has one that can be read
    :param path: up to the anchor, if there is one
    """

    public: Public
    fingerprint: str
    tpm: t.Optional[TpmIdentity] = None
    path: t.Optional[Path] = None

    @classmethod
    def parse(cls, data: bytes) -> Ek:
        """:raises WireError: if it is no public area of a key"""
        public = Public.parse(data)
        return cls(public, hashlib.sha256(public.spki()).hexdigest())

    def document(self) -> Document:
        tpm = None if self.tpm is None else self.tpm.document()
        return {"fingerprint": self.fingerprint, "tpm": tpm, "issuers": self.path.titles if self.path else []}


def read_ek(evidence: Evidence, report: Report) -> t.Optional[Ek]:
    """Returns the EK as it is shown, or None if it can't be read."""
    return structure.read(lambda: Ek.parse(evidence.ek), "the EK", report)


def check_ek(
    ek: Ek, evidence: Evidence, request: EvidenceRequest, policy: TrustPolicy, now: datetime, report: Report
) -> Ek:
    """Returns the EK with what its certificate says of it. What is wrong goes into the report."""
    public = ek.public
    _check_template(ek, report)
    if request.ek:
        clause = f"the EK {ek.fingerprint} is not the one that the inventory names for {request.host}"
        report.demand(ek.fingerprint == request.ek, Code.EK_NOT_PINNED, clause)
    if not evidence.certificates:
        _check_uncertified(request, report)
        return ek
    certificate = _read(evidence.certificates[0], report)
    if certificate is None:
        return ek
    same = certificate.public_key.public_numbers() == public.public_key().public_numbers()
    report.demand(same, Code.EK_KEY_MISMATCH, "the EK is not the key in its certificate")
    tpm = check_ek_certificate(certificate, report)
    path = _check_path(certificate, evidence.certificates[1:], policy, now, report)
    if tpm is not None and path is not None:
        check_manufacturer(tpm, path.titles, report)
    return Ek(public, ek.fingerprint, tpm, path)


def _check_template(ek: Ek, report: Report) -> None:
    key = ek.public.public_key()
    report.demand(
        ek.public in [template.with_key(key) for template in TEMPLATES],
        Code.EK_TEMPLATE,
        "the EK has not the public area of any template of the TCG",
    )


def _check_uncertified(request: EvidenceRequest, report: Report) -> None:
    """That the inventory names the EK says which TPM it is; that it may do without a maker's word, each card says."""
    clause = "the TPM has no EK certificate, and none was found online or in the cache"
    refused = [card.name for card in request.cards if not card.uncertified_ek]
    if not request.ek or len(refused) == len(request.cards):
        report.refuse(Code.EK_CERTIFICATE_MISSING, clause)
        return
    for name in refused:
        report.about(name).refuse(Code.EK_CERTIFICATE_MISSING, f"{clause}, and a profile of the card asks for one")


def _read(data: bytes, report: Report) -> t.Optional[Certificate]:
    try:
        certificate = Certificate.parse(data)
        certificate.public_key  # noqa: B018
    except DerError as error:
        report.refuse(Code.EK_CERTIFICATE_MALFORMED, f"the EK certificate {error}")
        return None
    return certificate


def _check_path(
    certificate: Certificate, sent: t.Sequence[bytes], policy: TrustPolicy, now: datetime, report: Report
) -> t.Optional[Path]:
    path, faults = find_path(certificate, _readable(sent), policy.trust, now)
    for code, clause in faults:
        report.refuse(code, clause)
    if path is not None and not faults:
        check_revocation(path, policy.revocation, policy.lists, now, report)
    return path


def _readable(certificates: t.Sequence[bytes]) -> t.List[Certificate]:
    """What else lies in NV may be anything; what is no certificate helps nobody."""
    found = []
    for data in certificates:
        try:
            found.append(Certificate.parse(data))
        except DerError:
            continue
    return found
