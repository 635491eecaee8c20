# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates as TPM makers write them: RFC 5280, read leniently where makers stray, verified strictly.

No release of cryptography reads all of them: names whose sets are not in order, a NULL after an
ECDSA algorithm. Here names stay raw, and a signature is checked over the bytes that came.
"""

from __future__ import annotations

import functools
import hashlib
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ...module_utils._cryptography import (
    InvalidSignature,
    UnsupportedAlgorithm,
    ec,
    hashes,
    padding,
    rsa,
    serialization,
)
from ...module_utils._encoding.der import Tag
from ...module_utils._encoding.ek_certificate import cut_certificate
from ...module_utils._encoding.key_algorithm import SignatureAlgorithm
from ...module_utils._encoding.public import PublicKey
from .der import DerError, Element, read
from .oid import ATTRIBUTE_TITLES, RSAES_OAEP, Extension

_EXTENSIONS = 0xA3
_VERSION = 0xA0
_LONGEST_PATH = 255
MIN_RSA_BITS = 2048
"""Of a key whose signature the verifier believes."""


class KeyUsage:
    """KeyUsage, RFC 5280 section 4.2.1.3: bits from the left of two bytes."""

    KEY_ENCIPHERMENT = 1 << 13
    KEY_AGREEMENT = 1 << 11
    KEY_CERT_SIGN = 1 << 10
    CRL_SIGN = 1 << 9


@dataclass(frozen=True)
class BasicConstraints:
    """RFC 5280 section 4.2.1.9."""

    ca: bool = False
    path_length: t.Optional[int] = None


@dataclass(frozen=True)
class ExtensionValue:
    critical: bool
    value: bytes


@dataclass(frozen=True)
class Signed:
    """What a certificate and a revocation list have in common: signed bytes, an algorithm, a signature."""

    content: bytes
    algorithm: str
    signature: bytes

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tells whether the key signed exactly these bytes. SHA-1 and short RSA keys never did."""
        if isinstance(key, rsa.RSAPublicKey):
            return key.key_size >= MIN_RSA_BITS and self._verify(key, _RSA.get(self.algorithm))
        return self._verify(key, _ECDSA.get(self.algorithm))

    def _verify(self, key: PublicKey, algorithm: t.Optional[hashes.HashAlgorithm]) -> bool:
        if algorithm is None:
            return False
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(self.signature, self.content, padding.PKCS1v15(), algorithm)
            else:
                key.verify(self.signature, self.content, ec.ECDSA(algorithm))
        except (InvalidSignature, ValueError):
            return False
        return True


_RSA: t.Dict[str, hashes.HashAlgorithm] = {
    SignatureAlgorithm.RSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.RSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.RSA_SHA512: hashes.SHA512(),
}
_ECDSA: t.Dict[str, hashes.HashAlgorithm] = {
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512(),
}


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    :param raw: all its bytes
    :param version: 3 for v3
    :param issuer: the raw Name
    :param subject: the raw Name
    :param spki: the raw SubjectPublicKeyInfo
    :param extensions: by object identifier
    """

    raw: bytes
    version: int
    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    spki: bytes
    extensions: t.Mapping[str, ExtensionValue]
    signed: Signed

    @classmethod
    def parse(cls, data: bytes) -> Certificate:
        """Returns a DER certificate.

        :raises DerError: if it is none
        """
        try:
            return cls._parse(data)
        except (ValueError, IndexError) as error:
            raise DerError(f"is no certificate: {error}") from None

    @classmethod
    def of_file(cls, data: bytes) -> Certificate:
        """Returns the DER certificate in a file, where makers may have put the end of a line behind it.

        :raises DerError: if it is none
        """
        certificate = cut_certificate(data)
        only = data.startswith(certificate) and not data[len(certificate) :].strip()
        return cls.parse(certificate if certificate and only else data)

    @classmethod
    def _parse(cls, data: bytes) -> Certificate:
        whole = read(data)
        body, algorithm, signature = whole.members()
        fields = body.members()
        version = fields.pop(0).first(_VERSION).integer() + 1 if fields[0].tag == _VERSION else 1
        serial, inner, issuer, validity, subject, spki, *rest = fields
        not_before, not_after = validity.members()
        if inner.raw != algorithm.raw:
            raise DerError("its two algorithms differ")
        return cls(
            raw=whole.raw,
            version=version,
            serial=serial.integer(),
            issuer=issuer.expect(Tag.SEQUENCE).raw,
            subject=subject.expect(Tag.SEQUENCE).raw,
            not_before=not_before.time(),
            not_after=not_after.time(),
            spki=spki.expect(Tag.SEQUENCE).raw,
            extensions=read_extensions(rest, _EXTENSIONS),
            signed=Signed(body.raw, algorithm.first().oid(), signature.whole_bytes()),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def public_key(self) -> PublicKey:
        """:raises DerError: if the key is malformed, or neither RSA nor ECC"""
        return load_key(self.spki)

    @property
    def title(self) -> str:
        """The subject for a person to read."""
        return name_text(self.subject)

    def extension(self, oid: str) -> t.Optional[Element]:
        """Returns what an extension holds, or None.

        :raises DerError: if it holds no DER
        """
        found = self.extensions.get(oid)
        return None if found is None else read(found.value)

    @property
    def basic_constraints(self) -> t.Optional[BasicConstraints]:
        """:raises DerError: if they are malformed"""
        found = self.extension(Extension.BASIC_CONSTRAINTS)
        if found is None:
            return None
        members = found.members()
        ca = bool(members) and members[0].tag == Tag.BOOLEAN and members.pop(0).boolean()
        length = members[0].integer() if members else None
        if length is not None and not 0 <= length <= _LONGEST_PATH:
            raise DerError("a path length is out of range")
        return BasicConstraints(ca, length)

    @property
    def key_usage(self) -> t.Optional[int]:
        """The bits of :class:`KeyUsage`, or None if any use is allowed.

        :raises DerError: if they are malformed
        """
        found = self.extension(Extension.KEY_USAGE)
        return None if found is None else int.from_bytes(found.bits()[:2].ljust(2, b"\0"), "big")

    @property
    def purposes(self) -> t.Optional[t.FrozenSet[str]]:
        """Extended key usages, or None if any is allowed.

        :raises DerError: if they are malformed
        """
        found = self.extension(Extension.EXTENDED_KEY_USAGE)
        return None if found is None else frozenset(member.oid() for member in found.members())


def read_extensions(fields: t.Sequence[Element], tag: int) -> t.Mapping[str, ExtensionValue]:
    """Returns the extensions among the last fields of a certificate or revocation list.

    :raises DerError: if they are malformed, or one comes twice
    """
    extensions: t.Dict[str, ExtensionValue] = {}
    for holder in (field for field in fields if field.tag == tag):
        for member in holder.first(tag).members():
            oid, *critical, value = member.members()
            name = oid.oid()
            if name in extensions:
                raise DerError(f"extension {name} comes twice")
            extensions[name] = ExtensionValue(
                bool(critical) and critical[0].boolean(), value.expect(Tag.OCTET_STRING).value
            )
    return extensions


@functools.lru_cache(maxsize=256)
def load_key(spki: bytes) -> PublicKey:
    """Returns the key of a SubjectPublicKeyInfo. OpenSSL takes longer to read one than to verify with it.

    :raises DerError: if it is malformed, or neither RSA nor ECC
    """
    try:
        algorithm, bits = read(spki).pair()
        if algorithm.first().oid() == RSAES_OAEP:
            modulus, exponent = read(bits.whole_bytes()).pair()
            return rsa.RSAPublicNumbers(exponent.integer(), modulus.integer()).public_key()
        key = serialization.load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DerError("holds no usable public key") from None
    if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return key
    raise DerError("holds a public key that is neither RSA nor ECC")


def name_attributes(name: Element) -> t.List[t.Tuple[str, str]]:
    """Returns the attributes of a Name as (object identifier, text), in their order.

    :raises DerError: if it is no Name
    """
    attributes = []
    for relative in name.members():
        for attribute in relative.members(Tag.SET):
            kind, value = attribute.pair()
            attributes.append((kind.oid(), value.value.decode("utf-8", "replace")))
    return attributes


def name_text(raw: bytes) -> str:
    """Returns a raw Name for a person to read, in one line without control characters."""
    try:
        attributes = name_attributes(read(raw))
    except ValueError:
        return "a malformed name"
    text = ", ".join(f"{ATTRIBUTE_TITLES.get(kind, kind)}={value}" for kind, value in attributes)
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200] or "an empty name"


def name_key(raw: bytes) -> t.Tuple[t.Tuple[str, str], ...]:
    """Returns what two Names have in common that mean the same, however their strings are encoded.

    RFC 5280 section 7.1: case and runs of spaces do not count.

    :raises DerError: if it is no Name
    """
    return tuple((kind, " ".join(value.split()).casefold()) for kind, value in name_attributes(read(raw)))
