# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private key that was made outside of the TPM and shall go into a card."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._cryptography import ec, rsa
from .._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from .._errors import InputError


@dataclass(frozen=True)
class OutsideKey:
    """A key as a TPM wants it.

    :param public: modulus, or X and Y
    :param sensitive: the first prime, or the private scalar
    """

    algorithm: KeyAlgorithm
    public: t.Tuple[bytes, ...]
    sensitive: bytes = field(repr=False)

    @classmethod
    def rsa(cls, algorithm: KeyAlgorithm, p: int, q: int) -> OutsideKey:
        """Returns the RSA key of two primes and the exponent 65537.

        :raises InputError: if they make no key of this algorithm
        """
        try:
            _check_primes(p, q)
        except ValueError:
            raise InputError("the key", "is no pair of primes", "give one whose public exponent is 65537") from None
        if not algorithm.is_rsa or (p * q).bit_length() != algorithm.bits or p.bit_length() != q.bit_length():
            raise InputError("the key", f"is not one of {algorithm.value}", "name its algorithm")
        return cls(algorithm, ((p * q).to_bytes(algorithm.size, "big"),), p.to_bytes(algorithm.size // 2, "big"))

    @classmethod
    def ec(cls, algorithm: KeyAlgorithm, scalar: int) -> OutsideKey:
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


def _check_primes(p: int, q: int) -> None:
    """:raises ValueError: if the library finds that the numbers are no key"""
    if min(p, q) < 3 or p == q:
        raise ValueError("too small")
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPublicNumbers(EXPONENT, p * q)
    private = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), numbers)
    private.private_key()
