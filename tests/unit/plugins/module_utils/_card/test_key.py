# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots by name and number, and authValues."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import (
    auth_value,
    separating_nonce,
    telltale,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import (
    Algorithm,
    PinUse,
    default_pin_use,
    slot_name,
    slot_number,
)
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from hypothesis import given
from hypothesis import strategies as st

SLOTS = [0x9A, 0x9C, 0x9D, 0x9E, *range(0x82, 0x96)]


def test_names_and_numbers_are_inverse():
    assert [slot_number(slot_name(number)) for number in SLOTS] == SLOTS
    assert slot_name(0x82) == "retired_1" and slot_name(0x95) == "retired_20"


@pytest.mark.parametrize("name", ["", "9a", "retired_0", "retired_21", "retired_x", "AUTHENTICATIO"])
def test_what_is_no_slot(name):
    with pytest.raises(InputError, match="retired_1 to retired_20"):
        slot_number(name)


def test_when_a_slot_asks_for_the_pin():
    uses = {number: default_pin_use(number) for number in SLOTS}
    assert uses.pop(0x9C) is PinUse.ALWAYS and uses.pop(0x9E) is PinUse.NEVER
    assert set(uses.values()) == {PinUse.ONCE}


def test_sizes():
    assert (Algorithm.RSA_2048.size, Algorithm.ECC_P256.size, Algorithm.ECC_P384.size) == (256, 32, 48)


@given(st.binary(max_size=127), st.binary(min_size=16, max_size=16), st.sampled_from(["pin", "puk", "parent"]))
def test_auth_values(secret, salt, purpose):
    value = auth_value(secret, salt, purpose)
    assert len(value) == 32 and value[-1] != 0
    assert value == auth_value(secret, salt, purpose)
    assert value != auth_value(secret + b"x", salt, purpose)
    assert value != auth_value(secret, salt, purpose + "x")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_telltales_tell_old_from_new(new, old):
    nonce = separating_nonce(new, old)
    assert old == new or telltale(nonce, new) != telltale(nonce, old)
