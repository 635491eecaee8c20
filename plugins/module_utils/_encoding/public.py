# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPMT_PUBLIC, the public area of a TPM object: TPM 2.0 part 2, clause 12.2.4."""

from __future__ import annotations

import enum
import functools
import struct
import typing as t
from dataclasses import dataclass

from .algorithm import Algorithm, Curve, digest, digest_size, read_algorithm, read_curve, read_hash
from .key_algorithm import EXPONENT
from .wire import Reader, WireError, sized

if t.TYPE_CHECKING:
    from .._cryptography import ec, rsa

PublicKey = t.Union["rsa.RSAPublicKey", "ec.EllipticCurvePublicKey"]

MAX_DIGEST = 64
MAX_MODULUS = 512
MAX_COORDINATE = 66


class ObjectAttribute(enum.IntFlag):
    """TPMA_OBJECT: TPM 2.0 part 2, clause 8.3."""

    FIXED_TPM = 1 << 1
    ST_CLEAR = 1 << 2
    FIXED_PARENT = 1 << 4
    SENSITIVE_DATA_ORIGIN = 1 << 5
    USER_WITH_AUTH = 1 << 6
    ADMIN_WITH_POLICY = 1 << 7
    FIRMWARE_LIMITED = 1 << 8
    SVN_LIMITED = 1 << 9
    NO_DA = 1 << 10
    ENCRYPTED_DUPLICATION = 1 << 11
    RESTRICTED = 1 << 16
    DECRYPT = 1 << 17
    SIGN_ENCRYPT = 1 << 18
    X509_SIGN = 1 << 19


_RESERVED_ATTRIBUTES = 0xFFFFFFFF & ~sum(ObjectAttribute)


@dataclass(frozen=True)
class Scheme:
    """TPMT_RSA_SCHEME, TPMT_ECC_SCHEME, TPMT_KDF_SCHEME or TPMT_KEYEDHASH_SCHEME: an algorithm and its hashes."""

    algorithm: Algorithm = Algorithm.NULL
    hash: t.Optional[Algorithm] = None
    kdf: t.Optional[Algorithm] = None

    def marshal(self) -> bytes:
        numbers = [number for number in (self.algorithm, self.hash, self.kdf) if number is not None]
        return struct.pack(f">{len(numbers)}H", *numbers)


_RSA_SCHEMES = (Algorithm.NULL, Algorithm.RSASSA, Algorithm.RSAPSS, Algorithm.RSAES, Algorithm.OAEP)
_ECC_SCHEMES = (Algorithm.NULL, Algorithm.ECDSA, Algorithm.ECDH)
_KDF_SCHEMES = (Algorithm.NULL, Algorithm.KDF1_SP800_56A, Algorithm.KDF2, Algorithm.KDF1_SP800_108)
_KEYEDHASH_SCHEMES = (Algorithm.NULL, Algorithm.HMAC, Algorithm.XOR)
_WITHOUT_HASH = (Algorithm.NULL, Algorithm.RSAES)


def _read_scheme(reader: Reader, field: str, allowed: t.Collection[Algorithm]) -> Scheme:
    algorithm = read_algorithm(reader, field, allowed)
    if algorithm in _WITHOUT_HASH:
        return Scheme(algorithm)
    hash_ = read_hash(reader, f"the hash of {field}")
    if algorithm is not Algorithm.XOR:
        return Scheme(algorithm, hash_)
    return Scheme(algorithm, hash_, read_algorithm(reader, f"the KDF of {field}", _KDF_SCHEMES))


@dataclass(frozen=True)
class Symmetric:
    """TPMT_SYM_DEF_OBJECT: AES in CFB mode with so many bits, or none (0)."""

    bits: int = 0

    def marshal(self) -> bytes:
        if not self.bits:
            return struct.pack(">H", Algorithm.NULL)
        return struct.pack(">HHH", Algorithm.AES, self.bits, Algorithm.CFB)


def _read_symmetric(reader: Reader) -> Symmetric:
    if read_algorithm(reader, "symmetric", (Algorithm.NULL, Algorithm.AES)) is Algorithm.NULL:
        return Symmetric()
    bits = reader.u16()
    if bits not in (128, 192, 256):
        raise reader.fault(f"has AES with {bits} bits, which does not exist")
    read_algorithm(reader, "the symmetric mode", (Algorithm.CFB,))
    return Symmetric(bits)


@dataclass(frozen=True)
class RsaArea:
    """TPMS_RSA_PARMS and the modulus: clauses 12.2.3.5 and 11.2.4.5."""

    symmetric: Symmetric
    scheme: Scheme
    bits: int
    exponent: int
    modulus: bytes

    type = Algorithm.RSA

    def marshal_parameters(self) -> bytes:
        return self.symmetric.marshal() + self.scheme.marshal() + struct.pack(">HI", self.bits, self.exponent)

    def marshal_unique(self) -> bytes:
        return sized(self.modulus)

    def public_key(self) -> PublicKey:
        return _rsa_key(self.bits, self.exponent, self.modulus)


@functools.lru_cache(maxsize=64)
def _rsa_key(bits: int, exponent: int, modulus: bytes) -> PublicKey:
    """A host's keys are asked for again and again, and making one costs as much as a signature's verification."""
    from .._cryptography import rsa

    number = int.from_bytes(modulus, "big")
    if number.bit_length() != bits or not number & 1:
        raise ValueError(f"the modulus is no odd number of {bits} bits")
    return rsa.RSAPublicNumbers(exponent or EXPONENT, number).public_key()


def _read_rsa(reader: Reader) -> RsaArea:
    symmetric = _read_symmetric(reader)
    scheme = _read_scheme(reader, "scheme", _RSA_SCHEMES)
    bits, exponent = reader.u16(), reader.u32()
    if bits not in (1024, 2048, 3072, 4096):
        raise reader.fault(f"is an RSA key of {bits} bits, which is not supported")
    return RsaArea(symmetric, scheme, bits, exponent, reader.sized("unique", MAX_MODULUS))


@dataclass(frozen=True)
class EccArea:
    """TPMS_ECC_PARMS and the point: clauses 12.2.3.6 and 11.2.5.2."""

    symmetric: Symmetric
    scheme: Scheme
    curve: Curve
    kdf: Scheme
    x: bytes
    y: bytes

    type = Algorithm.ECC

    def marshal_parameters(self) -> bytes:
        return self.symmetric.marshal() + self.scheme.marshal() + struct.pack(">H", self.curve) + self.kdf.marshal()

    def marshal_unique(self) -> bytes:
        return sized(self.x) + sized(self.y)

    def public_key(self) -> PublicKey:
        return _ecc_key(self.curve, self.x, self.y)


@functools.lru_cache(maxsize=64)
def _ecc_key(curve: Curve, x: bytes, y: bytes) -> PublicKey:
    """As :func:`_rsa_key`."""
    from .._cryptography import ec

    point = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    return ec.EllipticCurvePublicNumbers(point[0], point[1], curve.elliptic).public_key()


def _read_ecc(reader: Reader) -> EccArea:
    symmetric = _read_symmetric(reader)
    scheme = _read_scheme(reader, "scheme", _ECC_SCHEMES)
    curve = read_curve(reader)
    kdf = _read_scheme(reader, "kdf", _KDF_SCHEMES)
    x, y = reader.sized("unique.x", MAX_COORDINATE), reader.sized("unique.y", MAX_COORDINATE)
    return EccArea(symmetric, scheme, curve, kdf, x, y)


@dataclass(frozen=True)
class KeyedHashArea:
    """TPMS_KEYEDHASH_PARMS and the digest: clauses 12.2.3.3 and 11.1.4. Sealed data has no scheme."""

    scheme: Scheme
    unique: bytes

    type = Algorithm.KEYEDHASH

    def marshal_parameters(self) -> bytes:
        return self.scheme.marshal()

    def marshal_unique(self) -> bytes:
        return sized(self.unique)

    def public_key(self) -> PublicKey:
        raise ValueError("a keyed hash has no public key")


def _read_keyedhash(reader: Reader) -> KeyedHashArea:
    scheme = _read_scheme(reader, "scheme", _KEYEDHASH_SCHEMES)
    return KeyedHashArea(scheme, reader.sized("unique", MAX_DIGEST))


Area = t.Union[RsaArea, EccArea, KeyedHashArea]
_READERS: t.Dict[Algorithm, t.Callable[[Reader], Area]] = {
    Algorithm.RSA: _read_rsa,
    Algorithm.ECC: _read_ecc,
    Algorithm.KEYEDHASH: _read_keyedhash,
}


@dataclass(frozen=True)
class Public:
    """TPMT_PUBLIC.

    :param name_algorithm: the hash of the object's Name and policy
    :param policy: digest of the authorisation policy, or empty
    """

    name_algorithm: Algorithm
    attributes: ObjectAttribute
    policy: bytes
    area: Area

    @classmethod
    def parse(cls, data: bytes) -> Public:
        """Returns what a marshalled TPMT_PUBLIC says.

        :raises WireError: if it is malformed, or of a type or algorithm that no card uses
        """
        reader = Reader(data, "TPMT_PUBLIC")
        read_area = _READERS[read_algorithm(reader, "type", _READERS)]
        name_algorithm = read_hash(reader, "nameAlg")
        attributes = reader.u32()
        if attributes & _RESERVED_ATTRIBUTES:
            raise reader.fault(f"has reserved attributes set ({attributes:#010x})")
        policy = reader.sized("authPolicy", MAX_DIGEST)
        if len(policy) not in (0, digest_size(name_algorithm)):
            raise reader.fault(f"has an authPolicy of {len(policy)} bytes, which is no digest of its nameAlg")
        area = read_area(reader)
        reader.end()
        return cls(name_algorithm, ObjectAttribute(attributes), policy, area)

    def marshal(self) -> bytes:
        head = struct.pack(">HHI", self.area.type, self.name_algorithm, self.attributes)
        return head + sized(self.policy) + self.area.marshal_parameters() + self.area.marshal_unique()

    @property
    def name(self) -> bytes:
        """The Name: nameAlg and the digest of the public area: TPM 2.0 part 1, clause 16."""
        return struct.pack(">H", self.name_algorithm) + digest(self.name_algorithm, self.marshal())

    def qualified_name(self, parent: bytes) -> bytes:
        """Returns the Qualified Name under a parent with this Qualified Name, or hierarchy with this handle."""
        return struct.pack(">H", self.name_algorithm) + digest(self.name_algorithm, parent + self.name)

    def public_key(self) -> PublicKey:
        """Returns the key for cryptography.

        :raises WireError: if the numbers are no key: a point off its curve, a short modulus, a keyed hash
        """
        try:
            return self.area.public_key()
        except ValueError as error:
            raise WireError(f"TPMT_PUBLIC holds no usable key: {error}") from None

    def spki(self) -> bytes:
        """Returns the DER SubjectPublicKeyInfo (RFC 5280).

        :raises WireError: as :meth:`public_key`
        """
        from .._cryptography import serialization

        return self.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
