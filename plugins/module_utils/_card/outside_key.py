# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private key that was made outside of the TPM and shall go into a card."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._cryptography import ec, rsa
from .._errors import InputError
from .key import Algorithm

EXPONENT = 65537
"""The only public exponent that every TPM takes: TPM 2.0 part 2, clause 12.2.3.5."""

_CURVES: t.Mapping[Algorithm, ec.EllipticCurve] = {
    Algorithm.ECC_P256: ec.SECP256R1(),
    Algorithm.ECC_P384: ec.SECP384R1(),
}
_ORDERS: t.Mapping[Algorithm, int] = {
    Algorithm.ECC_P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Algorithm.ECC_P384: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}
"""SP 800-186, clauses 3.2.1.3 and 3.2.1.4."""


@dataclass(frozen=True)
class OutsideKey:
    """A key as a TPM wants it.

    :param public: modulus, or X and Y
    :param sensitive: the first prime, or the private scalar
    """

    algorithm: Algorithm
    public: t.Tuple[bytes, ...]
    sensitive: bytes = field(repr=False)

    @classmethod
    def rsa(cls, algorithm: Algorithm, p: int, q: int) -> OutsideKey:
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
    def ec(cls, algorithm: Algorithm, scalar: int) -> OutsideKey:
        """:raises InputError: if it is no private key of the algorithm's curve"""
        if algorithm not in _CURVES:
            raise InputError("the key", f"is not one of {algorithm.value}", "name its algorithm")
        if not 0 < scalar < _ORDERS[algorithm]:
            raise InputError("the key", "is no private key of its curve", "give one that is")
        point = ec.derive_private_key(scalar, _CURVES[algorithm]).public_key().public_numbers()
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
