# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two factors at real prompts: sudo with Debian's PAM, SSSD, a card and a network that is trusted, or not."""

from __future__ import annotations

import contextlib
import json
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.tests.support import prompt_host
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.fingerprint_reader import FingerprintReader
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD,
    PASSWORD_ASKED,
    PIN_ASKED,
    PromptHost,
    write_profile,
)
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd
from ansible_collections.hardbound.identity.tests.support.surroundings import Bus, give_link

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

OFFICE = [{"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}]
ALONE = "A PIN alone does not sign in here."


class Desk:
    """A host where alice has a card, and a network if a test gives one."""

    def __init__(self, host: PromptHost) -> None:
        self._host = host
        self.machine = host.machine
        self._sssd = Sssd(host)
        self.bus = Bus(self.machine)
        self.card: Record = host.host.make(
            "Card of alice", owner="alice", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)]
        )
        host.start("--sign-in", str(host.folder / "sign-in"))
        self._sssd.start()

    def trusts(self, **more: t.Any) -> None:
        unlock = {"group_a": ["pin"], "group_b": ["trusted_signal", "fingerprint"], "rules": OFFICE, **more}
        self.machine.hello(device_unlock=unlock)

    def connect(self, address: str) -> None:
        give_link(self.machine, "desk0", address)

    def sudo(self) -> t.Any:
        return self._host.sudo()

    def stop(self) -> None:
        self._sssd.stop()
        self.bus.stop()


def answered(terminal: t.Any, *prompts: t.Tuple[str, str]) -> str:
    """Answers prompts, which have to come in this order, and returns all that was shown once root is in."""
    shown = prompt_host.answer(terminal, *prompts, known=(PIN_ASKED, PASSWORD_ASKED, "in as root"))
    terminal.expect_exact("in as root")
    return shown + str(terminal.before)


def profile_of(folder: pathlib.Path, *group_b: str) -> str:
    """Returns the profile that the role lays where the host's policy has these factors beside the PIN."""
    unlock = {"group_a": ["pin"], "group_b": group_b, "rules": OFFICE}
    policy = json.loads(Linux().render(parse_settings({"device_unlock": unlock}), b""))
    return write_profile(folder, __smartcard_login_survey={"stdout": json.dumps({"sign_in": policy["sign_in"]})})


@pytest.fixture(scope="session")
def by_signal(tmp_path_factory: pytest.TempPathFactory) -> str:
    return profile_of(tmp_path_factory.mktemp("signal"), "trusted_signal", "face")


@contextlib.contextmanager
def desk_with(host: Host, profile: str) -> t.Iterator[Desk]:
    desk = Desk(PromptHost(host, profile))
    desk.trusts()
    try:
        yield desk
    finally:
        desk.stop()


@pytest.fixture
def desk(host: Host, by_signal: str) -> t.Iterator[Desk]:
    with desk_with(host, by_signal) as desk:
        yield desk


def test_a_pin_signs_in_on_the_trusted_network(desk: Desk) -> None:
    desk.connect("10.1.2.3/16")
    shown = answered(desk.sudo(), (PIN_ASKED, PIN))
    assert ALONE not in shown and "assword" not in shown


def test_elsewhere_a_pin_alone_does_not_and_the_password_does(desk: Desk) -> None:
    desk.connect("192.0.2.3/24")
    assert ALONE in answered(desk.sudo(), (PIN_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))
    assert desk.machine.tries(desk.card) == (3, 3)


@pytest.mark.parametrize("first", ["00000000", "no PIN of alice"])
def test_a_wrong_pin_is_told_nothing_of_a_second_factor(desk: Desk, first: str) -> None:
    desk.connect("10.1.2.3/16")
    assert ALONE not in answered(desk.sudo(), (PIN_ASKED, first), (PASSWORD_ASKED, PASSWORD))


def test_a_wrong_password_after_a_pin_without_its_second_factor_lets_nobody_in(desk: Desk) -> None:
    terminal = desk.sudo()
    terminal.expect(PIN_ASKED)
    terminal.sendline(PIN)
    terminal.expect(PASSWORD_ASKED)
    terminal.sendline(PIN)
    terminal.expect("try again")
    terminal.close(force=True)


def test_without_the_policy_or_where_its_rules_went_a_pin_alone_signs_in_no_more(desk: Desk) -> None:
    """An attacker with a PIN gains nothing by making the policy unreadable."""
    desk.connect("10.1.2.3/16")
    desk.machine.policy.unlink()
    assert ALONE in answered(desk.sudo(), (PIN_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))
    desk.machine.hello(pin_history=5)
    assert ALONE in answered(desk.sudo(), (PIN_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))


# Fingerprints. Reader and daemon are fprintd's own, the fingers are words.

HERS, ANOTHER = "the finger of alice", "the finger of mallory"
FINGER_ASKED = "(?i)(swipe|place).* finger"


@pytest.fixture(scope="session")
def by_either(tmp_path_factory: pytest.TempPathFactory) -> str:
    return profile_of(tmp_path_factory.mktemp("either"), "trusted_signal", "fingerprint")


@pytest.fixture
def either(host: Host, by_either: str) -> t.Iterator[Desk]:
    with desk_with(host, by_either) as desk:
        yield desk


def test_a_finger_signs_in_where_the_network_is_another(either: Desk) -> None:
    reader = FingerprintReader(either.machine, either.bus)
    reader.enrol("alice", HERS)
    terminal = either.sudo()
    terminal.expect(PIN_ASKED)
    terminal.sendline(PIN)
    terminal.expect(FINGER_ASKED)
    reader.put(HERS)
    assert "assword" not in answered(terminal)


def test_another_s_finger_does_not(either: Desk) -> None:
    reader = FingerprintReader(either.machine, either.bus)
    reader.enrol("alice", HERS)
    reader.enrol("bob", ANOTHER)
    terminal = either.sudo()
    terminal.expect(PIN_ASKED)
    terminal.sendline(PIN)
    for _try in range(3):
        terminal.expect(FINGER_ASKED)
        reader.put(ANOTHER)
    assert ALONE in answered(terminal, (PASSWORD_ASKED, PASSWORD))


def test_a_wrong_pin_is_not_asked_for_a_finger(either: Desk) -> None:
    reader = FingerprintReader(either.machine, either.bus)
    reader.enrol("alice", HERS)
    assert "finger" not in answered(either.sudo(), (PIN_ASKED, "00000000"), (PASSWORD_ASKED, PASSWORD))


def test_without_a_reader_or_a_finger_the_password_is_asked_for(either: Desk) -> None:
    assert ALONE in answered(either.sudo(), (PIN_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))
    FingerprintReader(either.machine, either.bus)
    assert ALONE in answered(either.sudo(), (PIN_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))
