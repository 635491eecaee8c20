# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm, Curve
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import (
    TEMPLATES,
    policy_a,
    policy_b,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@pytest.mark.parametrize(
    "digest, expected",
    [
        (policy_a(Algorithm.SHA256), "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"),
        (policy_b(Algorithm.SHA256), "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"),
        (
            policy_b(Algorithm.SHA384),
            "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12",
        ),
    ],
)
def test_policies_are_those_of_the_profile(digest, expected):
    assert digest.hex() == expected


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.title)
def test_a_template_survives_a_round_trip(template):
    assert Public.parse(template.public.marshal()) == template.public


@pytest.mark.parametrize("curve, titles", [(Curve.NIST_P256, {"L-2", "H-2"}), (Curve.NIST_P384, {"H-3"})])
def test_an_elliptic_key_fits_the_templates_of_its_curve(curve, titles):
    key = ec.generate_private_key(curve.elliptic).public_key()
    made = {template.title: template.with_key(key) for template in TEMPLATES}
    assert {title for title, public in made.items() if public is not None} == titles
    assert all(public.public_key().public_numbers() == key.public_numbers() for public in made.values() if public)


def test_an_rsa_key_fits_the_templates_of_its_size():
    key = rsa.generate_private_key(65537, 2048).public_key()
    made = {template.title: template.with_key(key) for template in TEMPLATES}
    assert {title for title, public in made.items() if public is not None} == {"L-1", "H-1"}


def test_a_key_with_another_exponent_is_no_ek():
    key = rsa.generate_private_key(3, 2048).public_key()
    assert all(template.with_key(key) is None for template in TEMPLATES)


@pytest.mark.parametrize("nonce", [b"", b"a nonce", b"n" * 32])
def test_a_nonce_fills_the_start_of_what_is_zeros_otherwise(nonce):
    by_title = {template.title: template for template in TEMPLATES}
    modulus = by_title["L-1"].with_nonce(nonce).public.area.modulus
    point = by_title["L-2"].with_nonce(nonce).public.area
    assert modulus == nonce + bytes(256 - len(nonce))
    assert (point.x, point.y) == (nonce + bytes(32 - len(nonce)), bytes(32))
    assert by_title["L-1"].with_nonce(b"").public == by_title["L-1"].public


def test_nonce_and_template_lie_behind_the_certificate():
    low = [(each.title, each.nonce_handle, each.template_handle) for each in TEMPLATES if each.is_low]
    assert low == [("L-1", 0x01C00003, 0x01C00004), ("L-2", 0x01C0000B, 0x01C0000C)]
