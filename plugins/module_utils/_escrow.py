# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that a host hands out for one reader alone: JSON Web Encryption, compact serialization (RFC 7516).

RSA keys take RSA-OAEP-256, those of NIST's curves and X25519 (RFC 8037) ECDH-ES; the content is under AES-256-GCM.
Any program that knows JWE opens it. cryptography is imported on use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import typing as t

from ._errors import InputError

ESCROWED = ("pin_escrow", "admin_key_escrow")
"""What a module returns of a new card, once, for its recipient alone."""
CONTENT_ENCRYPTION = "A256GCM"
KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16
SMALLEST_RSA = 2048

_CURVES = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}
"""By their names in JSON Web Keys (RFC 7518, clause 6.2.1.1), what cryptography calls them."""
_REMEDY = "give the PEM of an X25519, RSA or NIST curve public key, or of a certificate for one"


def load_recipient(pem: str, field: str) -> t.Any:
    """Returns the public key in a PEM block, or in the certificate there.

    :param field: what the parameter is called
    :raises InputError: if there is none that a secret can be encrypted for
    """
    from ._cryptography import serialization, x509

    if "PRIVATE KEY" in pem:
        raise InputError(field, "is a private key, which belongs on no host", _REMEDY)
    try:
        if "BEGIN CERTIFICATE" in pem:
            key: t.Any = x509.load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = serialization.load_pem_public_key(pem.encode())
        _algorithm(key)
    except Exception:
        raise InputError(field, "is no public key that can be encrypted for", _REMEDY) from None
    return key


def seal(secret: bytes, recipient: t.Any) -> str:
    """Returns a secret that only the recipient's private key opens.

    :param recipient: as :func:`load_recipient` returns it
    """
    from ._cryptography import AESGCM

    algorithm = _algorithm(recipient)
    header: t.Dict[str, t.Any] = {"alg": algorithm, "enc": CONTENT_ENCRYPTION, "kid": _thumbprint(recipient)}
    if algorithm == "ECDH-ES":
        ephemeral = _ephemeral(recipient)
        header["epk"] = _public_jwk(ephemeral.public_key())
        key, wrapped = _agreed(ephemeral, recipient), b""
    else:
        key = os.urandom(KEY_SIZE)
        wrapped = recipient.encrypt(key, _oaep())
    nonce, protected = os.urandom(NONCE_SIZE), _encode(json.dumps(header, sort_keys=True).encode())
    encrypted = AESGCM(key).encrypt(nonce, secret, protected.encode())
    content = (wrapped, nonce, encrypted[:-TAG_SIZE], encrypted[-TAG_SIZE:])
    return ".".join((protected, *(_encode(part) for part in content)))


def unseal(sealed: str, private_pem: str, passphrase: t.Optional[str] = None) -> bytes:
    """Returns the secret that :func:`seal` encrypted.

    :raises ValueError: if this key does not open it; the message holds nothing of either
    """
    from ._cryptography import AESGCM, InvalidTag, serialization

    try:
        private: t.Any = serialization.load_pem_private_key(
            private_pem.encode(), passphrase.encode() if passphrase else None
        )
    except Exception:
        raise ValueError("the private key can't be read: give its PEM, and its passphrase if it has one") from None
    try:
        protected, *parts = sealed.strip().split(".")
        wrapped, nonce, encrypted, tag = (_decode(part) for part in parts)
        header = json.loads(_decode(protected))
        if header["enc"] != CONTENT_ENCRYPTION or header["alg"] != _algorithm(private.public_key()):
            raise ValueError
        if header["alg"] == "ECDH-ES":
            key = _agreed(private, _public_key(header["epk"]))
        else:
            key = private.decrypt(wrapped, _oaep())
        return AESGCM(key).decrypt(nonce, encrypted + tag, protected.encode())
    except (ValueError, KeyError, TypeError, AttributeError, InvalidTag):
        raise ValueError("the escrowed secret is damaged, or encrypted for another key") from None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _algorithm(key: t.Any) -> str:
    """:raises ValueError: if nothing can be encrypted for the public key"""
    from ._cryptography import ec, rsa, x25519

    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA:
        return "RSA-OAEP-256"
    if isinstance(key, x25519.X25519PublicKey):
        return "ECDH-ES"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name.upper() in _CURVES.values():
        return "ECDH-ES"
    raise ValueError("no key to encrypt for")


def _thumbprint(key: t.Any) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, so that its reader finds the right private key."""
    from ._cryptography import serialization

    return _encode(
        hashlib.sha256(
            key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        ).digest()
    )


def _oaep() -> t.Any:
    from ._cryptography import hashes, padding

    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def _ephemeral(recipient: t.Any) -> t.Any:
    from ._cryptography import ec, x25519

    if isinstance(recipient, x25519.X25519PublicKey):
        return x25519.X25519PrivateKey.generate()
    return ec.generate_private_key(recipient.curve)


def _agreed(private: t.Any, public: t.Any) -> bytes:
    """RFC 7518, clause 4.6.2: the Concat KDF of NIST SP 800-56A, neither party named."""
    from ._cryptography import ConcatKDFHash, ec, hashes, x25519

    if isinstance(private, x25519.X25519PrivateKey):
        secret = private.exchange(public)
    else:
        secret = private.exchange(ec.ECDH(), public)
    name = CONTENT_ENCRYPTION.encode()
    info = struct.pack(">I", len(name)) + name + struct.pack(">III", 0, 0, 8 * KEY_SIZE)
    return ConcatKDFHash(hashes.SHA256(), KEY_SIZE, info).derive(secret)


def _public_jwk(key: t.Any) -> t.Dict[str, str]:
    """RFC 7518, clause 6.2.1; RFC 8037, clause 2."""
    from ._cryptography import serialization, x25519

    if isinstance(key, x25519.X25519PublicKey):
        return {
            "kty": "OKP",
            "crv": "X25519",
            "x": _encode(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)),
        }
    numbers, size = key.public_numbers(), (key.curve.key_size + 7) // 8
    x, y = (_encode(number.to_bytes(size, "big")) for number in (numbers.x, numbers.y))
    name = next(name for name, elliptic in _CURVES.items() if elliptic == key.curve.name.upper())
    return {"kty": "EC", "crv": name, "x": x, "y": y}


def _public_key(jwk: t.Mapping[str, str]) -> t.Any:
    from ._cryptography import ec, x25519

    if jwk["crv"] == "X25519":
        return x25519.X25519PublicKey.from_public_bytes(_decode(jwk["x"]))
    x, y = (int.from_bytes(_decode(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, getattr(ec, _CURVES[jwk["crv"]])()).public_key()
