# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certification requests that a card's key signs: PKCS #10, RFC 2986."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .._cryptography import serialization, x509
from .._encoding import der, other_name, tlv
from .._errors import InputError
from .card import Card
from .certificate import resigned, stand_in
from .signature import sign_message

UPN = x509.ObjectIdentifier(other_name.UPN)
"""User principal name, an otherName: Microsoft's smart card logon reads it."""

_ATTRIBUTES: t.Mapping[str, x509.ObjectIdentifier] = {
    "C": x509.oid.NameOID.COUNTRY_NAME,
    "ST": x509.oid.NameOID.STATE_OR_PROVINCE_NAME,
    "L": x509.oid.NameOID.LOCALITY_NAME,
    "O": x509.oid.NameOID.ORGANIZATION_NAME,
    "OU": x509.oid.NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": x509.oid.NameOID.COMMON_NAME,
    "DC": x509.oid.NameOID.DOMAIN_COMPONENT,
    "UID": x509.oid.NameOID.USER_ID,
    "GN": x509.oid.NameOID.GIVEN_NAME,
    "SN": x509.oid.NameOID.SURNAME,
    "serialNumber": x509.oid.NameOID.SERIAL_NUMBER,
    "emailAddress": x509.oid.NameOID.EMAIL_ADDRESS,
}


def _user_principal_name(value: str) -> x509.GeneralName:
    return x509.OtherName(UPN, tlv.encode(der.Tag.UTF8_STRING, value.encode()))


_KINDS: t.Mapping[str, t.Callable[[str], x509.GeneralName]] = {
    "dns": x509.DNSName,
    "email": x509.RFC822Name,
    "ip": lambda value: x509.IPAddress(ipaddress.ip_address(value)),
    "upn": _user_principal_name,
    "uri": x509.UniformResourceIdentifier,
}


def parse_subject(attributes: t.Mapping[str, t.Any], field: str) -> x509.Name:
    """Reads a distinguished name from its attributes, in their order; a value may be a list.

    :raises InputError: for an unknown attribute or a value that it does not take
    """
    found = []
    for name, given in attributes.items():
        if name not in _ATTRIBUTES:
            fault = f"has the attribute {name!r}, which is not known"
            raise InputError(field, fault, f"choose from {', '.join(_ATTRIBUTES)}")
        for value in given if isinstance(given, list) else [given]:
            try:
                found.append(x509.NameAttribute(_ATTRIBUTES[name], str(value)))
            except ValueError as error:
                raise InputError(f"{field}.{name}", f"is {value!r}", f"correct it: {error}") from None
    if not found:
        raise InputError(field, "is empty", "name at least the CN")
    return x509.Name(found)


def parse_alternative_names(texts: t.Sequence[str], field: str) -> t.Tuple[x509.GeneralName, ...]:
    """Reads names such as ``upn:alice@corp.example``.

    :raises InputError: for a name of another form
    """
    return tuple(_alternative_name(text, f"{field}[{position}]") for position, text in enumerate(texts))


def _alternative_name(text: str, field: str) -> x509.GeneralName:
    kind, colon, value = text.partition(":")
    make = _KINDS.get(kind.lower())
    if make is None or not colon or not value:
        remedy = f"write one of {', '.join(_KINDS)}, a colon, and the name"
        raise InputError(field, f"is {text!r}, which is no known kind of name", remedy)
    try:
        return make(value)
    except ValueError as error:
        raise InputError(field, f"is {text!r}", f"correct it: {error}") from None


@dataclass(frozen=True)
class RequestSpecification:
    """Whom a certificate shall name."""

    subject: x509.Name
    alternative_names: t.Tuple[x509.GeneralName, ...] = ()

    def is_met_by(self, request: x509.CertificateSigningRequest, public_key: bytes) -> bool:
        """Whether a request asks for just this, for the key with this DER SubjectPublicKeyInfo, signed by that key."""
        spki = request.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        asked = (request.subject, [extension.value for extension in request.extensions])
        return request.is_signature_valid and spki == public_key and asked == (self.subject, self._extensions)

    @property
    def _extensions(self) -> t.List[x509.ExtensionType]:
        return [x509.SubjectAlternativeName(self.alternative_names)] if self.alternative_names else []

    def sign(self, card: Card, slot: int) -> bytes:
        """Returns the request, DER, signed by the key in a slot.

        :raises NoSuchKey, NotVerified: as :meth:`Card.sign`
        """
        key = card.keys()[slot]
        builder = x509.CertificateSigningRequestBuilder().subject_name(self.subject)
        for extension in self._extensions:
            builder = builder.add_extension(extension, critical=False)
        draft = builder.sign(stand_in(key.algorithm), key.algorithm.hash)
        version, subject, _unused, attributes = tlv.parse(tlv.parse_one(draft.tbs_certrequest_bytes, der.Tag.SEQUENCE))
        parts = (tlv.encode(each.tag, each.value) for each in (version, subject, attributes))
        info = _info(key.public, *parts)
        return resigned(draft.public_bytes(serialization.Encoding.DER), info, card, slot)


def sign_asked(card: Card, slot: int, subject: bytes, attributes: bytes) -> bytes:
    """Returns the signature, as X.509 carries it, of the key in a slot over a request that somebody else words.

    :param subject: Name, in DER
    :param attributes: ``[0]``, in DER
    :raises NoSuchKey, NotVerified: as :meth:`Card.sign`
    """
    version = der.integer(0)
    return sign_message(card, slot, _info(card.keys()[slot].public, version, subject, attributes))


def _info(public_key: bytes, version: bytes, subject: bytes, attributes: bytes) -> bytes:
    """CertificationRequestInfo, RFC 2986 section 4.1."""
    return der.sequence(version, subject, public_key, attributes)
