# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GDM's services of PAM, as Debian has them, with the role's profile, SSSD, and cards of two people."""

from __future__ import annotations

import functools
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support import prompt_host
from ansible_collections.hardbound.identity.tests.support.fingerprint_reader import FingerprintReader
from ansible_collections.hardbound.identity.tests.support.gdm import CHOICES, IN, OUT, Gdm
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD,
    PEOPLE,
    PIN_ASKED,
    PromptHost,
    profile,
    write_profile,
)
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd
from ansible_collections.hardbound.identity.tests.support.surroundings import Bus, give_link
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["profile"]
pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PINS = {"alice": "123456", "bob": "654321"}
WRONG = "00000000"
PASSWORD_ASKED, CARD_ASKED = "Password: ", "Please select a certificate"
ALONE = "A PIN or a finger alone does not sign in here."


class Desk:
    """A computer with GDM, alice and bob, and a card of each."""

    def __init__(self, host: Host, profile: str, **changes: t.Any) -> None:
        self._host = PromptHost(host, profile)
        self.machine = host.machine
        self._gdm = Gdm(self._host)
        self._sssd = Sssd(self._host)
        key = KeySpecification(0x9A, KeyAlgorithm.ECC_P256)
        self._cards = {
            owner: host.make(f"Card of {owner}", owner=owner, keys=[key], pin=PINS[owner], **changes)
            for owner in PEOPLE
        }
        self._host.start("--sign-in", str(self._host.folder / "sign-in"))
        self._sssd.start()
        until(self.asks_for_a_pin, "SSSD asks for no PIN")

    def asks_for_a_pin(self) -> bool:
        """Tells whether SSSD knows people yet: not at once after its start, or after one of them has changed."""
        return prompt_host.is_asked_for_a_pin(self.password("alice"), PASSWORD_ASKED)

    def password(self, user: str) -> t.Any:
        return self._gdm.sign_in("gdm-password", user)

    def smartcard(self, user: str, choice: str) -> t.Any:
        self._gdm.choose(choice)
        return self._gdm.sign_in("gdm-smartcard", user)

    def finger(self, user: str) -> t.Any:
        return self._gdm.sign_in("gdm-fingerprint", user)

    def tries(self) -> t.Dict[str, int]:
        return {owner: self.machine.tries(card)[0] for owner, card in self._cards.items()}

    def stop(self) -> None:
        self._sssd.stop()


answer = functools.partial(prompt_host.answer, known=(PIN_ASKED, PASSWORD_ASKED, CARD_ASKED, IN, OUT))


def ends(terminal: t.Any, signed_in: bool) -> str:
    """Sees how it ends, and returns what was shown meanwhile."""
    found = terminal.expect([IN, OUT, PIN_ASKED, PASSWORD_ASKED])
    assert found == (0 if signed_in else 1), terminal.before + str(terminal.after)
    return str(terminal.before)


@pytest.fixture
def desk(host: Host, profile: str) -> t.Iterator[Desk]:
    desk = Desk(host, profile)
    yield desk
    desk.stop()


def test_its_password_service_asks_for_the_pin_first(desk: Desk) -> None:
    for user in PEOPLE:
        terminal = desk.password(user)
        answer(terminal, (PIN_ASKED, PINS[user]))
        ends(terminal, True)
    terminal = desk.password("alice")
    answer(terminal, (PIN_ASKED, WRONG), (PASSWORD_ASKED, PASSWORD))
    ends(terminal, True)
    assert desk.tries() == {"alice": 2, "bob": 3}
    terminal = desk.password("bob")
    answer(terminal, (PIN_ASKED, ""), (PASSWORD_ASKED, "no password of bob"))
    ends(terminal, False)


@pytest.mark.parametrize("choice", CHOICES)
def test_its_smart_card_service_signs_in_whose_card_is_chosen(desk: Desk, choice: str) -> None:
    for number, user in enumerate(PEOPLE, 1):
        terminal = desk.smartcard("", choice)
        shown = answer(terminal, (CARD_ASKED, str(number)), (PIN_ASKED, PINS[user]))
        assert all(f"Card of {each}" in shown for each in PEOPLE)
        ends(terminal, True)
    terminal = desk.smartcard("alice", choice)
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    ends(terminal, True)


def test_a_pin_of_somebody_else_is_none_there(desk: Desk) -> None:
    terminal = desk.smartcard("alice", "sssd-exclusive")
    answer(terminal, (PIN_ASKED, PINS["bob"]))
    ends(terminal, False)
    assert desk.tries() == {"alice": 2, "bob": 3}


def test_a_pin_that_has_to_be_changed(host: Host, profile: str) -> None:
    """It signs in nowhere, and the password does, with a word of what to run."""
    desk = Desk(host, profile, pin_must_change=True)
    terminal = desk.smartcard("alice", "sssd-exclusive")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    ends(terminal, False)
    terminal = desk.smartcard("alice", "sssd-or-password")
    answer(terminal, (PIN_ASKED, PINS["alice"]), (PIN_ASKED, ""), (PASSWORD_ASKED, PASSWORD))
    assert "must be changed" in ends(terminal, True)
    terminal = desk.password("alice")
    answer(terminal, (PIN_ASKED, PINS["alice"]), (PASSWORD_ASKED, PASSWORD))
    assert "change it with: hardbound-card change-pin" in ends(terminal, True)
    desk.stop()


# Two factors.


@pytest.fixture(scope="session")
def with_two_factors(tmp_path_factory: pytest.TempPathFactory) -> str:
    factors = {"__smartcard_login_second_factors": ["trusted_signal", "fingerprint"]}
    return write_profile(tmp_path_factory.mktemp("two"), **factors)


@pytest.fixture
def office(host: Host, with_two_factors: str) -> t.Iterator[Desk]:
    """The Hello policy asks for a second factor, which the office's network is."""
    desk = Desk(host, with_two_factors)
    rules = [{"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}]
    unlock = {"group_a": ["pin"], "group_b": ["trusted_signal", "fingerprint"], "rules": rules}
    desk.machine.hello(device_unlock=unlock)
    yield desk
    desk.stop()


def test_its_password_service_wants_both(office: Desk) -> None:
    terminal = office.password("alice")
    assert "A PIN alone" in answer(terminal, (PIN_ASKED, PINS["alice"]), (PASSWORD_ASKED, PASSWORD))
    ends(terminal, True)
    give_link(office.machine, "desk0", "10.1.2.3/16")
    terminal = office.password("alice")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    ends(terminal, True)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_pin_alone_does_not_get_in_by_the_smart_card_service(office: Desk, choice: str) -> None:
    """An attacker with a PIN, who picks the service whose lines know nothing of a second factor."""
    terminal = office.smartcard("alice", choice)
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    assert ALONE in ends(terminal, False)


def test_a_finger_alone_does_not_get_in_by_the_service_for_fingers(office: Desk) -> None:
    """Which is there as soon as the role has installed what asks for a second factor."""
    bus = Bus(office.machine)
    reader = FingerprintReader(office.machine, bus)
    reader.enrol("alice", "the finger of alice")
    terminal = office.finger("alice")
    terminal.expect("(?i)(swipe|place).* finger")
    reader.put("the finger of alice")
    assert ALONE in ends(terminal, False)
    bus.stop()


def test_an_expired_password_opens_no_way_around(office: Desk) -> None:
    """Debian's lines for an account end early there."""
    office.machine.run("chage", "--lastday", "0", "alice")
    until(office.asks_for_a_pin, "SSSD asks for no PIN")
    terminal = office.smartcard("alice", "sssd-exclusive")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    assert ALONE in ends(terminal, False)
