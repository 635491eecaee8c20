# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of key algorithms, against the package cryptography."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Curve
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

GENERATOR = 1
"""The private key whose public key is the curve's generator."""


def private_key(algorithm: KeyAlgorithm):
    if algorithm.curve is None:
        return rsa.generate_private_key(EXPONENT, algorithm.bits)
    return ec.generate_private_key(algorithm.curve.elliptic)


@pytest.mark.parametrize("algorithm", [each for each in KeyAlgorithm if each is not KeyAlgorithm.RSA_4096])
def test_what_a_row_says_is_true_of_a_key(algorithm):
    key = private_key(algorithm)
    assert KeyAlgorithm.of(key) is algorithm and KeyAlgorithm.of(key.public_key()) is algorithm
    assert algorithm.bits == key.key_size and algorithm.size == (key.key_size + 7) // 8
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm.hash)
    assert request.signature_algorithm_oid.dotted_string == algorithm.signature


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(EXPONENT, 1024), b""]
)
def test_a_key_of_another_kind_has_no_row(key):
    assert KeyAlgorithm.of(key) is None


@pytest.mark.parametrize("curve", Curve)
def test_the_order_and_the_identifier_of_a_curve(curve):
    first, last = (
        ec.derive_private_key(scalar, curve.elliptic).public_key() for scalar in (GENERATOR, curve.order - 1)
    )
    assert first.public_numbers().x == last.public_numbers().x != 0
    assert first.public_numbers().y != last.public_numbers().y
    spki = first.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    dotted = ec.get_curve_for_oid(x509.ObjectIdentifier(curve.oid))
    assert dotted.name == curve.elliptic.name and len(spki) > 2 * curve.size
    assert Curve.of(curve.elliptic) is curve and curve.label == f"P-{curve.elliptic.key_size}"


def test_no_two_algorithms_share_a_number():
    for numbers in ([each.piv for each in KeyAlgorithm], [each.gids for each in KeyAlgorithm]):
        known = [number for number in numbers if number is not None]
        assert len(known) == len(set(known)) > 0
