# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""p11-kit's wire format; the other side of it is tests/support/p11_kit_client.py."""

from __future__ import annotations

import contextlib
import re
import struct
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import p11_kit
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit import (
    CALLS,
    Attribute,
    Fitted,
    UnknownCall,
    WireError,
    padded,
    read_request,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_attributes import (
    WantedAttribute,
    write_attributes,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_frame import (
    LONGEST,
    Frame,
    Frames,
    frame,
    whole_size,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_mechanism import UnknownMechanism
from ansible_collections.hardbound.identity.tests.support import p11_kit_client as client
from hypothesis import given
from hypothesis import strategies as st

VERSIONS = st.integers(0, 3)
NUMBERS = st.integers(0, (1 << 64) - 1)
ROOMS = st.integers(0, (1 << 32) - 2)
BYTES = st.none() | st.binary(max_size=40)
BARE = st.sampled_from([0x0, 0x1, 0x3, 0x6, 0x40, 0x46, 0x1040, 0x1041, 0x1046])
PSS = st.sampled_from([0xD, 0xE, 0x43, 0x47])
MECHANISMS = st.one_of(
    st.none(),
    st.builds(client.Mechanism, BARE, st.none()),
    st.builds(client.Mechanism, PSS, st.tuples(NUMBERS, NUMBERS, NUMBERS)),
    st.builds(client.Mechanism, st.just(0x9), st.tuples(NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=9))),
    st.builds(client.Mechanism, st.just(0x1050), st.tuples(NUMBERS, st.binary(max_size=9), st.binary(max_size=99))),
)
ATTRIBUTES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([0x1, 0x2, 0x86, 0x103, 0x202]), st.booleans()),
        st.tuples(st.sampled_from([0x0, 0x80, 0x100, 0x161]), NUMBERS),
        st.tuples(st.sampled_from([0x3, 0x11, 0x102, 0x180, 0x80000001]), st.binary(max_size=40)),
        st.tuples(st.integers(0, 0xFFFFFFFF), st.none()),
    ),
    max_size=5,
)
VALUES: t.Mapping[str, st.SearchStrategy[t.Any]] = {
    "y": st.integers(0, 255),
    "u": NUMBERS,
    "z": BYTES,
    "ay": BYTES,
    "fy": ROOMS,
    "fu": ROOMS,
    "aA": ATTRIBUTES,
    "fA": st.lists(st.tuples(st.integers(0, 0x3FFFFFFF), ROOMS), max_size=5),
    "M": MECHANISMS,
}
NAMES = st.sampled_from([call.name for call in CALLS.values()])


@given(NAMES, VERSIONS, st.data())
def test_what_a_program_says_is_understood(name: str, version: int, data: st.DataObject) -> None:
    parts = re.findall("a[yuA]|f[yuA]|[yuvszMP]", CALLS[client.NUMBERS[name]].request)
    arguments = [data.draw(VALUES[part]) for part in parts]
    request = read_request(client.request(name, arguments, version), version)
    assert request.call.name == name
    assert [_plain(each) for each in request.arguments] == [_plain(each) for each in arguments]


def _plain(value: t.Any) -> t.Any:
    return tuple(_plain(each) for each in value) if isinstance(value, (list, tuple)) else value


@given(st.binary(max_size=80), VERSIONS)
def test_any_bytes_are_a_request_or_refused(body: bytes, version: int) -> None:
    with_refusals(body, version)


@given(NAMES, VERSIONS, st.data())
def test_what_is_cut_or_turned_is_refused(name: str, version: int, data: st.DataObject) -> None:
    """The start is right, so that what follows is looked at."""
    signature = CALLS[client.NUMBERS[name]].request.encode()
    start = struct.pack(">II", client.NUMBERS[name], len(signature)) + signature
    with_refusals(start + data.draw(st.binary(max_size=120)), version)


def with_refusals(body: bytes, version: int) -> None:
    with contextlib.suppress(WireError, UnknownCall, UnknownMechanism):
        read_request(body, version)


@pytest.mark.parametrize("name", ["C_Login", "C_SignInit", "C_FindObjectsInit", "C_GetAttributeValue"])
def test_a_request_may_not_be_shorter_or_longer(name: str) -> None:
    arguments: t.Mapping[str, t.Sequence[t.Any]] = {
        "C_Login": (1, 1, b"123456"),
        "C_SignInit": (1, client.Mechanism(0x1), 5),
        "C_FindObjectsInit": (1, [(0, 3), (1, True), (0x102, b"\1")]),
        "C_GetAttributeValue": (1, 5, [(0x11, 0)]),
    }
    whole = client.request(name, arguments[name], 0)
    read_request(whole, 0)
    for end in range(len(whole)):
        with pytest.raises(WireError):
            read_request(whole[:end], 0)
    with pytest.raises(WireError, match="after its end"):
        read_request(whole + b"\0", 0)


def test_another_signature_is_refused() -> None:
    with pytest.raises(WireError, match="another signature than C_GetInfo"):
        read_request(struct.pack(">II", 3, 1) + b"u" + bytes(8), 0)


def test_an_unknown_call_is_no_fault() -> None:
    with pytest.raises(UnknownCall):
        read_request(struct.pack(">II", 77, 0), 0)


@pytest.mark.parametrize("deep", [9, 5000])
def test_templates_within_templates_come_to_an_end(deep: int) -> None:
    nested = b"".join(struct.pack(">IIBI", 1, 0x40000211, 1, 24) for _each in range(deep)) + struct.pack(">I", 0)
    start = client.request("C_FindObjectsInit", (1, []), 0)[:-4]
    with pytest.raises(WireError, match="too deep"):
        read_request(start + nested, 0)


def test_a_template_within_a_template_is_passed_over() -> None:
    nested = struct.pack(">IIBI", 1, 0x40000211, 1, 24) + struct.pack(">IIBIB", 1, 0x1, 1, 1, 1)
    start = client.request("C_FindObjectsInit", (1, []), 0)[:-4]
    assert read_request(start + nested, 0).arguments[1] == (Attribute(0x40000211, b""),)


def test_a_program_asks_for_the_members_of_a_template_since_0_25() -> None:
    start = client.request("C_GetAttributeValue", (1, 5, []), 1)[:-4]
    asked = struct.pack(">III", 1, 0x40000211, 24) + struct.pack(">III", 1, 0x1, 1)
    assert read_request(start + asked, 1).arguments[2] == (WantedAttribute(0x40000211, 24),)
    with pytest.raises(WireError):
        read_request(start + asked, 0)


def test_a_count_that_there_is_no_room_for_is_not_believed() -> None:
    start = client.request("C_FindObjectsInit", (1, []), 0)[:-4]
    with pytest.raises(WireError, match="counts 4294967295 members"):
        read_request(start + b"\xff" * 4, 0)


def test_a_mechanism_that_no_card_has() -> None:
    start = client.request("C_SignInit", (1, client.Mechanism(0x1), 5), 2)
    with pytest.raises(UnknownMechanism):
        read_request(start[:-12] + struct.pack(">I", 0x1082) + start[-8:], 2)


def test_answers() -> None:
    told = p11_kit.answer(3, ((2, 40), padded("hardbound", 32), 0, padded("cards", 32), (0, 1)))
    assert client.Answer(told).values("C_GetInfo") == ((2, 40), "hardbound", 0, "cards", (0, 1))
    with pytest.raises(TypeError):
        p11_kit.answer(3, ())


@given(st.binary(max_size=50), st.integers(0, 60))
def test_bytes_are_told_where_there_is_room_for_them(value: bytes, room: int) -> None:
    (told,) = client.Answer(p11_kit.answer(43, (Fitted(value, room),))).values("C_Sign")
    assert told == (value if len(value) <= room else len(value))


@given(st.lists(NUMBERS, max_size=9), st.integers(0, 12))
def test_numbers_are_told_where_there_is_room_for_them(values: t.List[int], room: int) -> None:
    (told,) = client.Answer(p11_kit.answer(4, (Fitted(values, room),))).values("C_GetSlotList")
    assert told == (values if len(values) <= room else len(values))


def test_a_refusal_is_a_number() -> None:
    with pytest.raises(client.Refused) as refused:
        client.Answer(p11_kit.failure(0xA0)).values("C_Login")
    assert refused.value.rv == 0xA0


@pytest.mark.parametrize("value", [(0x1, 1), (0x0, b""), (0x3, True), (0x40000211, b"")])
def test_no_attribute_is_told_in_another_type_than_it_has(value: t.Tuple[int, t.Any]) -> None:
    with pytest.raises(WireError, match="has no value of type"):
        write_attributes([Attribute(*value)])


def test_allowed_mechanisms_are_numbers() -> None:
    written = write_attributes([Attribute(0x40000600, struct.pack(">QQ", 1, 3))])
    assert written == struct.pack(">IIBIIQQ", 1, 0x40000600, 1, 16, 2, 1, 3)


@pytest.mark.parametrize(
    ("text", "size", "field"), [("ab", 4, b"ab  "), ("ü", 2, b"\xc3\xbc"), ("aü", 2, b"a "), ("abc", 2, b"ab")]
)
def test_texts_fill_their_field(text: str, size: int, field: bytes) -> None:
    assert padded(text, size) == field


@given(st.lists(st.tuples(st.integers(16, 99), st.binary(max_size=60), st.binary(max_size=9)), max_size=6), st.data())
def test_frames_come_whole_however_they_were_cut(sent: t.List[t.Tuple[int, bytes, bytes]], data: st.DataObject) -> None:
    stream = b"".join(client.framed(body, code, options) for code, body, options in sent)
    frames, found = Frames(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        frames.feed(stream[:size])
        stream = stream[size:]
        found += list(iter(frames.next, None))
    assert found == [Frame(code, body) for code, body, _options in sent]
    assert frames.is_empty


@pytest.mark.parametrize("header", [(16, 0, LONGEST + 1), (16, LONGEST + 1, 0), (16, 0, 0xFFFFFFFF)])
def test_a_frame_that_is_too_long_is_passed_over_and_never_kept(header: t.Tuple[int, int, int]) -> None:
    frames, size = Frames(), header[1] + header[2]
    frames.feed(struct.pack(">III", *header))
    assert frames.next() == Frame(16, None)
    for _each in range(min(size, 1 << 20) >> 12):
        assert frames.missing
        frames.feed(bytes(1 << 12))
        assert frames.next() is None
        assert len(frames._buffer) < 12
    if size < 1 << 20:
        frames.feed(bytes(size & 0xFFF) + client.framed(b"ok", 17))
        assert frames.next() == Frame(17, b"ok")


def test_what_is_missing_of_a_frame() -> None:
    frames = Frames()
    assert frames.missing == 12
    whole = frame(16, b"body")
    frames.feed(whole[:12])
    assert (frames.missing, frames.is_empty, frames.next()) == (4, False, None)
    assert (whole_size(whole), whole_size(whole[:11])) == (16, None)
