# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys at rest: PKCS#8 under a passphrase, with scrypt, which OpenSSL and cryptography read."""

from __future__ import annotations

import base64
import functools
import os
import typing as t

from ...module_utils._cryptography import (
    HKDF,
    Cipher,
    Scrypt,
    algorithms,
    ec,
    hashes,
    modes,
    rsa,
    serialization,
    symmetric_padding,
)
from ...module_utils._encoding import der
from ...module_utils._encoding.key_algorithm import EXPONENT, Hash, KeyAlgorithm
from ...module_utils._errors import InputError, StateError

SigningKey = t.Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]

MIN_PASSPHRASE = 12
"""Characters. Whoever steals the folder may guess as fast as their machines go."""

PBES2 = "1.2.840.113549.1.5.13"  # RFC 8018 appendix A.4
SCRYPT = "1.3.6.1.4.1.11591.4.11"  # RFC 7914 section 7
AES_256_CBC = "2.16.840.1.101.3.4.1.42"  # NIST CSOR, aes256-CBC

SCRYPT_COST = 2**14
"""16 MiB with the block size below: the most that OpenSSL's default limit of 32 MiB lets it read."""
SCRYPT_BLOCK = 8
SCRYPT_PARALLEL = 1
SALT_SIZE = 16
AES_BLOCK = 16
AES_256_KEY = 32


def check_passphrase(passphrase: str, field: str = "passphrase") -> None:
    """Raises :class:`InputError` for a passphrase too short to hold against guessing."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise InputError(
            field,
            f"has {len(passphrase)} characters, and a CA key needs {MIN_PASSPHRASE} or more",
            "let a password manager make one, and keep it in a vault",
        )


def generate(algorithm: KeyAlgorithm) -> SigningKey:
    if algorithm.curve is None:
        return rsa.generate_private_key(public_exponent=EXPONENT, key_size=algorithm.bits)
    return ec.generate_private_key(algorithm.curve.elliptic)


def signature_hash(key: SigningKey) -> Hash:
    """The hash that goes with the key, SHA-256 for one that no CA of ours was made with."""
    algorithm = KeyAlgorithm.of(key)
    return algorithm.hash if algorithm else hashes.SHA256()


def derive(key: SigningKey, label: bytes, size: int) -> bytes:
    """Returns a secret, of that many bytes, that the holder of the key can make again: HKDF, RFC 5869.

    :param label: what the secret is for; secrets of two labels say nothing of each other
    """
    numbers = key.private_numbers()
    return _derive(numbers.d if isinstance(numbers, rsa.RSAPrivateNumbers) else numbers.private_value, label, size)


@functools.lru_cache(maxsize=8)
def _derive(number: int, label: bytes, size: int) -> bytes:
    secret = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return HKDF(hashes.SHA256(), size, None, label).derive(secret)


def lock(key: SigningKey, passphrase: str) -> bytes:
    """Returns EncryptedPrivateKeyInfo (RFC 5958 section 3) in PEM: PBES2, scrypt, AES-256-CBC."""
    salt, start = os.urandom(SALT_SIZE), os.urandom(AES_BLOCK)
    padder = symmetric_padding.PKCS7(AES_BLOCK * 8).padder()
    padded = padder.update(bare(key)) + padder.finalize()
    encryptor = Cipher(algorithms.AES(_stretch(passphrase, salt)), modes.CBC(start)).encryptor()
    sealed = encryptor.update(padded) + encryptor.finalize()
    return _pem("ENCRYPTED PRIVATE KEY", der.sequence(_algorithm(salt, start), der.octets(sealed)))


def bare(key: SigningKey) -> bytes:
    """Returns PrivateKeyInfo (RFC 5958 section 2) in DER, which is for no disk."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(bare_key: bytes) -> SigningKey:
    """Returns the key again of which :func:`bare` has told."""
    return t.cast(SigningKey, serialization.load_der_private_key(bare_key, None))


def unlock(pem: bytes, passphrase: str, name: str) -> SigningKey:
    """Opens a private key.

    :param name: the file, for messages
    :raises StateError: the passphrase is wrong, or the file is damaged
    """
    if not passphrase:
        raise StateError(f"{name} does not open without a passphrase", "give the one that the CA was made with")
    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode("utf-8"))
    except TypeError:
        raise StateError(f"{name} is not encrypted", "take it out of use: the key has lain open") from None
    except ValueError:
        raise StateError(
            f"{name} does not open with this passphrase", "check the passphrase, or restore the file"
        ) from None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise StateError(f"{name} holds no RSA or elliptic curve key", "restore the file")
    return key


def _stretch(passphrase: str, salt: bytes) -> bytes:
    kdf = Scrypt(salt=salt, length=AES_256_KEY, n=SCRYPT_COST, r=SCRYPT_BLOCK, p=SCRYPT_PARALLEL)
    return kdf.derive(passphrase.encode("utf-8"))


def _algorithm(salt: bytes, start: bytes) -> bytes:
    """PBES2 parameters, RFC 8018 appendix A.4, with scrypt's of RFC 7914 section 7."""
    costs = (der.integer(value) for value in (SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_PARALLEL))
    kdf = der.sequence(der.oid(SCRYPT), der.sequence(der.octets(salt), *costs))
    cipher = der.sequence(der.oid(AES_256_CBC), der.octets(start))
    return der.sequence(der.oid(PBES2), der.sequence(kdf, cipher))


def _pem(label: str, body: bytes) -> bytes:
    text = base64.b64encode(body).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")
