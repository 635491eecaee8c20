# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revocation lists of TPM makers: RFC 5280 section 5; check 3 of docs/attestation.md."""

from __future__ import annotations

import enum
import functools
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ...module_utils._encoding.der import Tag
from ...module_utils._encoding.public import PublicKey
from .certificate import Certificate, ExtensionValue, Signed, name_key, read_extensions
from .der import DerError, Element, read
from .finding import Code, Report
from .oid import Extension
from .path import Path

_EXTENSIONS = 0xA0
_FULL_NAME = 0xA0
_URI = 0x86
_MOST_URLS = 8

Lists = t.Callable[[str], t.Optional[bytes]]
"""Returns the revocation list at a URL in DER, from a cache or the network, or None if it can't be had."""


class RevocationPolicy(str, enum.Enum):
    """What to do about revocation lists."""

    OFF = "off"
    WHERE_REACHABLE = "where_reachable"
    REQUIRED = "required"


@dataclass(frozen=True)
class RevocationList:
    """A CertificateList.

    :param revoked: serial numbers
    :param next_update: when a newer list is due, or None if the list does not say
    """

    issuer: bytes
    this_update: datetime
    next_update: t.Optional[datetime]
    revoked: t.FrozenSet[int]
    extensions: t.Mapping[str, ExtensionValue]
    signed: Signed

    @classmethod
    def parse(cls, data: bytes) -> RevocationList:
        """Returns a DER revocation list.

        :raises DerError: if it is none
        """
        try:
            return _parse(data)
        except (ValueError, IndexError) as error:
            raise DerError(f"is no revocation list: {error}") from None

    def fault(self, certificate: Certificate, issuer: PublicKey, now: datetime) -> str:
        """Returns why the list can't be used for a certificate, or an empty text."""
        if name_key(self.issuer) != name_key(certificate.issuer) or not self.signed.is_signed_by(issuer):
            return "is not by the certificate's issuer"
        if now < self.this_update or (self.next_update is not None and now > self.next_update):
            return "is not valid now"
        if any(extension.critical for extension in self.extensions.values()):
            return "covers only a part of the issuer's certificates"
        return ""


@functools.lru_cache(maxsize=64)
def _parse(data: bytes) -> RevocationList:
    body, algorithm, signature = read(data).members()
    fields = body.members()
    if fields[0].tag == Tag.INTEGER:
        fields.pop(0)
    _unused, issuer, this_update, *rest = fields
    times = rest[:1] if rest and rest[0].tag in (Tag.UTC_TIME, Tag.GENERALIZED_TIME) else []
    entries = next((field for field in rest if field.tag == Tag.SEQUENCE), None)
    return RevocationList(
        issuer=issuer.expect(Tag.SEQUENCE).raw,
        this_update=this_update.time(),
        next_update=times[0].time() if times else None,
        revoked=frozenset(entry.first().integer() for entry in entries.members()) if entries else frozenset(),
        extensions=read_extensions(rest, _EXTENSIONS),
        signed=Signed(body.raw, algorithm.first().oid(), signature.whole_bytes()),
    )


def list_urls(certificate: Certificate) -> t.List[str]:
    """Returns the HTTP addresses of a certificate's revocation lists; RFC 5280 section 4.2.1.13.

    :raises DerError: if the extension is malformed
    """
    points = certificate.extension(Extension.CRL_DISTRIBUTION_POINTS)
    urls: t.List[str] = []
    for point in points.members() if points is not None else []:
        urls += [name.value.decode("ascii", "replace") for name in _full_names(point) if name.tag == _URI]
    return [url for url in urls if url.lower().startswith(("http://", "https://"))][:_MOST_URLS]


def _names_list(certificate: Certificate) -> bool:
    return certificate.extension(Extension.CRL_DISTRIBUTION_POINTS) is not None


def _full_names(point: Element) -> t.List[Element]:
    for part in point.members():
        if part.tag == _FULL_NAME:
            choice = part.first(_FULL_NAME)
            return choice.members(_FULL_NAME) if choice.tag == _FULL_NAME else []
    return []


def check_revocation(path: Path, policy: RevocationPolicy, lists: Lists, now: datetime, report: Report) -> None:
    """Looks up each certificate of a path that says where its revocation list is."""
    if policy is RevocationPolicy.OFF:
        return
    for certificate, issuer in path.issuers:
        _check_one(certificate, issuer, policy, lists, now, report)


def _check_one(
    certificate: Certificate, issuer: PublicKey, policy: RevocationPolicy, lists: Lists, now: datetime, report: Report
) -> None:
    try:
        urls = list_urls(certificate)
    except DerError:
        report.refuse(Code.EK_REVOCATION_UNKNOWN, f'"{certificate.title}" does not say legibly where its list is')
        return
    fault = "" if urls or not _names_list(certificate) else f'"{certificate.title}" has its list where no HTTP leads'
    for url in urls:
        found, fault = _fetch(url, certificate, issuer, lists, now)
        if found is not None:
            clause = f'"{certificate.title}" with serial number {certificate.serial:x} is revoked'
            report.demand(certificate.serial not in found.revoked, Code.EK_REVOKED, clause)
            return
    if fault and policy is RevocationPolicy.REQUIRED:
        report.refuse(Code.EK_REVOCATION_UNKNOWN, fault)
    elif fault:
        report.warnings.append(f"{fault}.")


def _fetch(
    url: str, certificate: Certificate, issuer: PublicKey, lists: Lists, now: datetime
) -> t.Tuple[t.Optional[RevocationList], str]:
    data = lists(url)
    if data is None:
        return None, f"the revocation list {url} can't be had"
    try:
        found = RevocationList.parse(data)
        fault = found.fault(certificate, issuer, now)
    except DerError as error:
        fault = str(error)
    return (None, f"the revocation list {url} {fault}") if fault else (found, "")
