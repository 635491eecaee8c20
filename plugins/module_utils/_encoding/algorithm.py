# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Algorithm and curve identifiers of a TPM 2.0, and what they are to cryptography."""

from __future__ import annotations

import enum
import hashlib
import typing as t

from .._cryptography import ec, hashes
from .wire import Reader


class Algorithm(enum.IntEnum):
    """TPM_ALG_ID: TPM 2.0 part 2, clause 6.3."""

    RSA = 0x0001
    SHA1 = 0x0004
    HMAC = 0x0005
    AES = 0x0006
    KEYEDHASH = 0x0008
    XOR = 0x000A
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D
    NULL = 0x0010
    RSASSA = 0x0014
    RSAES = 0x0015
    RSAPSS = 0x0016
    OAEP = 0x0017
    ECDSA = 0x0018
    ECDH = 0x0019
    KDF1_SP800_56A = 0x0020
    KDF2 = 0x0021
    KDF1_SP800_108 = 0x0022
    ECC = 0x0023
    CFB = 0x0043


class Curve(enum.IntEnum):
    """TPM_ECC_CURVE: TPM 2.0 part 2, clause 6.4."""

    NIST_P256 = 0x0003
    NIST_P384 = 0x0004
    NIST_P521 = 0x0005

    @property
    def bits(self) -> int:
        return self.elliptic.key_size

    @property
    def size(self) -> int:
        """Bytes of a coordinate."""
        return (self.bits + 7) // 8

    @property
    def elliptic(self) -> ec.EllipticCurve:
        return _CURVES[self]()


_CURVES: t.Dict[Curve, t.Type[ec.EllipticCurve]] = {
    Curve.NIST_P256: ec.SECP256R1,
    Curve.NIST_P384: ec.SECP384R1,
    Curve.NIST_P521: ec.SECP521R1,
}

_HASHES = {
    Algorithm.SHA1: "sha1",
    Algorithm.SHA256: "sha256",
    Algorithm.SHA384: "sha384",
    Algorithm.SHA512: "sha512",
}
"""Names of hashlib; cryptography has them in capitals."""


def hash_algorithm(algorithm: Algorithm) -> hashes.HashAlgorithm:
    """Returns the hash for cryptography.

    :raises KeyError: if the algorithm is no hash
    """
    made: hashes.HashAlgorithm = getattr(hashes, _HASHES[algorithm].upper())()
    return made


def digest(algorithm: Algorithm, data: bytes) -> bytes:
    """Returns the digest of ``data``."""
    return hashlib.new(_HASHES[algorithm], data).digest()


def digest_size(algorithm: Algorithm) -> int:
    """Returns the bytes of a digest."""
    return hashlib.new(_HASHES[algorithm]).digest_size


def read_algorithm(reader: Reader, field: str, allowed: t.Collection[Algorithm]) -> Algorithm:
    """Returns the next identifier.

    :raises WireError: if it is none of ``allowed``
    """
    number = reader.u16()
    for algorithm in allowed:
        if algorithm == number:
            return algorithm
    raise reader.fault(f"has algorithm {number:#06x} as {field}, which is not supported there")


def read_hash(reader: Reader, field: str) -> Algorithm:
    """Returns the next identifier, that of a hash.

    :raises WireError: if it is none
    """
    return read_algorithm(reader, field, _HASHES)


def read_curve(reader: Reader) -> Curve:
    """Returns the next TPM_ECC_CURVE.

    :raises WireError: if it is not supported
    """
    number = reader.u16()
    try:
        return Curve(number)
    except ValueError:
        raise reader.fault(f"is on curve {number:#06x}, which is not supported") from None
