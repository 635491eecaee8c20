# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import (
    Reader,
    WireError,
    sized,
    unsized,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.binary(max_size=100))
def test_a_sized_buffer_comes_back(value):
    assert unsized(sized(value), "TPM2B_DIGEST", 100) == value


@given(st.binary(max_size=100), st.binary(min_size=1, max_size=5))
def test_bytes_after_the_end_are_refused(value, rest):
    with pytest.raises(WireError, match=f"has {len(rest)} bytes after its end"):
        unsized(sized(value) + rest, "TPM2B_DIGEST", 100)


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_cut_buffer_is_refused(value, data):
    whole = sized(value)
    with pytest.raises(WireError, match="too early"):
        unsized(whole[: data.draw(st.integers(0, len(whole) - 1))], "TPM2B_DIGEST", 100)


def test_a_buffer_longer_than_the_specification_allows_is_refused_though_it_is_all_there():
    with pytest.raises(WireError, match="TPM2B_DIGEST has 65 bytes in its buffer, where at most 64 may be"):
        unsized(sized(bytes(65)), "TPM2B_DIGEST", 64)


def test_numbers_are_big_endian():
    reader = Reader(bytes(range(15)), "numbers")
    assert (reader.u8(), reader.u16(), reader.u32(), reader.u64()) == (0, 0x0102, 0x03040506, 0x0708090A0B0C0D0E)
    reader.end()
