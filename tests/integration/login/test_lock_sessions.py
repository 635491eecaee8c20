# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions are locked when a phone or a card goes: real cards and their service, and stand-ins for logind and BlueZ."""

from __future__ import annotations

import shutil
import signal
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import PATH as POLICY
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.laid_program import LaidProgram, today
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.sign_in_host import SignInHost, contents
from ansible_collections.hardbound.identity.tests.support.surroundings import PYTHON, Bus, Phone
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

ROLE = COLLECTION / "roles/smartcard_login/files"
LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1")
SESSIONS = {"c1": "alice", "c2": "alice", "c3": "bob"}
EVERY, GRACE = 0.1, 1.5
LONG = 8
"""Seconds, more than a service takes to restart on a busy machine."""


class Screens:
    """A host where alice and bob have sessions and a card each, and a program that locks sessions."""

    def __init__(self, host: Host) -> None:
        self.host, self.machine = host, host.machine
        self.log = self.machine.folder / "locks.log"
        self.bus = Bus(self.machine)
        self.logind = self.bus.stand_in("logind", LOGIND[0])
        for number, (session, user) in enumerate(SESSIONS.items()):
            about = [session, f"seat{number}", str(61000 + ord(user[0])), user, "true"]
            self.bus.call(*LOGIND, "org.freedesktop.DBus.Mock.AddSession", "ssusb", *about)
        LaidProgram(self.machine.folder / "program").lay(today())
        self.cards = {user: self._card(user) for user in ("alice", "bob")}
        self.serve()

    def _card(self, user: str) -> Record:
        return t.cast(Record, self.host.make(f"Card of {user}", owner=user, keys=[]))

    def serve(self) -> None:
        self.host.start("--owners", str(self.machine.folder / "owners"))

    def end_service(self) -> None:
        service = self.machine.service
        assert service is not None
        service.send_signal(signal.SIGTERM)
        service.wait()

    def watch(self, *, cards: bool = True, grace: float = GRACE) -> None:
        """Starts the program, as its unit does."""
        lib, folder = self.machine.folder / "lib", self.machine.folder
        lib.mkdir()
        for each in ("lock_sessions.py", "signals.py"):
            shutil.copy(ROLE / each, lib)
        command = [PYTHON, "-IB", str(lib / "lock_sessions.py"), "--policy", str(self.machine.policy)]
        command += ["--every", str(EVERY), "--grace", str(grace)]
        if cards:
            command += ["--cards", str(folder / "program"), str(folder / "store"), str(folder / "owners")]
        self.bus.start(*command, log=self.log)

    def until_told(self, *words: str) -> None:
        until(lambda: all(each in self.log.read_text() for each in words), self.log.read_text)

    def locked(self) -> t.Set[str]:
        """Returns the sessions that logind was told to lock."""
        calls = self.bus.call(*LOGIND, "org.freedesktop.DBus.Mock.GetMethodCalls", "s", "LockSession")
        return {each for each in SESSIONS if f'"{each}"' in calls}

    def until_locked(self, *users: str) -> None:
        wanted = {session for session, user in SESSIONS.items() if user in users}
        until(lambda: self.locked() >= wanted)
        assert self.locked() == wanted


@pytest.fixture
def screens(host: Host) -> t.Iterator[Screens]:
    screens = Screens(host)
    yield screens
    screens.bus.stop()


OF_ALICE, OF_BOB, OF_PHONE = "watches card 0000 of alice", "watches card 0001 of bob", "watches the phone"


@pytest.fixture
def watched(screens: Screens) -> Screens:
    screens.watch()
    screens.until_told(OF_ALICE, OF_BOB)
    return screens


def test_a_retired_card_locks_its_owner_s_sessions_alone(watched: Screens) -> None:
    watched.machine.destroy(watched.cards["alice"])
    watched.until_locked("alice")


def test_a_service_that_stops_locks_those_of_all_owners(watched: Screens) -> None:
    watched.end_service()
    watched.until_locked("alice", "bob")


def test_a_service_that_restarts_locks_nobody(screens: Screens) -> None:
    """Bob's card goes afterwards: by then alice's sessions would have been locked."""
    screens.watch(grace=LONG)
    screens.until_told(OF_ALICE, OF_BOB)
    screens.end_service()
    screens.serve()
    screens.machine.destroy(screens.cards["bob"])
    screens.until_locked("bob")


def test_a_card_that_can_t_be_read_is_away_and_its_neighbour_is_not(watched: Screens) -> None:
    path = watched.machine.store.path(watched.cards["alice"].number)
    with open(path, "w") as file:
        file.write("damaged")
    watched.until_locked("alice")
    watched.until_told(f"the card file {path} can't be used")


def test_a_logind_that_hangs_is_asked_again(watched: Screens) -> None:
    watched.logind.send_signal(signal.SIGSTOP)
    watched.machine.destroy(watched.cards["alice"])
    watched.until_told("sessions can't be locked")
    watched.logind.send_signal(signal.SIGCONT)
    watched.until_locked("alice")


# Dynamic lock.


def test_a_phone_that_goes_locks_all_sessions(screens: Screens) -> None:
    screens.machine.hello(dynamic_lock="enabled")
    phone = Phone(screens.bus)
    screens.watch(cards=False)
    screens.until_told(OF_PHONE)
    phone.be("Connected", "b", "false")
    screens.until_locked("alice", "bob")


def test_who_turns_bluetooth_off_keeps_no_session_open(screens: Screens) -> None:
    screens.machine.hello(dynamic_lock="enabled")
    phone = Phone(screens.bus)
    screens.watch(cards=False)
    screens.until_told(OF_PHONE)
    phone.bluez.kill()
    screens.until_locked("alice", "bob")


def test_without_a_phone_or_without_the_policy_nothing_is_locked(screens: Screens) -> None:
    """A card goes afterwards: by then a phone that is away would have locked all sessions."""
    screens.machine.hello(dynamic_lock="enabled")
    phone = Phone(screens.bus)
    phone.be("Paired", "b", "false")
    screens.watch()
    screens.until_told(OF_ALICE, OF_BOB)
    phone.be("Paired", "b", "true")
    screens.until_told(OF_PHONE)
    screens.machine.hello(dynamic_lock="disabled")
    phone.be("Connected", "b", "false")
    screens.machine.destroy(screens.cards["bob"])
    screens.until_locked("bob")
    assert "everybody" not in screens.log.read_text()


# The role.


@pytest.mark.parametrize("off", [{"smartcard_login_lock_without_card": False}, {"smartcard_login_state": "absent"}])
def test_the_unit_comes_and_goes_without_a_trace(host: Host, off: t.Mapping[str, t.Any]) -> None:
    desk = SignInHost(host)
    wanted = {
        "smartcard_login_state": "present",
        "smartcard_login_lock_without_card": True,
        "__smartcard_login_lib": str(desk.folder / "lib/hardbound-login"),
    }
    before = contents("/etc", desk)
    desk.play("lock", "--check", **wanted)
    assert contents("/etc", desk) == before
    desk.play("lock", **wanted)
    unit = (desk.etc / "systemd/system/hardbound-lock.service").read_text()
    assert (
        f"lock_sessions.py --policy {POLICY} --cards /usr/lib/hardbound /var/lib/hardbound /run/hardbound/own" in unit
    )
    assert "restart hardbound-lock.service" in desk.log.read_text()
    assert "changed=0" in desk.play("lock", **wanted)
    desk.play("lock", **{**wanted, **off})
    assert "stop hardbound-lock.service" in desk.log.read_text()
    assert contents("/etc", desk) == before and not (desk.folder / "lib/hardbound-login").exists()
    assert "changed=0" in desk.play("lock", **{**wanted, **off})
