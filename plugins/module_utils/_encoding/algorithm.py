# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Algorithm and curve identifiers of a TPM 2.0, and what they are to cryptography, which is imported on use."""

from __future__ import annotations

import enum
import functools
import hashlib
import typing as t

from .wire import Reader

if t.TYPE_CHECKING:
    from .._cryptography import ec, hashes


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

    @classmethod
    def of(cls, elliptic: ec.EllipticCurve) -> t.Optional[Curve]:
        """Returns the curve by what cryptography calls it, None for one that is not here."""
        return next((each for each in cls if each.elliptic.name == elliptic.name), None)

    @property
    def bits(self) -> int:
        return _CURVES[self].bits

    @property
    def label(self) -> str:
        """As standards call it: SP 800-186, and JSON Web Keys (RFC 7518, clause 6.2.1.1)."""
        return f"P-{self.bits}"

    @property
    def size(self) -> int:
        """Bytes of a coordinate."""
        return (self.bits + 7) // 8

    @property
    def elliptic(self) -> ec.EllipticCurve:
        from .._cryptography import ec

        made: ec.EllipticCurve = getattr(ec, _CURVES[self].elliptic)()
        return made

    @property
    def order(self) -> int:
        """Private keys are below it."""
        return _CURVES[self].order

    @property
    def oid(self) -> str:
        return _CURVES[self].oid


class _Curve(t.NamedTuple):
    """:param elliptic: the name in cryptography, which is not imported before somebody wants it"""

    bits: int
    elliptic: str
    order: int
    oid: str


_CURVES: t.Mapping[Curve, _Curve] = {
    Curve.NIST_P256: _Curve(
        256,
        "SECP256R1",
        2**256 - 0xFFFFFFFF00000000000000004319055258E8617B0C46353D039CDAAF,
        "1.2.840.10045.3.1.7",
    ),
    Curve.NIST_P384: _Curve(
        384,
        "SECP384R1",
        2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
        "1.3.132.0.34",
    ),
    Curve.NIST_P521: _Curve(
        521,
        "SECP521R1",
        2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
        "1.3.132.0.35",
    ),
}
"""Orders by how far they are below a power of two: SP 800-186, clause 3.2.1. Identifiers: RFC 5480, clause 2.1.1.1."""

_HASHES = {
    Algorithm.SHA1: "sha1",
    Algorithm.SHA256: "sha256",
    Algorithm.SHA384: "sha384",
    Algorithm.SHA512: "sha512",
}
"""Names of hashlib; cryptography has them in capitals."""


@functools.cache
def hash_algorithm(algorithm: Algorithm) -> hashes.HashAlgorithm:
    """Returns the hash for cryptography.

    :raises KeyError: if the algorithm is no hash
    """
    from .._cryptography import hashes

    made: hashes.HashAlgorithm = getattr(hashes, _HASHES[algorithm].upper())()
    return made


def digest(algorithm: Algorithm, data: bytes) -> bytes:
    """Returns the digest of ``data``."""
    return hashlib.new(_HASHES[algorithm], data).digest()


@functools.cache
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
