# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and their DER, side by side with cryptography, and with damage."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import der as writer
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import encode
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation import der
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import (
    Certificate,
    load_key,
    name_key,
    name_text,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.der import DerError, Element
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek_certificate import vendor
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.oid import RSAES_OAEP
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import Authority
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

AUTHORITY = Authority("Root CA")
THEIRS = AUTHORITY.certificate
RAW = forge.der(THEIRS)
OURS = Certificate.parse(RAW)


def test_cryptography_agrees():
    assert OURS.serial == THEIRS.serial_number
    assert OURS.issuer == THEIRS.issuer.public_bytes() and OURS.subject == THEIRS.subject.public_bytes()
    assert OURS.not_before.replace(tzinfo=None) == forge.NOW.replace(tzinfo=None) - 400 * forge.DAY
    assert OURS.signed.content == THEIRS.tbs_certificate_bytes and OURS.signed.signature == THEIRS.signature
    assert OURS.public_key.public_numbers() == THEIRS.public_key().public_numbers()
    assert OURS.basic_constraints.ca and OURS.purposes is None


def test_who_signed_it():
    assert OURS.signed.is_signed_by(AUTHORITY.key.public_key())
    assert not OURS.signed.is_signed_by(forge.ecc_key().public_key())
    assert not OURS.signed.is_signed_by(forge.rsa_key().public_key())


@given(st.integers(0, len(RAW) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_unsigned(at, bit):
    damaged = bytearray(RAW)
    damaged[at] ^= 1 << bit
    with contextlib.suppress(DerError):
        assert not Certificate.parse(bytes(damaged)).signed.is_signed_by(AUTHORITY.key.public_key())


@given(st.integers(0, len(RAW) - 1))
def test_a_cut_certificate_is_refused(size):
    with pytest.raises(DerError):
        Certificate.parse(RAW[:size])


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(DerError):
        Certificate.parse(noise)


@given(st.binary(max_size=60))
def test_der_that_is_accepted_is_what_it_was(noise):
    with contextlib.suppress(DerError):
        assert b"".join(element.raw for element in der.read_all(noise)) == noise


@pytest.mark.parametrize("raw", ["3080", "308102", "30820001", "3084000000010000", "1f0100", "30", ""])
def test_lengths_that_der_forbids_are_refused(raw):
    with pytest.raises(DerError):
        der.read(bytes.fromhex(raw))


@pytest.mark.parametrize("bits, value", [("030205a0", "a0"), ("030100", ""), ("03020780", "80"), ("030200ff", "ff")])
def test_bit_strings(bits, value):
    assert der.read(bytes.fromhex(bits)).bits().hex() == value


@pytest.mark.parametrize("bits", ["0300", "03020801", "030101", "030205a1", "0400"])
def test_malformed_bit_strings_are_refused(bits):
    with pytest.raises(DerError):
        der.read(bytes.fromhex(bits)).bits()


def test_the_unused_bits_of_a_signature_are_not_signed_so_there_are_none():
    assert der.read(bytes.fromhex("030200fe")).whole_bytes() == b"\xfe"
    with pytest.raises(DerError):
        der.read(bytes.fromhex("030201fe")).whole_bytes()


@pytest.mark.parametrize("dotted", ["1.2.840.10045.4.3.2", "2.5.29.15", "2.23.133.8.1", "0.9.2342.19200300.100.1.25"])
def test_object_identifiers(dotted):
    assert der.read(writer.oid(dotted)).oid() == dotted


@pytest.mark.parametrize(
    "tag, text, year",
    [
        (0x17, "491231235959Z", 2049),
        (0x17, "500101000000Z", 1950),
        (0x18, "20400101000000Z", 2040),
        (0x18, "99991231235959Z", 9999),
    ],
)
def test_times(tag, text, year):
    assert der.read(encode(tag, text.encode())).time().year == year


@pytest.mark.parametrize(
    "tag, text", [(0x17, "4912312359Z"), (0x18, "20401301000000Z"), (0x18, "x"), (0x04, "491231235959Z")]
)
def test_malformed_times_are_refused(tag, text):
    with pytest.raises(DerError):
        der.read(encode(tag, text.encode())).time()


def test_names_that_differ_in_case_spaces_and_string_type_mean_the_same():
    one = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "STM TPM  Root CA", _type=x509.name._ASN1Type.UTF8String)])
    other = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "stm tpm root ca", _type=x509.name._ASN1Type.PrintableString)]
    )
    assert one.public_bytes() != other.public_bytes()
    assert name_key(one.public_bytes()) == name_key(other.public_bytes())


def test_a_name_is_shown_in_one_line():
    shown = name_text(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "two\nlines \x1b[31m")]).public_bytes())
    assert shown == "CN=two?lines ?[31m"


def test_an_rsa_key_that_is_marked_for_oaep_is_read():
    key = forge.rsa_key().public_key()
    bits = der.read(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).members()[1]
    spki = writer.sequence(writer.sequence(writer.oid(RSAES_OAEP)), bits.raw)
    assert load_key(spki).public_numbers() == key.public_numbers()


@pytest.mark.parametrize(
    "spki", [b"", b"\x30\x00", writer.sequence(writer.sequence(writer.oid("1.2.3")), writer.bits(b"x"))]
)
def test_what_is_no_key_is_refused(spki):
    with pytest.raises(DerError):
        load_key(spki)


def test_a_key_on_another_curve_family_is_kept_out_only_by_its_kind():
    key = ec.generate_private_key(ec.SECP521R1()).public_key()
    assert load_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(
    "text, shown",
    [
        ("id:49465800", "IFX"),
        ("id:53544D20", "STM"),
        ("ID:494e5443", "INTC"),
        ("id:00001014", "ID:00001014"),
        ("AMD", "AMD"),
    ],
)
def test_vendors(text, shown):
    assert vendor(text) == shown


def test_an_object_identifier_that_nobody_could_write_is_none():
    """Python writes no number of more than 4300 digits, and takes its time for those that are shorter."""
    long = b"\x2a" + b"\xff" * 3000 + b"\x7f"
    with pytest.raises(DerError, match="too long"):
        Element(writer.Tag.OID, long, long).oid()
