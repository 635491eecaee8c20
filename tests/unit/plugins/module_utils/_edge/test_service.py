# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service over real sockets; the test is the reader, and the cards are in software."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._edge import service as service_module
from ansible_collections.hardbound.identity.plugins.module_utils._edge.service import Service, main
from ansible_collections.hardbound.identity.plugins.module_utils._edge.vpcd import PATIENCE
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN, SoftCard
from ansible_collections.hardbound.identity.tests.support.waiting import until

VERIFY = bytes.fromhex("0020008008") + PIN + b"\xff\xff"
SIGN = bytes.fromhex("0087119A 26 7C24 8200 8120") + bytes(32)
STATE = bytes.fromhex("00200080")


class SoftHost:
    """A store whose cards are in memory."""

    def __init__(self, store: str = "", policy: str = "") -> None:
        self.cards: t.Dict[int, SoftCard] = {}
        self.stamps: t.Dict[int, int] = {}
        self.broken = False
        self.opened: t.List[int] = []
        self.looks = 0
        self.idled = 0
        self.prepared = 0
        self.glancing = False
        self.closed = False
        self.is_at_rest = True

    def put(self, card: SoftCard) -> None:
        self.cards[card.number] = card
        self.stamps[card.number] = self.stamps.get(card.number, 0) + 1

    def take(self, number: int) -> None:
        del self.stamps[number]

    def numbers(self) -> t.Mapping[int, object]:
        self.looks += 1
        if self.broken:
            raise StateError("the store is broken", "repair it")
        return dict(self.stamps)

    def open(self, number: int) -> SoftCard:
        if number not in self.cards:
            raise CardGone("no such card")
        self.opened.append(number)
        return self.cards[number]

    @contextlib.contextmanager
    def glance(self) -> t.Iterator[None]:
        assert not self.glancing
        self.glancing = True
        yield
        self.glancing = False

    def prepare(self, whole: bool) -> None:
        self.prepared += 1

    def idle(self) -> None:
        self.idled += 1
        self.is_at_rest = True

    def close(self) -> None:
        self.closed = True


class Reader:
    """Slots of vpcd on ports that follow each other."""

    def __init__(self, slots: int = 2) -> None:
        self.servers = consecutive(slots)
        self.address = self.servers[0].getsockname()

    def accept(self, slot: int = 0) -> Contact:
        return Contact(self.servers[slot].accept()[0])

    def close(self) -> None:
        for server in self.servers:
            server.close()


class Contact:
    """A card in a slot, as the reader has it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(5)

    def tell(self, message: bytes) -> None:
        self.connection.sendall(len(message).to_bytes(2, "big") + message)

    def ask(self, message: bytes) -> bytes:
        self.tell(message)
        length = int.from_bytes(self.connection.recv(2, socket.MSG_WAITALL), "big")
        return self.connection.recv(length, socket.MSG_WAITALL)

    def is_empty(self) -> bool:
        return self.connection.recv(1) == b""


def consecutive(count: int) -> t.List[socket.socket]:
    while True:
        with contextlib.ExitStack() as opened:
            try:
                servers = [opened.enter_context(socket.create_server(("127.0.0.1", 0)))]
                port = servers[0].getsockname()[1]
                for nth in range(1, count):
                    servers.append(opened.enter_context(socket.create_server(("127.0.0.1", port + nth))))
            except OSError:
                continue
            for server in servers:
                server.settimeout(5)
            opened.pop_all()
            return servers


def soft_card(number: int = 0) -> SoftCard:
    card = SoftCard(number)
    card.add(0x9A, KeyAlgorithm.ECC_P256)
    return card


class Running:
    """A service at work on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.host = SoftHost()
        self.reader = Reader()
        self.folder = folder
        self.service = Service(t.cast(t.Any, self.host), folder, self.reader.address)
        self._thread = threading.Thread(target=self.service.run)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.service.stop()
        self._thread.join(5)
        self.reader.close()
        assert not self._thread.is_alive()

    def present(self) -> t.List[str]:
        return sorted(os.listdir(self.folder))

    def look_again(self) -> None:
        """Waits until the service has looked at store and readers twice more, and done what came of the first."""
        enough = self.host.looks + 3
        until(lambda: self.host.looks >= enough)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks for cards and readers more often than on a host, and lets go of the TPM sooner."""
    monkeypatch.setattr(service_module, "_STORE_INTERVAL", 0.05)
    monkeypatch.setattr(service_module, "_IDLE_AFTER", 0.05)
    monkeypatch.setattr(service_module, "_READER_INTERVAL", 0.05)


@pytest.fixture
def running(tmp_path: Path) -> t.Iterator[Running]:
    (tmp_path / "0007.present").touch()
    with Running(tmp_path) as running:
        yield running


def test_a_card_signs_in_its_reader(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    assert contact.ask(b"\x04").hex() == "3b8b0180f9a0000003080000100048"
    assert contact.ask(SIGN) == b"\x69\x82"
    assert contact.ask(VERIFY) == b"\x90\x00"
    assert contact.ask(SIGN)[-2:] == b"\x90\x00"


def test_a_request_is_answered_at_one_glance_at_the_store(running: Running) -> None:
    card, seen = soft_card(), []
    card.verify = lambda _pin: seen.append(running.host.glancing)  # type: ignore[method-assign]
    running.host.put(card)
    assert running.reader.accept().ask(VERIFY) == b"\x90\x00" and seen == [True]


@pytest.mark.parametrize("contact_message", [b"\x00", b"\x01", b"\x02"])
def test_power_and_reset_drop_the_pin(running: Running, contact_message: bytes) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(VERIFY)
    contact.tell(contact_message)
    assert contact.ask(SIGN) == b"\x69\x82"


def test_present_says_which_cards_the_reader_has_seen(running: Running) -> None:
    running.host.put(soft_card(1))
    contact = running.reader.accept(1)
    until(lambda: running.present() == [])  # what an earlier run left is gone
    contact.ask(b"\x04")
    until(lambda: running.present() == ["0001.present"])


def test_a_removed_card_leaves_its_reader(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(b"\x04")
    running.host.take(0)
    assert contact.is_empty()
    until(lambda: running.present() == [])
    until(lambda: running.host.cards[0].closed)


def test_a_card_that_is_being_destroyed_leaves_without_a_complaint(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(b"\x04")
    del running.host.cards[0]
    running.host.stamps[0] += 1  # its file says that it is going
    assert contact.is_empty()
    until(lambda: running.present() == [])
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


def test_a_lost_reader_is_found_again_without_the_pin(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(VERIFY)
    contact.connection.close()
    contact = running.reader.accept()
    assert contact.ask(STATE) == b"\x63\xc3"


def test_another_card_under_the_same_number_is_put_in_anew(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(b"\x04")
    successor = soft_card()
    successor.serial = bytes(16)
    running.host.put(successor)
    assert contact.is_empty()
    assert running.reader.accept().ask(bytes.fromhex("00F8000000")) == bytes(4) + b"\x90\x00"


def test_a_changed_card_stays_in_its_reader(running: Running) -> None:
    card = soft_card()
    running.host.put(card)
    contact = running.reader.accept()
    contact.ask(VERIFY)
    running.host.put(card)
    running.look_again()
    contact.connection.setblocking(False)
    with pytest.raises(BlockingIOError):
        contact.connection.recv(1)


def test_a_card_that_was_made_without_a_reader_gets_none(running: Running) -> None:
    hidden = soft_card(0)
    hidden.presented = False
    running.host.put(hidden)
    running.host.put(soft_card(1))
    contact = running.reader.accept(1)
    contact.ask(b"\x04")
    until(lambda: running.present() == ["0001.present"])
    running.look_again()
    running.reader.servers[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        running.reader.accept(0)
    assert hidden.closed
    assert running.host.opened.count(0) == 1


def test_a_broken_card_answers_and_the_others_go_on(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    broken = soft_card(0)
    broken.sign = lambda slot, digest: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    running.host.put(broken)
    running.host.put(soft_card(1))
    contacts = [running.reader.accept(slot) for slot in (0, 1)]
    for contact in contacts:
        contact.ask(VERIFY)
    assert contacts[0].ask(SIGN) == b"\x6f\x00"
    assert contacts[1].ask(SIGN)[-2:] == b"\x90\x00"
    assert "card 0000: ZeroDivisionError in test_service.py" in caplog.text


def test_a_card_that_goes_in_mid_command_leaves(running: Running) -> None:
    def gone(*_unused: object) -> t.NoReturn:
        raise CardGone("destroyed")

    card = soft_card()
    running.host.put(card)
    contact = running.reader.accept()
    contact.ask(VERIFY)
    card.sign = card.logout = gone  # type: ignore[method-assign, assignment]
    contact.tell(SIGN)
    assert contact.is_empty()


def test_a_store_that_cannot_be_read_takes_no_card_away(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    running.host.broken = True
    until(lambda: "the store cannot be read" in caplog.text)
    assert contact.ask(STATE) == b"\x63\xc3"


def test_a_card_that_cannot_be_opened_is_complained_of_once(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(number: int) -> t.NoReturn:
        raise StateError("the record of card 0000 is damaged", "restore it")

    running.host.open = refuse  # type: ignore[method-assign]
    running.host.put(soft_card())
    running.look_again()
    assert caplog.text.count("cannot be opened") == 1


def test_the_core_is_told_when_there_is_nothing_to_do(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(b"\x04")
    running.look_again()
    assert running.host.idled == 0
    contact.ask(STATE)
    until(lambda: running.host.idled == 1)


def test_the_core_is_told_also_where_nobody_was_answered(running: Running) -> None:
    running.host.is_at_rest = False
    until(lambda: running.host.idled == 1)
    running.look_again()
    assert running.host.idled == 1


def test_the_core_may_prepare_once_the_answer_is_out(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(b"\x04")
    assert running.host.prepared == 0
    contact.ask(STATE)
    until(lambda: running.host.prepared == 1)


def test_a_tpm_that_is_away_ends_nothing(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> t.NoReturn:
        raise StateError("no TPM answers", "start it")

    running.host.idle = running.host.close = fail  # type: ignore[method-assign]
    running.host.put(soft_card())
    contact = running.reader.accept()
    contact.ask(STATE)
    until(lambda: "no TPM answers" in caplog.text)
    assert contact.ask(STATE) == b"\x63\xc3"


def test_an_end_leaves_nothing(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        running.host.put(soft_card())
        contact = running.reader.accept()
        contact.ask(VERIFY)
        until(lambda: running.present() == ["0000.present"] or not contact.ask(b"\x04"))
    assert contact.is_empty()
    assert running.present() == []
    assert running.host.closed
    assert not running.host.cards[0].verified


def test_neither_secrets_nor_commands_are_logged(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """The attacker reads the log at its most talkative."""

    def verify(pin: bytes) -> t.NoReturn:
        raise RuntimeError(f"a library that tells {pin!r}")

    caplog.set_level(logging.DEBUG)
    card = soft_card()
    running.host.put(card)
    contact = running.reader.accept()
    contact.ask(VERIFY)
    contact.ask(SIGN)
    card.verify = verify  # type: ignore[method-assign]
    assert contact.ask(VERIFY) == b"\x6f\x00"
    for form in (PIN.decode(), PIN.hex(), VERIFY.hex(), bytes(32).hex()):
        assert form not in caplog.text
    assert "RuntimeError" in caplog.text


def test_sigterm_ends_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Doomed(SoftHost):
        def numbers(self) -> t.Mapping[int, object]:
            os.kill(os.getpid(), signal.SIGTERM)
            return super().numbers()

    monkeypatch.setattr(service_module, "CardHost", Doomed)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert main(["--store", "", "--run", str(tmp_path), "--vpcd", "127.0.0.1:1"]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("address", ["35963", "localhost:", "localhost:http"])
def test_an_address_without_a_port_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--vpcd", address])
    assert "is not HOST:PORT" in capsys.readouterr().err


# Readers that wait


def test_a_reader_that_waits_in_vain_is_freed_and_the_others_notice_nothing(running: Running) -> None:
    for number in (0, 1):
        running.host.put(soft_card(number))
    attacked, other = (running.reader.accept(number) for number in (0, 1))
    for contact in (attacked, other):
        contact.ask(b"\x04")
    other.ask(VERIFY)
    attacked.tell(b"\x00")
    assert attacked.is_empty()
    assert other.ask(SIGN)[-2:] == b"\x90\x00"
    again = running.reader.accept(0)
    assert again.ask(VERIFY) == b"\x90\x00" and again.ask(SIGN)[-2:] == b"\x90\x00"


def test_a_reader_that_looks_after_its_card_keeps_it(running: Running) -> None:
    running.host.put(soft_card())
    contact = running.reader.accept()
    for word in (b"\x01", b"\x02", b"\x00"):
        contact.tell(word)
        assert contact.ask(b"\x04")
    contact.connection.settimeout(2 * PATIENCE)
    with pytest.raises(socket.timeout):
        contact.connection.recv(1)
