# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of a card's keys: those that a key signs itself, so that clients see it before a CA has certified it,
and those that come from a CA.
"""

from __future__ import annotations

import datetime
import typing as t

from .._cryptography import ec, hashes, rsa, serialization, x509
from .._encoding import der, tlv
from .._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from .._errors import InputError
from .card import Card
from .key import slot_name
from .signature import sign_message
from .specification import KeySpecification

VALIDITY = datetime.timedelta(days=3650)
_STAND_IN_BITS = 1024


def self_signed(card: Card, slot: int, now: t.Optional[datetime.datetime] = None) -> bytes:
    """Returns a DER certificate of a slot's key, signed by that key; it names card and slot and vouches for nobody.

    :raises NoSuchKey, NotVerified: as :meth:`Card.sign`
    """
    key = card.keys()[slot]
    start = now or datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    name = x509.Name(
        [
            x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, card.name[:64]),
            x509.NameAttribute(x509.oid.NameOID.ORGANIZATIONAL_UNIT_NAME, slot_name(slot)),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(t.cast("rsa.RSAPublicKey", serialization.load_der_public_key(key.public)))
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    draft = builder.sign(stand_in(key.algorithm), key.algorithm.hash)
    return resigned(draft.public_bytes(serialization.Encoding.DER), draft.tbs_certificate_bytes, card, slot)


def make_shown_key(card: Card, wanted: KeySpecification) -> None:
    """Makes a key in an empty slot, and the certificate that clients want to see, if it shall sign one: both or none.

    :raises NotVerified, NotOffered: as :meth:`Card.make_key`
    :raises CardFull: if there is no room for the certificate
    """
    card.make_key(wanted, (lambda: self_signed(card, wanted.slot)) if wanted.self_signed else None)


def resigned(draft: bytes, to_be_signed: bytes, card: Card, slot: int) -> bytes:
    """Returns a signed DER structure with its signature replaced by the card's.

    The library signs with its own keys only, so it signs a draft with a stand-in of the same type.
    """
    algorithm = tlv.parse(tlv.parse_one(draft, der.Tag.SEQUENCE))[1]
    signature = sign_message(card, slot, to_be_signed)
    return der.sequence(to_be_signed, der.sequence(algorithm.value), der.bits(signature))


def stand_in(algorithm: KeyAlgorithm) -> t.Any:
    """Returns a key of the same type, for drafts that the card signs anew."""
    if algorithm.curve is None:
        return rsa.generate_private_key(EXPONENT, _STAND_IN_BITS)
    return ec.generate_private_key(algorithm.curve.elliptic)


class ExternalCertificate:
    """A certificate that was made elsewhere.

    :param der: as :func:`parse` returned it
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        self._certificate = x509.load_der_x509_certificate(der)

    @classmethod
    def parse(cls, pem: str, field: str) -> ExternalCertificate:
        """Reads one certificate: PEM, RFC 7468.

        :raises InputError: if it is none, or more than one
        """
        if pem.count("-----BEGIN CERTIFICATE-----") != 1:
            fault = "does not hold exactly one certificate in PEM"
            raise InputError(field, fault, "give the card's own certificate, without those of the CAs")
        try:
            found = cls(x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER))
            found.public_key()
        except ValueError as error:
            raise InputError(field, "can't be read as a certificate", "give one in PEM, as the CA issued it") from error
        return found

    def public_key(self) -> bytes:
        """Returns the DER SubjectPublicKeyInfo.

        :raises ValueError: for a kind of key that the library does not know
        """
        return self._certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def describe(self) -> t.Dict[str, t.Any]:
        """Returns what a person wants to know: names as in RFC 4514, times in UTC."""
        found = self._certificate
        return {
            "subject": found.subject.rfc4514_string(),
            "issuer": found.issuer.rfc4514_string(),
            "serial_number": f"{found.serial_number:x}",
            "not_before": _utc(found, "not_valid_before"),
            "not_after": _utc(found, "not_valid_after"),
            "fingerprint_sha256": found.fingerprint(hashes.SHA256()).hex(),
        }


def _utc(certificate: x509.Certificate, field: str) -> str:
    """Release 42 of the library has another property, and deprecates the one that release 38 has."""
    time = getattr(certificate, f"{field}_utc", None) or getattr(certificate, field)
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
