# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate of a card, as its owner has to know it: whose it is, when it ends, whether it was revoked."""

from __future__ import annotations

import datetime
import re
import typing as t

from .._cryptography import UnsupportedAlgorithm, serialization, x509
from .._encoding.owner_call import Message, bytes_of

REVOCATION_LISTS = "/etc/sssd/hardbound/crls.pem"
"""Where the role smartcard_login keeps what its timer fetches, from CAs whose signatures it has checked."""
_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\n?", re.DOTALL)

_UNREADABLE = "can't be read"

Lists = t.List["x509.CertificateRevocationList"]


class UnreadableCertificate:
    """What some program wrote where a certificate belongs, and which is none that can be read."""

    def told(self) -> Message:
        """Returns what programs read of it."""
        return {"fault": _UNREADABLE}

    def said(self, _now: datetime.datetime) -> str:
        """Returns what people read of it."""
        return "a certificate that can NOT BE READ"

    def fault(self, _now: datetime.datetime) -> t.Optional[str]:
        """Returns what is wrong with it."""
        return _UNREADABLE

    def coming(self, now: datetime.datetime, _limit: datetime.datetime) -> t.Optional[str]:
        """Returns what its owner has to see to."""
        return self.fault(now)


class CertificateState(t.NamedTuple):
    """:param revoked: None where the host has no list of its CA that the caller may read
    :param fits: whether it is about the slot's key
    """

    subject: str
    begins: datetime.datetime
    ends: datetime.datetime
    revoked: t.Optional[bool]
    fits: bool

    def told(self) -> Message:
        """Returns what programs read of it."""
        return {**self._asdict(), "begins": self.begins.isoformat(), "ends": self.ends.isoformat()}

    def said(self, now: datetime.datetime) -> str:
        """Returns what people read of it."""
        words = {True: "REVOKED", False: "not revoked", None: "whether it was revoked is not known here"}
        ends = f"ENDED on {self.ends:%Y-%m-%d}" if now >= self.ends else f"ends on {self.ends:%Y-%m-%d}"
        return f"{self.subject}, {ends}, {words[self.revoked]}" + ("" if self.fits else ", and is for ANOTHER KEY")

    def fault(self, now: datetime.datetime) -> t.Optional[str]:
        """Returns what is wrong with it, if anything is."""
        if not self.fits:
            return "is for another key"
        if self.revoked:
            return "was revoked"
        if now < self.begins:
            return f"begins on {self.begins:%Y-%m-%d}"
        return f"ended on {self.ends:%Y-%m-%d}" if now >= self.ends else None

    def coming(self, now: datetime.datetime, limit: datetime.datetime) -> t.Optional[str]:
        """Returns what its owner has to see to by then, if anything."""
        return self.fault(now) or (f"ends on {self.ends:%Y-%m-%d}" if self.ends <= limit else None)


def state_of(key: Message, lists: Lists) -> t.Union[CertificateState, UnreadableCertificate, None]:
    """Returns the state of a key's certificate, or None where there is none."""
    if key["certificate"] is None:
        return None
    try:
        return _read(bytes_of(key["certificate"]), bytes_of(key["public"]), lists)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # as cryptography has it for what it can't read
        return UnreadableCertificate()


def _read(data: bytes, key: bytes, lists: Lists) -> CertificateState:
    """:param data: DER
    :param key: SubjectPublicKeyInfo, DER
    :raises ValueError: if it is no certificate; TypeError, UnsupportedAlgorithm: if cryptography knows no such
    """
    certificate = x509.load_der_x509_certificate(data)
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return CertificateState(
        certificate.subject.rfc4514_string(),
        _moment(certificate, "not_valid_before"),
        _moment(certificate, "not_valid_after"),
        _revoked(certificate, lists),
        public == key,
    )


def _moment(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """cryptography has times with a zone since 42."""
    found = getattr(certificate, name + "_utc", None)
    return t.cast(datetime.datetime, found or getattr(certificate, name).replace(tzinfo=datetime.timezone.utc))


def _revoked(certificate: x509.Certificate, lists: Lists) -> t.Optional[bool]:
    """A list is as good as the host's own sign-in takes it: its end is the timer's to complain of."""
    of_issuer = [each for each in lists if each.issuer == certificate.issuer]
    if not of_issuer:
        return None
    number = certificate.serial_number
    return any(each.get_revoked_certificate_by_serial_number(number) is not None for each in of_issuer)


def revocation_lists(path: str = REVOCATION_LISTS) -> Lists:
    """Returns the host's lists, none where it keeps none or keeps them to itself."""
    try:
        with open(path, "rb") as file:
            return [x509.load_pem_x509_crl(each) for each in _PEM.findall(file.read())]
    except (OSError, ValueError):
        return []
