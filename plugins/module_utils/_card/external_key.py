# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An external key: a private key that was made elsewhere and shall be imported into a card."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._cryptography import ec, rsa
from .._encoding.algorithm import Curve
from .._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from .._errors import InputError


class RsaParts(t.NamedTuple):
    """An RSA private key as programs send it: RFC 8017, appendix A.1.2. A TPM wants the primes alone.

    So the other parts tell which public exponent the key has, and thus whether it will be the same key in the TPM.
    A part that a program has left out is None.
    """

    p: int
    q: int
    exponent_1: t.Optional[int] = None
    exponent_2: t.Optional[int] = None
    coefficient: t.Optional[int] = None

    def check(self) -> None:
        """:raises ValueError: if the numbers are no key of the exponent 65537"""
        p, q = self.p, self.q
        if p == q:
            raise ValueError("one prime twice")
        d = pow(EXPONENT, -1, (p - 1) * (q - 1))
        computed = d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q)
        if any(said not in (None, meant) for said, meant in zip(self[2:], computed)):
            raise ValueError("of another exponent")
        rsa.RSAPrivateNumbers(p, q, d, *computed, rsa.RSAPublicNumbers(EXPONENT, p * q)).private_key()


def is_on_curve(curve: Curve, point: bytes) -> bool:
    """:param point: uncompressed: 04 X Y"""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(curve.elliptic, point)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class ExternalKey:
    """A key as a TPM wants it.

    :param public: modulus, or X and Y
    :param sensitive: the first prime, or the private scalar
    """

    algorithm: KeyAlgorithm
    public: t.Tuple[bytes, ...]
    sensitive: bytes = field(repr=False)

    @classmethod
    def rsa(cls, algorithm: KeyAlgorithm, parts: RsaParts) -> ExternalKey:
        """Returns the RSA key whose parts these are.

        :raises InputError: if they make no key of this algorithm with the exponent 65537
        """
        p, q = parts.p, parts.q
        half = algorithm.bits // 2
        # Before anything is computed: numbers of any length would keep the card busy for as long.
        if not algorithm.is_rsa or (p.bit_length(), q.bit_length()) != (half, half):
            raise InputError("the key", f"is not one of {algorithm.value}", "name its algorithm")
        try:
            parts.check()
        except ValueError:
            fault = "has parts that make no pair of primes, or do not fit each other"
            raise InputError("the key", fault, "give one whose public exponent is 65537") from None
        if (p * q).bit_length() != algorithm.bits:
            raise InputError("the key", f"is not one of {algorithm.value}", "name its algorithm")
        return cls(algorithm, ((p * q).to_bytes(algorithm.size, "big"),), p.to_bytes(algorithm.size // 2, "big"))

    @classmethod
    def ec(cls, algorithm: KeyAlgorithm, scalar: int) -> ExternalKey:
        """:raises InputError: if it is no private key of the algorithm's curve"""
        curve = algorithm.curve
        if curve is None:
            raise InputError("the key", f"is not one of {algorithm.value}", "name its algorithm")
        if not 0 < scalar < curve.order:
            raise InputError("the key", "is no private key of its curve", "give one that is")
        point = ec.derive_private_key(scalar, curve.elliptic).public_key().public_numbers()
        size = algorithm.size
        return cls(
            algorithm, (point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")), scalar.to_bytes(size, "big")
        )
