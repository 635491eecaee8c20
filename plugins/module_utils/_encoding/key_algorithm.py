# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key algorithms: what each is to a TPM, in X.509 and SSH, and to the programs that ask a card.

Whoever needs a fact of an algorithm takes it from its row here. What is true of a curve itself, :class:`Curve` says.
"""

from __future__ import annotations

import enum
import typing as t

from .algorithm import Algorithm, Curve, digest_size, hash_algorithm

if t.TYPE_CHECKING:
    from .._cryptography import hashes

EXPONENT = 65537
"""The only public exponent that every TPM takes, and what 0 stands for: TPM 2.0 part 2, clause 12.2.3.5."""


class SignatureAlgorithm(str, enum.Enum):
    """RFC 4055 section 5, RFC 5758 section 3.2. What is not here, SHA-1 above all, signs nothing."""

    RSA_SHA256 = "1.2.840.113549.1.1.11"
    RSA_SHA384 = "1.2.840.113549.1.1.12"
    RSA_SHA512 = "1.2.840.113549.1.1.13"
    ECDSA_SHA256 = "1.2.840.10045.4.3.2"
    ECDSA_SHA384 = "1.2.840.10045.4.3.3"
    ECDSA_SHA512 = "1.2.840.10045.4.3.4"


Hash = t.Union["hashes.SHA256", "hashes.SHA384", "hashes.SHA512"]


class KeyAlgorithm(str, enum.Enum):
    """Key types that a TPM 2.0 and certificates have in common."""

    RSA_2048 = "rsa_2048"
    RSA_3072 = "rsa_3072"
    RSA_4096 = "rsa_4096"
    ECC_P256 = "ecc_p256"
    ECC_P384 = "ecc_p384"
    ECC_P521 = "ecc_p521"

    @property
    def curve(self) -> t.Optional[Curve]:
        """None for RSA."""
        return _ROWS[self].curve

    @property
    def is_rsa(self) -> bool:
        return self.curve is None

    @property
    def bits(self) -> int:
        """Of the modulus, or of a coordinate."""
        return _ROWS[self].bits

    @property
    def size(self) -> int:
        """Bytes of the modulus, or of a coordinate."""
        return (self.bits + 7) // 8

    @property
    def hash(self) -> Hash:
        """The hash that goes with it in certificates: as strong as the key, and what every client knows."""
        return t.cast("Hash", hash_algorithm(_ROWS[self].hash))

    @property
    def digest_size(self) -> int:
        """Bytes of :attr:`hash`."""
        return digest_size(_ROWS[self].hash)

    @property
    def signature(self) -> str:
        """Object identifier of signatures with :attr:`hash`."""
        return _ROWS[self].signature

    @property
    def piv(self) -> t.Optional[int]:
        """Algorithm identifier of PIV, None if it has none."""
        return _ROWS[self].piv

    @property
    def gids(self) -> t.Optional[int]:
        """The lower half of an algorithm reference of GIDS, None if no program sends one."""
        return _ROWS[self].gids

    @classmethod
    def of(cls, key: object) -> t.Optional[KeyAlgorithm]:
        """Returns the algorithm of a private or public key of cryptography, None for one that is not here."""
        from .._cryptography import ec, rsa

        if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
            curve = Curve.of(key.curve)
            return next((each for each in cls if curve and each.curve is curve), None)
        if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
            return cls.rsa(key.key_size)
        return None

    @classmethod
    def rsa(cls, bits: int) -> t.Optional[KeyAlgorithm]:
        """Returns RSA with a modulus of so many bits, None for a size that is not here."""
        return next((each for each in cls if each.is_rsa and each.bits == bits), None)


class _Row(t.NamedTuple):
    bits: int
    curve: t.Optional[Curve]
    hash: Algorithm
    signature: str
    piv: t.Optional[int]
    gids: t.Optional[int]


def _rsa(bits: int, piv: int, gids: int) -> _Row:
    return _Row(bits, None, Algorithm.SHA256, SignatureAlgorithm.RSA_SHA256.value, piv, gids)


def _ecc(curve: Curve, hash_: Algorithm, signature: str, piv: t.Optional[int]) -> _Row:
    """On a GIDS card programs know RSA only."""
    return _Row(curve.bits, curve, hash_, signature, piv, None)


_ROWS: t.Mapping[KeyAlgorithm, _Row] = {
    KeyAlgorithm.RSA_2048: _rsa(2048, piv=0x07, gids=0x07),  # SP 800-78-4, table 6-2
    KeyAlgorithm.RSA_3072: _rsa(3072, piv=0x05, gids=0x08),  # SP 800-78-5, table 10
    KeyAlgorithm.RSA_4096: _rsa(4096, piv=0x16, gids=0x09),  # Yubico's PIV extensions
    KeyAlgorithm.ECC_P256: _ecc(Curve.NIST_P256, Algorithm.SHA256, SignatureAlgorithm.ECDSA_SHA256.value, piv=0x11),
    KeyAlgorithm.ECC_P384: _ecc(Curve.NIST_P384, Algorithm.SHA384, SignatureAlgorithm.ECDSA_SHA384.value, piv=0x14),
    KeyAlgorithm.ECC_P521: _ecc(Curve.NIST_P521, Algorithm.SHA512, SignatureAlgorithm.ECDSA_SHA512.value, piv=None),
}
"""PIV numbers by the document named beside them; GIDS numbers as OpenSC's driver sends them."""
