# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CTAPHID: packets, channels, and programs that get in each other's way."""

from __future__ import annotations

import struct
import threading

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.hid import (
    PACKET,
    PATIENCE,
    HidCommand,
    HidDevice,
    HidError,
    packets,
)
from ansible_collections.hardbound.identity.tests.support.hid_device import SettableClock
from hypothesis import given
from hypothesis import strategies as st

BROADCAST = 0xFFFFFFFF
NONCE = b"12345678"


class Echo:
    """Answers what it is asked."""

    def __init__(self) -> None:
        self.asked = []

    def transmit(self, request, channel, present=False):
        self.asked.append((channel, request))
        return b"\0" + request


class Wire:
    """A device, and the packets that came from it."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.authenticator = Echo()
        self.sent = []
        self.pauses = []
        """How many packets had been sent when the device let some time pass."""
        self.device = HidDevice(
            self.authenticator, self.sent.append, self.clock, pause=lambda _seconds: self.pauses.append(len(self.sent))
        )

    def say(self, channel, command, message=b""):
        for packet in packets(channel, command, message):
            self.device.receive(packet)
        return self.heard()

    def heard(self):
        """The messages that came, whole."""
        found, sent = [], list(self.sent)
        self.sent.clear()
        while sent:
            first = sent.pop(0)
            assert len(first) == PACKET
            channel, command, size = struct.unpack_from(">IBH", first)
            message, sequence = first[7:], 0
            while len(message) < size:
                following = sent.pop(0)
                assert struct.unpack_from(">IB", following) == (channel, sequence)
                message, sequence = message + following[5:], sequence + 1
            found.append((channel, command & 0x7F, message[:size]))
        return found

    def channel(self):
        ((channel, command, message),) = self.say(BROADCAST, HidCommand.INIT, NONCE)
        assert (channel, command, message[:8]) == (BROADCAST, HidCommand.INIT, NONCE)
        given, version, capabilities = struct.unpack_from(">IB3xB", message, 8)
        assert (version, capabilities) == (2, 0x0C)
        return given

    def error(self, channel, error):
        return [(channel, HidCommand.ERROR, bytes((error,)))]


@pytest.fixture
def wire():
    return Wire()


@pytest.mark.parametrize("size", [0, 1, 57, 58, 116, 117, 7609])
def test_a_message_of_any_size(wire, size):
    channel, message = wire.channel(), bytes(size)
    assert wire.say(channel, HidCommand.PING, message) == [(channel, HidCommand.PING, message)]
    if size:
        assert wire.say(channel, HidCommand.CBOR, message[:-1] + b"x")[0][2] == b"\0" + message[:-1] + b"x"
        assert wire.authenticator.asked == [(channel, message[:-1] + b"x")]


def test_a_long_answer_leaves_its_reader_time(wire):
    """The kernel keeps 63 packets for a program, and drops the rest."""
    channel = wire.channel()
    wire.say(channel, HidCommand.PING, bytes(57 + 15 * 59))
    assert wire.pauses == []
    wire.say(channel, HidCommand.PING, bytes(7609))
    assert wire.pauses == list(range(16, 129, 16))


def test_each_program_has_a_channel_of_its_own(wire):
    channels = [wire.channel() for _each in range(3)]
    assert len(set(channels)) == 3
    for channel in channels:
        assert wire.say(channel, HidCommand.PING, b"x") == [(channel, HidCommand.PING, b"x")]


@pytest.mark.parametrize("channel", [0, 2, 0xFFFFFFFE, BROADCAST])
def test_a_channel_that_nobody_was_given(wire, channel):
    wire.channel()
    assert wire.say(channel, HidCommand.PING, b"x") == wire.error(channel, HidError.INVALID_CHANNEL)


@pytest.mark.parametrize("command", [0x03, 0x04, 0x08, 0x3C, 0x40, 0x3F, 0x3B])
def test_commands_that_it_does_not_have(wire, command):
    channel = wire.channel()
    assert wire.say(channel, command, b"x") == wire.error(channel, HidError.INVALID_COMMAND)


def test_a_request_without_a_command(wire):
    channel = wire.channel()
    assert wire.say(channel, HidCommand.CBOR) == wire.error(channel, HidError.INVALID_LENGTH)


def first(channel, command, size, data=b""):
    return (struct.pack(">IBH", channel, command | 0x80, size) + data).ljust(PACKET, b"\0")


def following(channel, sequence, data=b""):
    return (struct.pack(">IB", channel, sequence) + data).ljust(PACKET, b"\0")


@pytest.mark.parametrize("size", [7610, 0xFFFF])
def test_a_message_that_is_too_long(wire, size):
    channel = wire.channel()
    wire.device.receive(first(channel, HidCommand.CBOR, size))
    assert wire.heard() == wire.error(channel, HidError.INVALID_LENGTH)


@pytest.mark.parametrize("size", [0, 7, 9, 100])
def test_an_init_of_another_length(wire, size):
    wire.device.receive(first(BROADCAST, HidCommand.INIT, size))
    assert wire.heard() == wire.error(BROADCAST, HidError.INVALID_LENGTH)


def test_a_second_program_while_the_first_one_speaks(wire):
    """It is told that the device is busy; the first one's message stays whole."""
    one, two = wire.channel(), wire.channel()
    wire.device.receive(first(one, HidCommand.PING, 100, b"a" * 57))
    assert wire.say(two, HidCommand.CBOR, b"\x04") == wire.error(two, HidError.CHANNEL_BUSY)
    three = wire.channel()
    wire.device.receive(following(two, 0, b"b" * 59))
    wire.device.receive(following(one, 0, b"a" * 43 + b"rubbish after it"))
    assert wire.heard() == [(one, HidCommand.PING, b"a" * 100)]
    assert wire.say(three, HidCommand.PING, b"x") == [(three, HidCommand.PING, b"x")]
    assert wire.authenticator.asked == []


def test_a_packet_that_was_lost(wire):
    channel = wire.channel()
    wire.device.receive(first(channel, HidCommand.PING, 200))
    wire.device.receive(following(channel, 1))
    assert wire.heard() == wire.error(channel, HidError.INVALID_SEQUENCE)
    wire.device.receive(following(channel, 2))
    assert wire.heard() == []


def test_a_message_that_begins_in_another(wire):
    channel = wire.channel()
    wire.device.receive(first(channel, HidCommand.PING, 200))
    assert wire.say(channel, HidCommand.PING, b"x") == wire.error(channel, HidError.INVALID_SEQUENCE)
    assert wire.say(channel, HidCommand.PING, b"x") == [(channel, HidCommand.PING, b"x")]


def test_a_program_begins_anew(wire):
    channel = wire.channel()
    wire.device.receive(first(channel, HidCommand.PING, 200))
    ((_channel, command, message),) = wire.say(channel, HidCommand.INIT, NONCE)
    assert command == HidCommand.INIT and message[8:12] == struct.pack(">I", channel)
    assert wire.say(channel, HidCommand.PING, b"x") == [(channel, HidCommand.PING, b"x")]


def test_a_message_whose_packets_do_not_come(wire):
    one, two = wire.channel(), wire.channel()
    wire.device.receive(first(one, HidCommand.PING, 200))
    assert wire.device.due == wire.clock.seconds + PATIENCE
    wire.clock.seconds += PATIENCE / 2
    wire.device.receive(following(one, 0))
    wire.clock.seconds += PATIENCE / 2
    wire.device.tidy()
    assert wire.heard() == []
    wire.clock.seconds += PATIENCE / 2
    answers = wire.say(two, HidCommand.PING, b"x")
    assert answers == [*wire.error(one, HidError.MESSAGE_TIMEOUT), (two, HidCommand.PING, b"x")]
    assert wire.device.due is None


def test_a_cancel_has_no_answer(wire):
    channel = wire.channel()
    assert wire.say(channel, HidCommand.CANCEL) == []
    assert wire.say(channel, HidCommand.PING, b"x") == [(channel, HidCommand.PING, b"x")]


def test_who_waits_is_told_that_the_device_works(wire):
    channel, two_heard = wire.channel(), threading.Event()

    def slow(request, _channel, present):
        assert two_heard.wait(30)
        return b"\0"

    def send(packet):
        wire.sent.append(packet)
        if len(wire.sent) == 2:
            two_heard.set()

    wire.authenticator.transmit = slow
    wire.device._send = send
    *alive, answer = wire.say(channel, HidCommand.CBOR, b"\x01")
    assert answer == (channel, HidCommand.CBOR, b"\0")
    assert len(alive) >= 2 and set(alive) == {(channel, HidCommand.KEEPALIVE, b"\x01")}


@given(st.lists(st.binary(max_size=70), max_size=6), st.integers(0, 3))
def test_any_packets(chunks, given):
    wire = Wire()
    for _each in range(given):
        wire.channel()
    for chunk in chunks:
        wire.device.receive(chunk)
    wire.heard()
    wire.clock.seconds += PATIENCE
    wire.device.tidy()
    wire.heard()
    channel = wire.channel()
    assert wire.say(channel, HidCommand.PING, b"x") == [(channel, HidCommand.PING, b"x")]
