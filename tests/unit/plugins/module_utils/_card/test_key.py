# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots by name and number, and authValues."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import (
    NEWEST,
    Derivation,
    auth_value,
    hash_auth,
    secret_auth,
    separating_nonce,
    telltale,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge, parse_algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face, parse_faces
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import (
    PinUse,
    default_pin_use,
    slot_name,
    slot_number,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

SLOTS = [0x9A, 0x9C, 0x9D, 0x9E, *range(0x82, 0x96), *range(0xB081, 0xB09F)]


def test_names_and_numbers_are_inverse():
    assert [slot_number(slot_name(number)) for number in SLOTS] == SLOTS
    assert slot_name(0x82) == "retired_1" and slot_name(0x95) == "retired_20"
    assert slot_name(0xB081) == "container_0" and slot_name(0xB09E) == "container_29"


@pytest.mark.parametrize(
    "name", ["", "9a", "retired_0", "retired_21", "retired_x", "AUTHENTICATIO", "container_30", "container_01"]
)
def test_what_is_no_slot(name):
    with pytest.raises(InputError, match="retired_1 to retired_20"):
        slot_number(name)


def test_when_a_slot_asks_for_the_pin():
    uses = {number: default_pin_use(number) for number in SLOTS}
    assert uses.pop(0x9C) is PinUse.ALWAYS and uses.pop(0x9E) is PinUse.NEVER
    assert set(uses.values()) == {PinUse.ONCE}


def test_what_a_slot_gets_that_no_algorithm_was_named_for():
    assert parse_algorithm(None, 0x9A) is KeyAlgorithm.ECC_P256
    assert parse_algorithm(None, 0xB081) is KeyAlgorithm.RSA_2048
    assert parse_algorithm("rsa_4096", 0xB081) is KeyAlgorithm.RSA_4096


def test_an_algorithm_that_does_not_exist():
    with pytest.raises(InputError, match="algorithm is 'dsa', which is no known algorithm: choose one of rsa_2048"):
        parse_algorithm("dsa", 0x9A)


def test_an_algorithm_that_an_edge_does_not_have():
    with pytest.raises(InputError, match="is 'ecc_p384', and on a GIDS card programs know RSA only: choose one of rsa"):
        KeySpecification.parse({"slot": "container_0", "algorithm": "ecc_p384"}).check(Edge.GIDS, [Face.PCSC])


def test_only_a_reader_s_programs_need_a_number_for_the_algorithm():
    wanted = KeySpecification.parse({"slot": "container_0", "algorithm": "ecc_p521"})
    wanted.check(Edge.GIDS, [Face.PKCS11])
    with pytest.raises(InputError, match="choose one of rsa"):
        wanted.check(Edge.GIDS, [Face.PKCS11, Face.PCSC])
    with pytest.raises(InputError, match="no PIV card has"):
        wanted.check(Edge.PIV, [Face.PKCS11])


def test_a_card_has_at_least_one_face():
    assert parse_faces(["pkcs11", "pcsc", "pcsc"]) == (Face.PCSC, Face.PKCS11)
    with pytest.raises(InputError, match="faces is empty, so that no program would reach the card: name pcsc, pkcs11"):
        parse_faces([])


@pytest.mark.parametrize("edge", Edge)
def test_an_edge_shows_its_default_in_each_of_its_slots(edge):
    assert edge.default_algorithm in edge.algorithms
    slots = [slot for slot in SLOTS if slot in edge.slots]
    assert slots and {Edge.of(slot) for slot in slots} == {edge}


@pytest.mark.parametrize(("edge", "slot"), [(Edge.PIV, 0xB081), (Edge.GIDS, 0x9A), (Edge.GIDS, 0x95)])
def test_each_edge_has_slots_of_its_own(edge, slot):
    with pytest.raises(InputError, match=f"slot is {slot_name(slot)}, which no {edge.label} card has"):
        edge.check_slot(slot)
    {Edge.PIV: Edge.GIDS, Edge.GIDS: Edge.PIV}[edge].check_slot(slot)


def test_sizes():
    assert (KeyAlgorithm.RSA_2048.size, KeyAlgorithm.ECC_P256.size, KeyAlgorithm.ECC_P384.size) == (256, 32, 48)


@given(st.binary(max_size=127), st.binary(min_size=16, max_size=16), st.sampled_from(["pin", "puk", "parent"]))
def test_auth_values(secret, salt, purpose):
    value = auth_value(secret, salt, purpose)
    assert len(value) == 32 and value[-1] != 0
    assert value == auth_value(secret, salt, purpose)
    assert value != auth_value(secret + b"x", salt, purpose)
    assert value != auth_value(secret, salt, purpose + "x")


@given(st.binary(max_size=127), st.binary(max_size=64), st.sampled_from(["pin", "pin hash", "parent"]))
def test_auth_values_are_those_of_hkdf(secret, salt, purpose):
    theirs = HKDF(hashes.SHA256(), 32, salt, b"hardbound card " + purpose.encode()).derive(secret)
    assert auth_value(secret, salt, purpose) == theirs[:-1] + bytes([theirs[-1] | 1])


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_telltales_tell_old_from_new(new, old):
    nonce = separating_nonce(new, [old, bytes(32)])
    for other in {old, bytes(32)} - {new}:
        assert telltale(nonce, new) != telltale(nonce, other)


def test_a_pin_lets_in_by_its_hash_alone():
    """A CTAP client sends LEFT(SHA-256(PIN), 16): here that of 123456."""
    salt, pin_hash = bytes(16), bytes.fromhex("8d969eef6ecad3c29a3a629280e686cf")
    known = secret_auth(b"123456", salt, "pin", Derivation.HASH)
    assert hash_auth(pin_hash, salt, "pin") == known
    others = [secret_auth(pin_hash, salt, "pin", Derivation.SECRET), secret_auth(b"123456", salt, "puk", NEWEST)]
    assert known not in (*others, secret_auth(b"123456", salt, "pin", Derivation.SECRET))
    assert secret_auth(b"123456", salt, "pin", Derivation.SECRET) == auth_value(b"123456", salt, "pin")
