# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key that signs evidence and decisions, for nothing else, and the certificate that says so.

It comes from the issuing CA's key by HKDF (RFC 5869), so every controller that holds that key has the same one, and
there is no further file to keep. From the key for evidence nothing leads back.
"""

from __future__ import annotations

import functools
import hashlib

from ...module_utils._cryptography import ec, hashes, x509
from ...module_utils._encoding import der
from .._ledger import clock
from . import keyfile
from .key_usage import key_usage
from .keyfile import SigningKey, signature_hash
from .oid import EVIDENCE_SIGNING
from .signer import Signer

_LABEL = b"hardbound.identity evidence"
_SERIAL_SIZE = 16
_SECRET_SIZE = 48
"""Bytes: 128 bits more than the order has, so that the remainder is even: NIST SP 800-56A revision 3, 5.6.1.2.1."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256: SEC 2 version 2, section 2.4.2."""
_USAGE = key_usage("digital_signature")


def derive(issuing: SigningKey) -> ec.EllipticCurvePrivateKey:
    """Returns a key on P-256 that the holder of the issuing CA's key can make again."""
    return _key(keyfile.derive(issuing, _LABEL, _SECRET_SIZE))


@functools.lru_cache(maxsize=4)
def _key(octets: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(octets, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def certify(issuer: Signer, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Certifies the key for evidence alone, for as long as the issuing CA's certificate lives."""
    start, end = clock.validity(issuer.certificate)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    purposes = der.sequence(der.oid(EVIDENCE_SIGNING))  # cryptography before 42 can't write an arc of 128 bits
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Enrolment evidence")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(own.digest).digest()[:_SERIAL_SIZE], "big") | 1)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, purposes), critical=False)
        .add_extension(issuer.authority_key, critical=False)
    )
    return builder.sign(issuer.key, signature_hash(issuer.key))


def sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """Returns an ECDSA signature with SHA-256, in DER."""
    return key.sign(content, ec.ECDSA(hashes.SHA256()))
