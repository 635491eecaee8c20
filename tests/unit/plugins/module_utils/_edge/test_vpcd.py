# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader's framing, against a listening socket in place of pcscd."""

from __future__ import annotations

import select
import socket
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.vpcd import (
    PATIENCE,
    ReaderGone,
    SlotConnection,
    Waiting,
)
from hypothesis import given
from hypothesis import strategies as st


class Echo:
    """A card that answers with what it was sent."""

    atr = bytes.fromhex("3B00")

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def transmit(self, raw: bytes) -> bytes:
        return raw[::-1]


class Slot:
    """The reader's end of one connection."""

    def __init__(self) -> None:
        self.card = Echo()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.connection = SlotConnection(server.getsockname())
            self.reader, _unused = server.accept()
        self.reader.settimeout(5)
        self.connection.on_writable()

    def __enter__(self) -> Slot:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.reader.close()
        self.connection.close()

    def send(self, data: bytes) -> None:
        self.reader.sendall(data)
        assert select.select([self.connection.socket], [], [], 5)[0]
        self.connection.on_readable(self.card)

    def receive(self) -> bytes:
        length = int.from_bytes(self.reader.recv(2, socket.MSG_WAITALL), "big")
        return self.reader.recv(length, socket.MSG_WAITALL)


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


@pytest.fixture
def slot() -> t.Iterator[Slot]:
    with Slot() as slot:
        yield slot


def test_the_atr_is_told_on_request(slot: Slot) -> None:
    assert not slot.connection.seen
    slot.send(framed(b"\x04"))
    assert slot.receive() == Echo.atr
    assert slot.connection.seen


def test_power_and_reset_want_no_answer(slot: Slot) -> None:
    slot.send(framed(b"\x01") + framed(b"\x02") + framed(b"\x00") + framed(b"\x04"))
    assert slot.receive() == Echo.atr
    assert slot.card.resets == 3


@pytest.mark.parametrize("message", [b"", b"\x03", b"\x05", b"\x77", b"\xff"])
def test_what_is_too_short_for_a_command_is_answered(slot: Slot, message: bytes) -> None:
    """It comes from a program, and the driver waits for the answer."""
    slot.send(framed(message) + framed(b"\x04"))
    assert [slot.receive(), slot.receive()] == [b"\x67\x00", Echo.atr]
    assert slot.card.resets == 0
    slot.connection.check(time.monotonic() + 3600)


@pytest.mark.parametrize("word", [b"\0", b"\1", b"\2"])
def test_a_reader_that_says_nothing_after_a_word_of_its_own_waits_for_an_answer(slot: Slot, word: bytes) -> None:
    before = time.monotonic()
    slot.send(framed(word))
    slot.connection.check(before + PATIENCE / 2)
    with pytest.raises(Waiting):
        slot.connection.check(time.monotonic() + PATIENCE)
    for more in (b"\4", b"\0\xa4\0\0", b"\x77"):
        slot.send(framed(word) + framed(more))
        slot.connection.check(time.monotonic() + 3600)
    slot.send(framed(b"\4") + framed(word))
    with pytest.raises(Waiting):
        slot.connection.check(time.monotonic() + PATIENCE)


def test_a_reader_that_spoke_while_nobody_listened_does_not_wait_in_vain(slot: Slot) -> None:
    """A slow TPM had us wait for another card's key, and the reader's words were not read meanwhile."""
    slot.send(framed(b"\0"))
    slot.reader.sendall(framed(b"\4"))
    assert select.select([slot.connection.socket], [], [], 5)[0]
    slot.connection.check(time.monotonic() + 3600)
    slot.connection.on_readable(slot.card)
    assert slot.receive() == Echo.atr


def test_a_reader_that_never_spoke_need_not_speak(slot: Slot) -> None:
    slot.connection.check(time.monotonic() + 3600)


@given(st.lists(st.binary(min_size=2, max_size=400), min_size=1, max_size=4), st.integers(1, 50))
def test_commands_are_answered_however_they_are_cut(commands: t.List[bytes], step: int) -> None:
    with Slot() as slot:
        stream = b"".join(map(framed, commands))
        for start in range(0, len(stream), step):
            slot.send(stream[start : start + step])
        assert [slot.receive() for _unused in commands] == [command[::-1] for command in commands]
        assert slot.connection.commands == len(commands)


def test_an_answer_that_does_not_fit_is_sent_bit_by_bit(slot: Slot) -> None:
    message = bytes(range(256)) * 255
    slot.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    for _unused in range(20):
        slot.connection._send(message)
    assert slot.connection.wants_to_write
    received = b""
    while slot.connection.wants_to_write or len(received) < 20 * len(framed(message)):
        readable, writable, _unused = select.select([slot.reader], [slot.connection.socket], [], 5)
        if readable:
            received += slot.reader.recv(0x10000)
        if writable:
            slot.connection.on_writable()
    assert received == framed(message) * 20


def test_a_reader_that_goes_is_noticed(slot: Slot) -> None:
    slot.reader.close()
    with pytest.raises(ReaderGone):
        slot.connection.on_readable(slot.card)


def test_no_reader_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with pytest.raises(ReaderGone):
        connection = SlotConnection(address)
        select.select([], [connection.socket], [], 5)
        connection.on_writable()
