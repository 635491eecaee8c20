# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another CA: a certification request goes out, a certificate comes back and is looked at as if we had made it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ...module_utils._cryptography import InvalidSignature, ec, padding, rsa, x509
from ...module_utils._encoding import der
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._encoding.tlv import encode
from .._ledger import clock
from .._ledger.refusal import Refusal, RefusalCode
from .certificate import PublicKey, extensions, load_public_key, subject
from .identity import Identity
from .oid import EXTENSION_REQUEST, NTDS_CA_SECURITY, Assurance
from .profile import Profile
from .signer import public_der

VERSION = 0
"""RFC 2986 section 4.1."""

NULL = b"\x05\x00"
LEAST_DIGEST = 32
"""Bytes of SHA-256. SHA-1 and MD5 say nothing about who signed."""

_SID = x509.ObjectIdentifier(NTDS_CA_SECURITY)


@dataclass(frozen=True)
class Asked:
    """What a request says beside the key: all of it from profile and inventory, so the host may get it beforehand.

    :param subject: Name, in DER
    :param attributes: ``[0]`` with the extensions that are asked for, in DER
    """

    subject: bytes
    attributes: bytes

    @classmethod
    def of(cls, profile: Profile, identity: Identity, is_rsa: bool) -> Asked:
        """:raises InputError: the identity lacks a name that the profile needs"""
        profile.check(identity)
        wanted = extensions(profile, identity, is_rsa, profile.assurance)
        encoded = der.sequence(*(_extension(value, critical) for value, critical in wanted))
        attribute = der.sequence(der.oid(EXTENSION_REQUEST), encode(der.Tag.SET, encoded))
        return cls(subject(identity).public_bytes(), der.explicit(0, attribute))


@dataclass(frozen=True)
class CertificateRequest:
    """A PKCS#10 request for an attested key, made here; the host adds but a signature.

    :param public_key: SubjectPublicKeyInfo in DER
    """

    profile: Profile
    identity: Identity
    public_key: bytes

    def unsigned(self) -> bytes:
        """Returns CertificationRequestInfo, RFC 2986 section 4.1: what the card's key has to sign.

        :raises InputError: the identity lacks a name that the profile needs
        """
        asked = Asked.of(self.profile, self.identity, self._is_rsa)
        return der.sequence(der.integer(VERSION), asked.subject, self.public_key, asked.attributes)

    @property
    def _is_rsa(self) -> bool:
        return isinstance(load_public_key(self.public_key), rsa.RSAPublicKey)

    def is_met_by(self, request: bytes) -> bool:
        """Whether this is what a request in DER asks for, signed by the attested key."""
        try:
            found = x509.load_der_x509_csr(request)
            return found.tbs_certrequest_bytes == self.unsigned() and bool(found.is_signature_valid)
        except ValueError:
            return False

    def signed(self, signature: bytes) -> bytes:
        """Returns the request in DER, after a look at the signature: that is the proof of possession.

        :param signature: PKCS#1 v1.5 with SHA-256, or ECDSA in DER with SHA-256 (P-384: SHA-384)
        :raises Refusal: the signature is not by the attested key over this request
        """
        algorithm = _signature_algorithm(load_public_key(self.public_key))
        request = der.sequence(self.unsigned(), algorithm, der.bits(signature))
        if not self.is_met_by(request):
            raise Refusal(RefusalCode.REQUEST_UNSIGNED, "the request for another CA is not signed by the attested key")
        return request

    def accept(self, answer: bytes, issuers: t.Sequence[x509.Certificate], at: datetime) -> x509.Certificate:
        """Checks what came back: signed by that CA, for the attested key, in force, with the names asked for.

        :param answer: DER or PEM
        :param issuers: certificates of the CA, one of which has signed the answer
        :raises Refusal: ``EXTERNAL_CERTIFICATE_WRONG``, says what differs
        """
        certificate = read_certificate(answer)
        if public_der(certificate.public_key()) != public_der(load_public_key(self.public_key)):
            raise _wrong("its key is not the attested key")
        digest = certificate.signature_hash_algorithm
        if digest is None or digest.digest_size < LEAST_DIGEST:
            raise _wrong("its signature is not made with SHA-2")
        if not any(_is_signed_by(certificate, issuer) for issuer in issuers):
            raise _wrong("none of the CA's certificates has signed it")
        start, end = clock.validity(certificate)
        if not start <= at < end:
            raise _wrong(f"it is in force from {clock.text(start)} to {clock.text(end)}, and now is {clock.text(at)}")
        self._check_extensions(certificate)
        return certificate

    def _check_extensions(self, certificate: x509.Certificate) -> None:
        try:
            found = _by_oid(each.value for each in certificate.extensions)
        except ValueError:
            raise _wrong("its extensions can't be read") from None
        wanted = extensions(self.profile, self.identity, self._is_rsa, Assurance.RESIDENT)
        asked = _by_oid(value for value, _critical in wanted)
        constraints = found.get(x509.BasicConstraints.oid)
        if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
            raise _wrong("it is a CA certificate")
        if found.get(_SID) != asked.get(_SID):
            raise _wrong("it does not carry the account's SID")
        if _members(found, x509.SubjectAlternativeName.oid) != _members(asked, x509.SubjectAlternativeName.oid):
            raise _wrong("its alternative names are not those that were asked for")
        if not _members(asked, x509.ExtendedKeyUsage.oid) <= _members(found, x509.ExtendedKeyUsage.oid):
            raise _wrong("it lacks an extended key usage that was asked for")
        common_names = {each.value for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
        if not _members(asked, x509.SubjectAlternativeName.oid) and self.identity.common_name not in common_names:
            raise _wrong("it names somebody else")  # Where there are other names, a CA may write its own subject.


Extensions = t.Dict[x509.ObjectIdentifier, x509.ExtensionType]


def _by_oid(values: t.Iterable[x509.ExtensionType]) -> Extensions:
    return {value.oid: value for value in values}


def _members(found: Extensions, oid: x509.ObjectIdentifier) -> t.Set[object]:
    """Returns the names or usages of an extension that is a list; an empty set where it is absent."""
    return set(t.cast(t.Iterable[object], found.get(oid, ())))


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Looks at name and signature; cryptography has its own function for it from 40 on alone."""
    key, digest = issuer.public_key(), certificate.signature_hash_algorithm
    if certificate.issuer != issuer.subject or digest is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    """Extension, RFC 5280 section 4.1; FALSE is the default, so DER leaves it out."""
    flag = b"\x01\x01\xff" if critical else b""
    return der.sequence(der.oid(value.oid.dotted_string), flag, der.octets(value.public_bytes()))


def _signature_algorithm(key: PublicKey) -> bytes:
    """AlgorithmIdentifier of a signature: RFC 4055 section 5 and RFC 5758 section 3.2."""
    algorithm = t.cast("KeyAlgorithm", KeyAlgorithm.of(key))  # load_public_key lets no other pass
    return der.sequence(der.oid(algorithm.signature), NULL if algorithm.is_rsa else b"")


def read_certificate(answer: bytes) -> x509.Certificate:
    """Reads DER, or the first certificate of a PEM file, whatever is told before it.

    :raises Refusal: ``EXTERNAL_CERTIFICATE_WRONG``, if there is none
    """
    try:
        if b"-----BEGIN" in answer:
            return x509.load_pem_x509_certificate(answer)
        return x509.load_der_x509_certificate(answer)
    except ValueError:
        raise _wrong("it is no X.509 certificate, in DER or PEM") from None


def _wrong(sentence: str) -> Refusal:
    return Refusal(
        RefusalCode.EXTERNAL_CERTIFICATE_WRONG, f"the certificate of the other CA is not accepted: {sentence}"
    )
