# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody is asked whether they are there: what the client sees meanwhile, and whose answers count."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import selectors
import socket
import struct

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2 import presence_desk
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.hid import (
    PATIENCE_WITH_PEOPLE,
    HidCommand,
    HidDevice,
    HidError,
    packets,
)
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.presence import (
    PresenceNeeded,
    PresencePurpose,
    PresenceQuestion,
)
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.presence_desk import PresenceDesk
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.reference import CtapStatus
from ansible_collections.hardbound.identity.plugins.module_utils._edge.peer import Peer
from ansible_collections.hardbound.identity.tests.support.hid_device import SettableClock

ME = pwd.getpwuid(os.getuid()).pw_name
OTHER = next(each.pw_name for each in pwd.getpwall() if each.pw_uid != os.getuid())
QUESTION = PresenceQuestion(ME, "card", PresencePurpose.USE, "corp.example")
MESSAGE = b"\x02what is asked"


class Shy:
    """An authenticator that does nothing before somebody is there."""

    def __init__(self):
        self.heard = []

    def transmit(self, request, channel, present=False):
        self.heard.append((channel, request, present))
        if request == MESSAGE and not present:
            raise PresenceNeeded(QUESTION)
        return b"\0" + request


class AskedPerson:
    def __init__(self):
        self.answer = None
        self.withdrawn = 0

    def withdraw(self):
        self.withdrawn += 1


class Wire:
    """Two programs at a device whose owner is asked."""

    def __init__(self):
        self.clock, self.authenticator, self.sent, self.people = SettableClock(), Shy(), [], []
        self.absent = False
        self.device = HidDevice(self.authenticator, self.sent.append, self.clock, self.ask)
        self.first, self.second = (self.init() for _each in range(2))

    def ask(self, question):
        assert question == QUESTION
        if self.absent:
            return None
        self.people.append(AskedPerson())
        return self.people[-1]

    def init(self, channel=0xFFFFFFFF):
        [(_channel, _command, message)] = self.say(channel, HidCommand.INIT, b"12345678")
        return struct.unpack_from(">I", message, 8)[0]

    def say(self, channel, command, message=b""):
        for packet in packets(channel, command, message):
            self.device.receive(packet)
        return self.heard()

    def heard(self):
        found = []
        for packet in self.sent:
            channel, command, size = struct.unpack_from(">IBH", packet)
            found.append((channel, command & 0x7F, packet[7 : 7 + size]))
        self.sent.clear()
        return found

    def wait(self, seconds):
        self.clock.seconds += seconds
        self.device.tidy()
        return self.heard()

    def answered(self, yes):
        self.people[-1].answer = yes
        return self.wait(0.05)


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def asking(wire):
    """The first program has asked for something."""
    needed = [(wire.first, HidCommand.KEEPALIVE, b"\x02")]
    assert wire.say(wire.first, HidCommand.CBOR, MESSAGE) == needed
    assert wire.wait(0.05) == [] and wire.wait(0.06) == needed and wire.device.due is not None
    return wire


def status(channel, which):
    return [(channel, HidCommand.CBOR, bytes((which,)))]


def test_a_yes_lets_the_request_go_on(asking):
    assert asking.answered(True) == [(asking.first, HidCommand.CBOR, b"\0" + MESSAGE)]
    assert asking.authenticator.heard == [(asking.first, MESSAGE, False), (asking.first, MESSAGE, True)]
    assert asking.device.due is None


def test_an_answer_that_another_packet_finds_is_told_of(asking):
    """Whoever serves the device lets go of the TPM some time after the last message that was answered."""
    asking.people[-1].answer = True
    assert asking.device.receive(bytes(64)) is True


def test_a_yes_is_for_one_request(asking):
    asking.answered(True)
    assert asking.say(asking.first, HidCommand.CBOR, MESSAGE)[0][1] == HidCommand.KEEPALIVE
    assert len(asking.people) == 2


def test_a_no(asking):
    assert asking.answered(False) == status(asking.first, CtapStatus.OPERATION_DENIED)
    assert (asking.first, MESSAGE, True) not in asking.authenticator.heard and asking.device.due is None


def test_nobody_answers(asking):
    assert asking.wait(PATIENCE_WITH_PEOPLE) == status(asking.first, CtapStatus.USER_ACTION_TIMEOUT)
    assert asking.people[0].withdrawn == 1
    assert asking.answered(True) == []  # too late


def test_nobody_is_there(wire):
    wire.absent = True
    assert wire.say(wire.first, HidCommand.CBOR, MESSAGE) == status(wire.first, CtapStatus.OPERATION_DENIED)


def test_the_program_cancels(asking):
    assert asking.say(asking.first, HidCommand.CANCEL) == status(asking.first, CtapStatus.KEEPALIVE_CANCEL)
    assert asking.people[0].withdrawn == 1
    assert asking.say(asking.first, HidCommand.CANCEL) == []


def test_another_program_waits_and_does_not_cancel(asking):
    busy = [(asking.second, HidCommand.ERROR, bytes((HidError.CHANNEL_BUSY,)))]
    assert asking.say(asking.second, HidCommand.CBOR, b"\x04") == busy
    assert asking.say(asking.second, HidCommand.CANCEL) == []
    asking.init()
    asking.init(asking.second)
    assert asking.people[0].withdrawn == 0
    assert asking.answered(True) == [(asking.first, HidCommand.CBOR, b"\0" + MESSAGE)]


def test_a_program_that_begins_anew_asks_nobody_any_more(asking):
    asking.init(asking.first)
    assert asking.people[0].withdrawn == 1
    assert asking.answered(True) == []


def test_a_device_that_is_unplugged_asks_nobody_any_more(asking):
    asking.device.close()
    assert asking.people[0].withdrawn == 1


# The socket at which sessions wait.


class Desk:
    """A desk, and sessions of the user who runs the test."""

    def __init__(self, path, stack):
        self.selector = stack.enter_context(selectors.DefaultSelector())
        self.seated = {os.getuid()}
        self.desk = PresenceDesk(path, lambda uid: uid in self.seated)
        self.desk.start(self.selector)
        self._path, self._stack = path, stack

    def session(self):
        connection = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        connection.connect(self._path)
        connection.settimeout(10)
        self.serve()
        return connection

    def serve(self):
        """Takes what has come."""
        while ready := self.selector.select(0):
            for key, events in ready:
                key.data.serve(events)

    def hear(self, session):
        return [json.loads(line) for line in session.recv(4096).splitlines()]

    def say(self, session, said):
        session.send(said if isinstance(said, bytes) else json.dumps(said).encode() + b"\n")
        self.serve()


@pytest.fixture
def desk(tmp_path):
    with contextlib.ExitStack() as stack:
        desk = Desk(str(tmp_path / "s"), stack)
        yield desk
        desk.desk.stop()


def test_a_session_is_asked_and_answers(desk):
    session = desk.session()
    asked = desk.desk.ask(QUESTION)
    said = {"ask": 1, "card": "card", "purpose": "use", "relying_party": "corp.example"}
    assert desk.hear(session) == [said] and asked.answer is None
    desk.say(session, {"answer": 1, "yes": True})
    assert asked.answer is True
    assert desk.hear(session) == [{"end": 1}]


def test_the_first_answer_of_several_sessions_counts(desk):
    first, second = desk.session(), desk.session()
    asked = desk.desk.ask(QUESTION)
    desk.say(second, {"answer": 1, "yes": False})
    desk.say(first, {"answer": 1, "yes": True})
    assert asked.answer is False


def test_whoever_is_not_at_the_seat_is_not_asked(desk):
    session = desk.session()
    desk.seated.clear()
    assert desk.desk.ask(QUESTION) is None
    desk.seated.add(os.getuid())
    desk.desk.ask(QUESTION)
    assert [each["ask"] for each in desk.hear(session)] == [1]


@pytest.mark.parametrize("owner", [OTHER, "", "nobody-has-this-name"])
def test_a_card_of_somebody_else_or_of_nobody(desk, owner):
    desk.session()
    desk.seated.add(pwd.getpwnam(OTHER).pw_uid)
    assert desk.desk.ask(PresenceQuestion(owner, "card", PresencePurpose.USE)) is None


def test_without_a_session(desk):
    assert desk.desk.ask(QUESTION) is None


def test_an_answer_to_another_question(desk):
    session = desk.session()
    asked = desk.desk.ask(QUESTION)
    for number in (0, 2, -1):
        desk.say(session, {"answer": number, "yes": True})
    assert asked.answer is None
    asked.withdraw()
    desk.say(session, {"answer": 1, "yes": True})
    assert asked.answer is None


def test_a_session_that_goes_says_no(desk):
    session = desk.session()
    asked = desk.desk.ask(QUESTION)
    session.close()
    desk.serve()
    assert asked.answer is False


@pytest.mark.parametrize(
    "said",
    [b"\n", b"x" * 300, b"[1]\n", b'{"answer": 1}\n', b'{"answer": 1, "yes": 1}\n', b'{"answer": "1", "yes": true}\n'],
)
def test_what_is_no_answer_ends_a_session(desk, said):
    session = desk.session()
    asked = desk.desk.ask(QUESTION)
    desk.say(session, said)
    assert asked.answer is False
    assert session.recv(4096).endswith(b"\n") and session.recv(4096) == b""


def test_a_session_that_does_not_read_is_none(desk):
    session = desk.session()
    while (asked := desk.desk.ask(QUESTION)) is not None:
        assert asked.answer is None
    session.close()


def test_a_user_has_few_sessions(desk):
    sessions = [desk.session() for _each in range(5)]
    assert sessions[4].recv(1) == b""
    desk.desk.ask(QUESTION)
    assert all(desk.hear(each)[0]["ask"] == 1 for each in sessions[:4])


def test_one_user_who_is_many_keeps_no_owner_from_being_asked(desk, monkeypatch):
    numbers = itertools.count(100_000)
    with monkeypatch.context() as many:
        many.setattr(presence_desk, "peer_of", lambda _connection: Peer(next(numbers), frozenset()))
        sessions = [desk.session() for _each in range(70)]
    session = desk.session()
    desk.desk.ask(QUESTION)
    assert [each["ask"] for each in desk.hear(session)] == [1]
    assert sessions[0].recv(1) == b""


def test_nobody_is_asked_without_a_socket():
    desk = PresenceDesk("", lambda _uid: True)
    with selectors.DefaultSelector() as selector:
        desk.start(selector)
        assert desk.ask(QUESTION) is None and not selector.get_map()
    desk.stop()
