# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import (
    LONGEST_COMMAND_DATA,
    ApduError,
    CommandAPDU,
    Exchange,
    ResponseAPDU,
    StatusWord,
)
from hypothesis import given
from hypothesis import strategies as st

BYTE = st.integers(0, 255)
SHORT = st.builds(
    CommandAPDU, BYTE, BYTE, BYTE, BYTE, st.binary(max_size=255), st.none() | st.integers(1, 256), st.just(False)
)
EXTENDED = st.builds(
    CommandAPDU, BYTE, BYTE, BYTE, BYTE, st.binary(max_size=600), st.none() | st.integers(1, 65536), st.just(True)
).filter(lambda command: command.data or command.le)


@given(SHORT | EXTENDED)
def test_what_is_encoded_is_parsed(command: CommandAPDU) -> None:
    assert CommandAPDU.parse(command.encode()) == command


@pytest.mark.parametrize(
    ("raw", "data", "le"),
    [
        ("00CB3FFF", "", None),
        ("00CB3FFF00", "", 256),
        ("00CB3FFF10", "", 16),
        ("00CB3FFF035C017E", "5C017E", None),
        ("00CB3FFF035C017E00", "5C017E", 256),
        ("00CB3FFF000000", "", 65536),
        ("00CB3FFF000100", "", 256),
        ("00CB3FFF0000035C017E", "5C017E", None),
        ("00CB3FFF0000035C017E0100", "5C017E", 256),
    ],
)
def test_all_four_cases_are_read(raw: str, data: str, le: int | None) -> None:
    command = CommandAPDU.parse(bytes.fromhex(raw))
    assert (command.data, command.le) == (bytes.fromhex(data), le)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00",
        "00CB3F",
        "00CB3FFF0000",
        "00CB3FFF035C01",
        "00CB3FFF035C017E0000",
        "00CB3FFF00000241",
        "00CB3FFF00000000",
    ],
)
def test_lengths_that_do_not_fit_are_refused(raw: str) -> None:
    with pytest.raises(ApduError) as refused:
        CommandAPDU.parse(bytes.fromhex(raw))
    assert refused.value.status == StatusWord.WRONG_LENGTH


def echo(command: CommandAPDU) -> ResponseAPDU:
    return ResponseAPDU(command.data)


@given(st.lists(st.binary(max_size=600), max_size=6))
def test_garbage_is_answered(commands: list[bytes]) -> None:
    exchange = Exchange(echo)
    for raw in commands:
        response = exchange.transmit(raw)
        assert len(response) >= 2
        assert response[-2] & 0xF0 in (0x60, 0x90)


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 255))
def test_a_chain_is_joined_and_the_answer_split(data: bytes, step: int) -> None:
    exchange = Exchange(echo)
    assert transmit_short(exchange, data, step) == ResponseAPDU(data)


def transmit_short(exchange: Exchange, data: bytes, step: int) -> ResponseAPDU:
    chunks = [data[start : start + step] for start in range(0, len(data), step)]
    for chunk in chunks[:-1]:
        assert exchange.transmit(CommandAPDU(0x10, 0xDB, 0x3F, 0xFF, chunk).encode()) == b"\x90\x00"
    response = ResponseAPDU.parse(exchange.transmit(CommandAPDU(0x00, 0xDB, 0x3F, 0xFF, chunks[-1]).encode()))
    answer = response.data
    while response.status >> 8 == 0x61:
        assert len(response.data) == 256
        response = ResponseAPDU.parse(exchange.transmit(CommandAPDU(0, 0xC0, 0, 0, le=256).encode()))
        answer += response.data
    return ResponseAPDU(answer, response.status)


def test_an_extended_command_gets_its_answer_whole() -> None:
    data = bytes(range(256)) * 8
    command = CommandAPDU(0, 0xDB, 0x3F, 0xFF, data, 65536, extended=True)
    assert Exchange(echo).transmit(command.encode()) == data + b"\x90\x00"


def test_le_is_the_most_that_is_answered() -> None:
    exchange = Exchange(echo)
    assert exchange.transmit(bytes.fromhex("00DB3FFF 03 414243 02")) == b"AB\x61\x01"
    assert exchange.transmit(bytes.fromhex("00C00000 01")) == b"C\x90\x00"
    assert exchange.transmit(bytes.fromhex("00C00000 01")) == b"\x69\x85"


def test_another_command_ends_a_chain_and_an_answer() -> None:
    exchange = Exchange(echo)
    exchange.transmit(bytes.fromhex("10DB3FFF 01 41"))
    assert exchange.transmit(bytes.fromhex("00CB3FFF 01 42")) == b"B\x90\x00"
    assert exchange.transmit(bytes.fromhex("00DB3FFF 01 43")) == b"C\x90\x00"
    exchange.transmit(bytes.fromhex("00DB3FFF 02 4142 01"))
    exchange.transmit(bytes.fromhex("00DB3FFF 01 43"))
    assert exchange.transmit(bytes.fromhex("00C0000000")) == b"\x69\x85"


def test_a_reset_forgets_a_chain_and_an_answer() -> None:
    exchange = Exchange(echo)
    exchange.transmit(bytes.fromhex("10DB3FFF 01 41"))
    exchange.reset()
    assert exchange.transmit(bytes.fromhex("00DB3FFF 02 4243 01")) == b"B\x61\x01"
    exchange.reset()
    assert exchange.transmit(bytes.fromhex("00C0000000")) == b"\x69\x85"


def test_one_long_command_brings_no_more_than_a_chain() -> None:
    exchange = Exchange(lambda command: ResponseAPDU(status=0x9000 if command.data else 0x6F00))
    for size, answer in ((LONGEST_COMMAND_DATA, b"\x90\x00"), (LONGEST_COMMAND_DATA + 1, b"\x6a\x84")):
        for cla in (0x00, 0x10):
            assert exchange.transmit(CommandAPDU(cla, 0xDB, 0x3F, 0xFF, bytes(size), extended=True).encode()) == answer
            exchange.reset()


def test_an_endless_chain_is_refused() -> None:
    exchange = Exchange(echo)
    link = CommandAPDU(0x10, 0xDB, 0x3F, 0xFF, bytes(255)).encode()
    answers = [exchange.transmit(link) for _unused in range(LONGEST_COMMAND_DATA // 255 + 1)]
    assert set(answers[:-1]) == {b"\x90\x00"}
    assert answers[-1] == b"\x6a\x84"
    assert exchange.transmit(bytes.fromhex("00DB3FFF 01 41")) == b"A\x90\x00"


@pytest.mark.parametrize(
    ("cla", "status"),
    [
        (0x80, StatusWord.CLASS_NOT_SUPPORTED),
        (0xFF, StatusWord.CLASS_NOT_SUPPORTED),
        (0x0C, StatusWord.SECURE_MESSAGING_NOT_SUPPORTED),
        (0x01, StatusWord.LOGICAL_CHANNEL_NOT_SUPPORTED),
    ],
)
def test_other_classes_are_refused(cla: int, status: StatusWord) -> None:
    response = Exchange(echo).transmit(bytes((cla, 0xCB, 0x3F, 0xFF)))
    assert ResponseAPDU.parse(response) == ResponseAPDU(status=status)


def test_tries_are_told_up_to_fifteen() -> None:
    assert [StatusWord.tries_left(left) for left in (0, 3, 99)] == [0x63C0, 0x63C3, 0x63CF]


def test_a_response_needs_a_status_word() -> None:
    with pytest.raises(ApduError):
        ResponseAPDU.parse(b"\x90")
