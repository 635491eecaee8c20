# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""COSE keys, in which WebAuthn writes public keys: RFC 8152, section 13."""

from __future__ import annotations

import os
import typing as t

from ..._card.authenticator_model import COSE_NUMBERS
from ..._cryptography import ec, utils
from ..._encoding.algorithm import Curve
from ..._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from ..._encoding.public import EccArea, Public, RsaArea
from .parameters import CtapParameters
from .reference import CtapStatus
from .refused import CtapRefused, refuse_unless

_ECDH_ES_HKDF_256 = -25
_KTY, _ALG, _CRV, _X, _Y, _N, _E = 1, 3, -1, -2, -3, -1, -2
_EC2, _RSA = 2, 3
_CURVES = {Curve.NIST_P256: 1, Curve.NIST_P384: 2}
CoseKey = t.Dict[int, t.Any]


def cose_key(public: Public, algorithm: KeyAlgorithm) -> CoseKey:
    """Returns the public key of a passkey."""
    area, number = public.area, COSE_NUMBERS[algorithm]
    if isinstance(area, RsaArea):
        return {_KTY: _RSA, _ALG: number, _N: area.modulus, _E: (area.exponent or EXPONENT).to_bytes(3, "big")}
    x, y = (each.rjust(algorithm.size, b"\0") for each in (t.cast(EccArea, area).x, t.cast(EccArea, area).y))
    return {_KTY: _EC2, _ALG: number, **_point(t.cast(Curve, algorithm.curve), x, y)}


def agreement_key(public: t.Any) -> CoseKey:
    """Returns a public key of ours on P-256, from which a client makes a shared secret: clause 6.5.6."""
    numbers = public.public_numbers()
    x, y = (number.to_bytes(Curve.NIST_P256.size, "big") for number in (numbers.x, numbers.y))
    return {_KTY: _EC2, _ALG: _ECDH_ES_HKDF_256, **_point(Curve.NIST_P256, x, y)}


def _point(curve: Curve, x: bytes, y: bytes) -> CoseKey:
    return {_CRV: _CURVES[curve], _X: x, _Y: y}


def read_agreement_key(key: CtapParameters) -> ec.EllipticCurvePublicKey:
    """Returns a client's public key.

    :raises CtapRefused: if it is none on P-256
    """
    right = {_KTY: _EC2, _ALG: _ECDH_ES_HKDF_256, _CRV: _CURVES[Curve.NIST_P256]}
    refuse_unless(all(key.integer(name) == number for name, number in right.items()), CtapStatus.INVALID_PARAMETER)
    x, y = (int.from_bytes(key.needed_octets(name, most=32), "big") for name in (_X, _Y))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError:
        raise CtapRefused(CtapStatus.INVALID_PARAMETER) from None


def placeholder_signature(algorithm: KeyAlgorithm, digest: bytes) -> bytes:
    """Returns a signature by a key that nobody has, for an assertion that nobody may believe."""
    if algorithm.curve is None:
        return os.urandom(algorithm.size)
    key = ec.generate_private_key(algorithm.curve.elliptic)
    return key.sign(digest, ec.ECDSA(utils.Prehashed(algorithm.hash)))
