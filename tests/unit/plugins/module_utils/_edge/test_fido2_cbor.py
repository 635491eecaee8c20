# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CBOR as CTAP wants it: the canonical form alone, whatever cbor2 would take."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2 import cbor
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from hypothesis import given
from hypothesis import strategies as st

cbor2 = pytest.importorskip("cbor2", reason="needs cbor2, as in Debian's python3-cbor2")

SCALARS = st.one_of(
    st.integers(-(1 << 64), (1 << 64) - 1), st.booleans(), st.binary(max_size=300), st.text(max_size=40)
)


KEYS = st.one_of(st.integers(-300, 300), st.text(max_size=30), st.binary(max_size=30))


def nested(values):
    return st.one_of(values, st.lists(values, max_size=4), st.dictionaries(KEYS, values, max_size=5))


@given(nested(nested(nested(SCALARS))))
def test_what_was_written_is_read(value):
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=64))
def test_whatever_is_read_is_written_the_same_way_again(data):
    """So there is one form of each value, and nobody signs one and has another one read."""
    try:
        value = cbor.decode(data)
    except cbor.CborError:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("", "ends too early"),
        ("1817", "longer than it need be"),
        ("190017", "longer than it need be"),
        ("1a0000ffff", "longer than it need be"),
        ("1b00000000ffffffff", "longer than it need be"),
        ("5801", "longer than it need be"),
        ("5820", "ends too early"),
        ("19", "ends too early"),
        ("9f01ff", "not said"),
        ("bf0101ff", "not said"),
        ("5f4101ff", "not said"),
        ("1c", "not said"),
        ("a2020101ff", "not in order"),
        ("a202010101", "not in order"),
        ("a201010101", "there twice"),
        ("a161", "ends too early"),
        ("a2626161016162010000", "not in order"),
        ("a2616101010100", "not in order"),
        ("a1810101", "neither a number nor a string"),
        ("a1f401", "neither a number nor a string"),
        ("c074323031332d30332d32315432303a30343a30305a", "a tag"),
        ("d81c01", "a tag"),
        ("fb3ff199999999999a", "fraction"),
        ("f90000", "fraction|longer"),
        ("f6", "another value"),
        ("f7", "another value"),
        ("f814", "longer than it need be"),
        ("0000", "follows"),
        ("61ff", "not UTF-8|cbor2 can't"),
        ("8181818101", None),
        ("818181818101", "deeper than 4"),
        ("a101a101a101a101a10101", "deeper than 4"),
        ("9b7fffffffffffffff", "ends too early"),
        ("bb7fffffffffffffff", "ends too early"),
        ("5b7fffffffffffffff", "ends too early"),
    ],
)
def test_another_form(data, fault):
    if fault is None:
        cbor.decode(bytes.fromhex(data))
        return
    with pytest.raises(cbor.CborError, match=fault):
        cbor.decode(bytes.fromhex(data))


def test_a_long_list_of_lists_costs_no_more_than_its_bytes():
    """Each level is looked at once; a request of the largest size with the most levels is read."""
    data = cbor.encode([[[[1] * 500] * 3] * 3])
    assert len(data) > 4000
    assert cbor.encode(cbor.decode(data)) == data


def test_a_host_without_cbor2(monkeypatch):
    cbor.require()
    monkeypatch.setitem(sys.modules, "cbor2", None)
    with pytest.raises(StateError, match=r"package cbor2 can't be imported .* python3-cbor2"):
        cbor.require()
