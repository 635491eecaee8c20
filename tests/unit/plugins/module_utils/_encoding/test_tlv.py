# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import (
    Tlv,
    TlvError,
    encode,
    parse,
    parse_distinct,
    parse_one,
)
from hypothesis import given
from hypothesis import strategies as st

TAGS = st.sampled_from([0x01, 0x30, 0x4F, 0x53, 0x7C, 0x7E, 0x82, 0xFE, 0x5F2F, 0x7F49, 0x5FC105, 0x5FFF01, 0x1F8101])


@given(st.lists(st.tuples(TAGS, st.binary(max_size=300)), max_size=5))
def test_what_is_encoded_is_parsed(objects: list[tuple[int, bytes]]) -> None:
    assert parse(b"".join(encode(tag, value) for tag, value in objects)) == objects


@given(st.binary(max_size=64))
def test_garbage_is_objects_or_a_tlv_error(data: bytes) -> None:
    try:
        objects = parse(data)
    except TlvError:
        return
    assert sum(len(encode(tag, value)) for tag, value in objects) <= len(data)


@given(TAGS, st.binary(min_size=1, max_size=300), st.data())
def test_a_cut_object_is_refused(tag: int, value: bytes, data: st.DataObject) -> None:
    whole = encode(tag, value)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(TlvError):
        parse(whole[:cut])


@pytest.mark.parametrize(
    ("size", "header"),
    [(0x7F, "537F"), (0x80, "538180"), (0xFF, "5381FF"), (0x100, "53820100"), (0x10000, "5383010000")],
)
def test_lengths_are_the_shortest(size: int, header: str) -> None:
    assert encode(0x53, bytes(size)).hex().upper().startswith(header)


def test_a_longer_length_than_needed_is_read() -> None:
    assert parse(bytes.fromhex("538300000141")) == [Tlv(0x53, b"A")]


@pytest.mark.parametrize(
    "data",
    [
        "5380410000",  # indefinite
        "53FF" + "00" * 130,
        "5385000000000141",  # five bytes of length
        "0000",
        "5F",
        "5FFFFFFF0100",  # a tag of five bytes
        "53",
        "538201",
    ],
)
def test_malformed_objects_are_refused(data: str) -> None:
    with pytest.raises(TlvError):
        parse(bytes.fromhex(data))


def test_one_object_is_one_object() -> None:
    assert parse_one(bytes.fromhex("5C035FC105"), 0x5C) == bytes.fromhex("5FC105")
    for other in ("", "5C005C00", "5D00"):
        with pytest.raises(TlvError):
            parse_one(bytes.fromhex(other), 0x5C)


def test_a_tag_that_comes_twice_is_refused() -> None:
    assert parse_distinct(bytes.fromhex("8200810141")) == {0x82: b"", 0x81: b"A"}
    with pytest.raises(TlvError):
        parse_distinct(bytes.fromhex("82008200"))
