# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm, Curve
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.name import object_name
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    EccArea,
    KeyedHashArea,
    ObjectAttribute,
    Public,
    RsaArea,
    Scheme,
    Symmetric,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()


def ecc(curve: Curve, key: ec.EllipticCurvePublicKey) -> Public:
    numbers = key.public_numbers()
    x, y = numbers.x.to_bytes(curve.size, "big"), numbers.y.to_bytes(curve.size, "big")
    area = EccArea(Symmetric(), Scheme(Algorithm.ECDSA, Algorithm.SHA256), curve, Scheme(), x, y)
    return Public(Algorithm.SHA256, ObjectAttribute.FIXED_TPM, b"", area)


def rsa_public(modulus: bytes, bits: int = 2048) -> Public:
    area = RsaArea(Symmetric(128), Scheme(), bits, 0, modulus)
    return Public(Algorithm.SHA256, ObjectAttribute.FIXED_TPM, bytes(32), area)


def spki(key) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("curve", Curve)
def test_the_point_is_the_key(curve):
    key = ec.generate_private_key(curve.elliptic).public_key()
    assert load_der_public_key(ecc(curve, key).spki()).public_numbers() == key.public_numbers()


def test_exponent_0_means_65537():
    assert rsa_public(RSA_KEY.public_numbers().n.to_bytes(256, "big")).spki() == spki(RSA_KEY)


def test_a_point_off_the_curve_is_no_key():
    public = ecc(Curve.NIST_P256, ec.generate_private_key(ec.SECP256R1()).public_key())
    area = dataclasses.replace(public.area, y=bytes(31) + b"\1")
    with pytest.raises(WireError, match="no usable key"):
        dataclasses.replace(public, area=area).public_key()


@pytest.mark.parametrize("modulus", [b"", bytes(256), b"\1" * 255, b"\xff" * 255 + b"\xfe"])
def test_a_modulus_that_is_none_is_no_key(modulus):
    with pytest.raises(WireError, match="no usable key"):
        rsa_public(modulus).public_key()


def test_a_keyed_hash_is_no_key():
    sealed = Public(Algorithm.SHA256, ObjectAttribute.FIXED_TPM, b"", KeyedHashArea(Scheme(), bytes(32)))
    with pytest.raises(WireError, match="no public key"):
        sealed.public_key()


def test_the_name_is_that_of_the_name_module():
    public = rsa_public(bytes(256))
    assert public.name == object_name(public.marshal())


def test_a_sha384_name_is_50_bytes():
    public = dataclasses.replace(rsa_public(bytes(256)), name_algorithm=Algorithm.SHA384, policy=b"")
    assert len(public.name) == 50 and public.name[:2] == b"\x00\x0c"


def test_reserved_attributes_are_refused():
    marshalled = bytearray(rsa_public(bytes(256)).marshal())
    marshalled[4] |= 0x80
    with pytest.raises(WireError, match="reserved attributes"):
        Public.parse(bytes(marshalled))
