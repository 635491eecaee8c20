# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever signs certificates, lists or evidence: a certificate with its private key."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field

from ...module_utils._cryptography import serialization, x509
from .keyfile import SigningKey


@dataclass(frozen=True)
class Signer:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)

    @property
    def identifier(self) -> str:
        return identifier(self.certificate)

    @property
    def authority_key(self) -> x509.AuthorityKeyIdentifier:
        """What stands in everything that this key signs: RFC 5280 section 4.2.1.1."""
        subject_key = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)


def identifier(certificate: x509.Certificate) -> str:
    """Returns SHA-256 of the certificate's SubjectPublicKeyInfo, in hexadecimal."""
    return hashlib.sha256(public_der(certificate.public_key())).hexdigest()


def public_der(key: t.Any) -> bytes:
    """Returns SubjectPublicKeyInfo of a public key."""
    encoded: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded
