# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_certificate import (
    cut_certificate,
    cut_certificates,
    suits,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES
from ansible_collections.hardbound.identity.tests.support import forge
from hypothesis import given
from hypothesis import strategies as st

certificates = st.binary(min_size=128, max_size=400).map(lambda body: b"\x30\x82" + len(body).to_bytes(2, "big") + body)


@given(certificates, st.sampled_from([b"", b"\xff" * 40, bytes(40)]))
def test_padding_is_cut_off(certificate, padding):
    assert cut_certificate(certificate + padding) == certificate


@given(certificates, st.integers(1, 100))
def test_a_certificate_that_is_cut_off_is_none(certificate, missing):
    assert cut_certificate(certificate[:-missing]) == b""


@given(st.lists(certificates, max_size=4), st.sampled_from([b"", b"\xff" * 40, bytes(3)]))
def test_a_chain_is_cut_apart(chain, padding):
    assert cut_certificates(b"".join(chain) + padding) == tuple(chain)


@given(st.binary(max_size=50))
def test_noise_is_no_certificate(noise):
    assert all(noise.startswith(b"\x30\x82") for _unused in cut_certificates(noise))


def wrapped(certificate):
    return b"\x04\x82" + len(certificate).to_bytes(2, "big") + certificate


@given(certificates, st.sampled_from([b"", b"\xff" * 40, bytes(40)]))
def test_a_certificate_in_an_octet_string_is_taken_out(certificate, padding):
    assert cut_certificate(wrapped(certificate) + padding) == certificate


@given(certificates, st.integers(1, 100))
def test_a_wrapped_certificate_that_is_cut_off_is_none(certificate, missing):
    assert cut_certificate(wrapped(certificate)[:-missing]) == b""


@given(st.lists(st.tuples(certificates, st.booleans()), max_size=4))
def test_a_chain_may_be_wrapped_in_part(chain):
    data = b"".join(wrapped(each) if is_wrapped else each for each, is_wrapped in chain)
    assert cut_certificates(data + b"\xff" * 9) == tuple(each for each, _unused in chain)


RSA, ECC = TEMPLATES[0], TEMPLATES[1]


@pytest.mark.parametrize(
    "template, usage, right",
    [
        (ECC, ["key_agreement"], True),
        (ECC, ["key_encipherment"], False),
        (ECC, ["digital_signature", "key_agreement"], True),
        (RSA, ["key_encipherment"], True),
        (RSA, ["key_agreement"], False),
        (RSA, None, True),
    ],
)
def test_a_certificate_suits_the_keys_of_its_usage(template, usage, right):
    key = forge.ecc_key() if template is ECC else forge.rsa_key()
    ek = forge.EkCertificate(key_usage=None if usage is None else forge.usage(*usage))
    certificate = forge.der(ek.issue(forge.Authority("Maker CA"), key.public_key()))
    assert suits(certificate, template) is right


@given(st.binary(max_size=9), st.sampled_from([RSA, ECC]))
def test_noise_behind_the_usage_does_no_harm(noise, template):
    assert suits(b"\x06\x03\x55\x1d\x0f" + noise, template) in (True, False)
