# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roots and intermediates as makers of TPMs have them, with their peculiarities, made here.

``HARDBOUND_EK_ANCHORS`` may name a folder with ``roots.pem`` and ``intermediates.pem`` of real makers; tests that take
:data:`FOLDERS` are run with these too then.
"""

from __future__ import annotations

import datetime
import functools
import os
import pathlib
import ssl
import typing as t

from ansible_collections.hardbound.identity.tests.support.forge import PrivateKey, usage
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Digest = t.Union[hashes.SHA256, hashes.SHA384, hashes.SHA512]

_START = datetime.datetime(2014, 1, 1)
_END = datetime.datetime(2044, 1, 1)
_AFTER_2049 = datetime.datetime(2064, 1, 1)  # a GeneralizedTime, RFC 5280 section 4.1.2.5
_NEVER = datetime.datetime(9999, 12, 31, 23, 59, 59)  # no end: RFC 5280 section 4.1.2.5
_KINDS = ((NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Maker"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "TPM"))


def name(title: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> x509.Name:
    """A maker's name, each part in a string of this kind but the country, which is always a PrintableString."""
    values = (*_KINDS, (NameOID.COMMON_NAME, title))
    printable = {NameOID.COUNTRY_NAME: _ASN1Type.PrintableString}
    return x509.Name([x509.NameAttribute(oid, value, printable.get(oid, kind)) for oid, value in values])


class Maker:
    """A root and an intermediate below it, as DER.

    :param written: how the intermediate writes the root's name as that of its issuer
    """

    def __init__(
        self,
        title: str,
        key: PrivateKey,
        digest: Digest,
        end: datetime.datetime = _END,
        root_name: t.Optional[x509.Name] = None,
        written: t.Optional[x509.Name] = None,
        serial: int = 1,
        critical_usage: bool = True,
        policies_critical: bool = False,
    ) -> None:
        self.key, self.digest = key, digest
        own = root_name or name(title)
        root = self._builder(own, own, key, serial, end)
        root = root.add_extension(usage("key_cert_sign", "crl_sign"), critical_usage)
        self.root = root.sign(key, digest).public_bytes(Encoding.DER)
        below = self._builder(name(f"{title} Intermediate"), written or own, _same_kind(key), serial + 1, end)
        below = below.add_extension(usage("key_cert_sign", "crl_sign"), True)
        below = below.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        below = below.add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.133.2.99"), None)]),
            policies_critical,
        )
        below = below.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)
        self.intermediate = below.sign(key, digest).public_bytes(Encoding.DER)

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: PrivateKey, serial: int, end: datetime.datetime
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial, _START, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)

    def rewrite(self, change: t.Callable[[bytes], bytes]) -> None:
        """Changes the bytes of both certificates to what no library would write, and signs them again.

        :param change: takes the content of what is signed, and the algorithm's identifier
        """
        self.root, self.intermediate = (self._signed(each, change) for each in (self.root, self.intermediate))

    def _signed(self, certificate: bytes, change: t.Callable[[bytes], bytes]) -> bytes:
        body, algorithm, _signature = _elements(_inside(certificate))
        body = _sequence(change(_inside(body)))
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        signature = self.key.sign(body, ec.ECDSA(self.digest))
        return _sequence(body + change(algorithm) + _element(0x03, b"\0" + signature))


def _same_kind(key: PrivateKey) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(key.curve)


@functools.cache
def makers() -> t.Dict[str, Maker]:
    """Returns a maker for each peculiarity that was seen on real ones."""
    p256, p384, p521 = (ec.generate_private_key(curve()) for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1))
    rsa_2048, rsa_4096 = (rsa.generate_private_key(65537, bits) for bits in (2048, 4096))
    printable = _ASN1Type.PrintableString
    return {
        "RSA-2048": Maker("RSA", rsa_2048, hashes.SHA256()),
        "RSA-4096 with SHA-384, in force for ever": Maker("Large RSA", rsa_4096, hashes.SHA384(), _NEVER),
        "P-256, a serial number of 20 bytes": Maker("P-256", p256, hashes.SHA256(), serial=(1 << 158) + 1),
        "P-384, beyond 2049": Maker("P-384", p384, hashes.SHA384(), _AFTER_2049),
        "P-521": Maker("P-521", p521, hashes.SHA512()),
        "key usage that is not critical": Maker("Usage", p256, hashes.SHA256(), critical_usage=False),
        "policies that are critical": Maker("Policies", p384, hashes.SHA384(), policies_critical=True),
        "a name in strings of another kind": Maker(
            "Strings", p256, hashes.SHA256(), root_name=name("Strings", printable), written=name("Strings")
        ),
        "the first of two roots of one name": Maker("Twice", p384, hashes.SHA384()),
        "the second of them": Maker("Twice", ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        "a name of one part with a set out of order": _out_of_order(p256),
        "an ECDSA algorithm with NULL behind it": _with_null(p384),
    }


def _out_of_order(key: ec.EllipticCurvePrivateKey) -> Maker:
    """X.690 section 11.6 wants the elements of a SET in order."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, "Set"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker")]
    whole = x509.Name([x509.RelativeDistinguishedName(parts)])
    made = Maker("Set", key, hashes.SHA256(), root_name=whole)
    inside = _inside(_inside(whole.public_bytes()))
    first, second = _elements(inside)
    made.rewrite(lambda body: body.replace(inside, second + first))
    return made


def _with_null(key: ec.EllipticCurvePrivateKey) -> Maker:
    """RFC 5758 section 3.2 wants no parameters."""
    made = Maker("Null", key, hashes.SHA384())
    algorithm = bytes.fromhex("300a06082a8648ce3d040303")

    made.rewrite(lambda body: body.replace(algorithm, _sequence(_inside(algorithm) + bytes.fromhex("0500"))))
    return made


# DER, as little as it takes: X.690 section 8.1.


def _element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def _sequence(content: bytes) -> bytes:
    return _element(0x30, content)


def _split(data: bytes) -> t.Tuple[bytes, bytes, bytes]:
    """Returns the first element, its content, and what follows."""
    start, length = 2, data[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    return data[: start + length], data[start : start + length], data[start + length :]


def _inside(data: bytes) -> bytes:
    return _split(data)[1]


def _elements(data: bytes) -> t.List[bytes]:
    found = []
    while data:
        element, _content, data = _split(data)
        found.append(element)
    return found


# Files.


def _pem(certificates: t.Iterable[bytes]) -> str:
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates))


def write(folder: pathlib.Path) -> pathlib.Path:
    """Writes all roots and intermediates, as a folder of anchors has them."""
    (folder / "roots.pem").write_text(_pem(each.root for each in makers().values()))
    (folder / "intermediates.pem").write_text(_pem(each.intermediate for each in makers().values()))
    return folder


REAL = os.environ.get("HARDBOUND_EK_ANCHORS", "")
FOLDERS = ["made here", *([REAL] if REAL else [])]
