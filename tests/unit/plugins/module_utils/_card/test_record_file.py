# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written of a card is read again, and whatever else lies in its place is refused in words."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.tests.support.whole_record import RECORD
from hypothesis import given
from hypothesis import strategies as st


def test_round_trip():
    assert record_file.load(record_file.dump(RECORD)) == RECORD


@given(st.integers(0, len(record_file.dump(RECORD)) - 2))
def test_a_file_that_was_cut_short(length):
    with pytest.raises(ValueError, match="it is damaged"):
        record_file.load(record_file.dump(RECORD)[:length])


@given(st.binary(max_size=64))
def test_another_file_in_its_place(data):
    with pytest.raises(ValueError, match="it is damaged"):
        record_file.load(data)


@given(
    st.sampled_from(sorted(json.loads(record_file.dump(RECORD)).keys() - {"version"})),
    st.sampled_from([None, 7, "?", [], {}]),
)
def test_a_field_of_another_kind(name, value):
    """Either it is a value that the field may have, or it is refused; never another exception."""
    fields = json.loads(record_file.dump(RECORD))
    fields[name] = value
    try:
        record_file.load(json.dumps(fields).encode())
    except ValueError as error:
        assert "it is damaged" in str(error)


def test_a_field_that_is_missing():
    fields = json.loads(record_file.dump(RECORD))
    del fields["salt"]
    with pytest.raises(ValueError, match="it is damaged"):
        record_file.load(json.dumps(fields).encode())
