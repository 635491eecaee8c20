# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ticket of Kerberos with the PIN that signs in: real login with Debian's PAM, SSSD, a card, and a KDC of MIT."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support import mit_kdc, prompt_host
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.gdm import IN, Gdm
from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS
from ansible_collections.hardbound.identity.tests.support.mit_kdc import MitKdc
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD,
    PASSWORD_ASKED,
    PEOPLE,
    PIN_ASKED,
    PromptHost,
    write_profile,
)
from ansible_collections.hardbound.identity.tests.support.server_certificate import REALM
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd
from ansible_collections.hardbound.identity.tests.support.surroundings import give_link

pytestmark = [pytest.mark.tpm, pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

PINS = {"alice": "123456", "bob": "654321"}
WRONG = "00000000"
TICKET = f"krbtgt/{REALM}@{REALM}"
NAME_ASKED = "login: "


class Desk:
    """A host of two people whose cards a realm knows."""

    def __init__(self, host: PromptHost) -> None:
        self._host = host
        self.machine = host.machine
        self.folder = host.folder / "ca"
        self.folder.mkdir()
        self.ca = CardCa(self.folder)
        self.cards = {
            owner: host.host.make(f"Card of {owner}", owner=owner, keys=KEYS, pin=PINS[owner]) for owner in PEOPLE
        }
        for number, (owner, record) in enumerate(self.cards.items()):
            body = self.ca.certify("ad_smartcard_logon", owner, 1104 + number, record.certificates[0x9A])
            self.machine.certify(record, 0x9A, body)
        self.kdc = MitKdc(self.machine, self.ca, PEOPLE)
        self._tell_kerberos()
        self._sssd = Sssd(host)
        self.machine.run("tee", "/etc/pkcs11/modules/hardbound.module", stdin=host.host.module())
        host.start("--sign-in", str(host.folder / "sign-in"))
        self._sssd.start()

    def _tell_kerberos(self) -> None:
        caches = self._host.folder / "caches"
        caches.mkdir()
        caches.chmod(0o1777)
        self.kdc.tell_machine(f"[libdefaults]\ndefault_ccache_name = FILE:{caches}/%{{uid}}\n")

    def login(self, user: str) -> t.Any:
        return self._host.spawn("login", user)

    def gdm(self, user: str) -> t.Any:
        return Gdm(self._host).sign_in("gdm-password", user)

    def sudo(self, user: str) -> t.Any:
        return self._host.sudo(user)

    def tickets(self, user: str) -> str:
        return self.machine.run("runuser", "-u", user, "--", "klist", ok=None)

    def tries(self) -> t.Dict[str, int]:
        return {owner: self.machine.tries(record)[0] for owner, record in self.cards.items()}

    def get_ticket(self, user: str, pin: str) -> None:
        """Runs what PAM runs, as long as it takes."""
        program = self._host.folder / "lib/get_ticket.py"
        self.machine.run("env", f"PAM_USER={user}", "python3", "-IB", str(program), "30", REALM, stdin=pin)

    def stop(self) -> None:
        self._sssd.stop()
        self.kdc.stop()
        self.ca.close()


@pytest.fixture(scope="session")
def with_ticket(tmp_path_factory: pytest.TempPathFactory) -> str:
    wanted = {"smartcard_login_kerberos_ticket": True, "smartcard_login_kerberos_realm": REALM}
    return write_profile(tmp_path_factory.mktemp("ticket"), __smartcard_login_limit=15, **wanted)


@pytest.fixture
def desk(host: Host, with_ticket: str) -> t.Iterator[Desk]:
    needs("login", "sudo", "pam-auth-update", "klist", "ss", "sssd", *mit_kdc.PROGRAMS)
    desk = Desk(PromptHost(host, with_ticket))
    yield desk
    desk.stop()


answer = functools.partial(prompt_host.answer, known=(PIN_ASKED, PASSWORD_ASKED, NAME_ASKED))


def is_in(terminal: t.Any, user: str) -> None:
    terminal.expect(r"\$ ")
    terminal.sendline("echo in as $(id -un)")
    terminal.expect_exact(f"in as {user}")
    terminal.close(force=True)


def test_each_is_asked_once_and_has_a_ticket(desk: Desk) -> None:
    desk.kdc.start()
    for user in PEOPLE:
        terminal = desk.login(user)
        answer(terminal, (PIN_ASKED, PINS[user]))
        is_in(terminal, user)
        assert f"Default principal: {user}@{REALM}" in desk.tickets(user) and TICKET in desk.tickets(user)
    assert desk.tries() == {"alice": 3, "bob": 3}


def test_gdm_gets_one(desk: Desk) -> None:
    desk.kdc.start()
    terminal = desk.gdm("alice")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    terminal.expect(IN)
    assert TICKET in desk.tickets("alice")


def test_a_wrong_pin_ends_the_try_and_is_no_password(desk: Desk) -> None:
    """Neither is a password that is typed where the PIN belongs."""
    desk.kdc.start()
    terminal = desk.login("alice")
    shown = answer(terminal, (PIN_ASKED, WRONG), (NAME_ASKED, "alice"), (PIN_ASKED, PASSWORD), (NAME_ASKED, "alice"))
    assert shown.count("Login incorrect") == 2
    assert desk.tries() == {"alice": 2, "bob": 3} and TICKET not in desk.tickets("alice")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    is_in(terminal, "alice")
    assert TICKET in desk.tickets("alice") and desk.tries()["alice"] == 3


def test_nothing_typed_leads_to_the_password(desk: Desk) -> None:
    desk.kdc.start()
    terminal = desk.login("alice")
    answer(terminal, (PIN_ASKED, ""), (PASSWORD_ASKED, PASSWORD))
    is_in(terminal, "alice")
    assert TICKET not in desk.tickets("alice") and desk.tries()["alice"] == 3


def test_sssd_away_leads_to_the_password(desk: Desk) -> None:
    desk._sssd.stop()
    terminal = desk.login("alice")
    answer(terminal, (PASSWORD_ASKED, PASSWORD))
    is_in(terminal, "alice")


def test_a_card_service_that_ends_meanwhile_makes_no_password_of_a_pin(desk: Desk) -> None:
    terminal = desk.login("alice")
    terminal.expect(PIN_ASKED)
    assert desk.machine.service is not None
    desk.machine.service.kill()
    terminal.sendline(PASSWORD)
    answer(terminal, (NAME_ASKED, "alice"), (PASSWORD_ASKED, PASSWORD))
    is_in(terminal, "alice")


def test_a_kdc_that_is_away_or_hangs_keeps_nobody_out(desk: Desk) -> None:
    for hangs in (False, True):
        if hangs:
            desk.kdc.start()
            process = desk.kdc._process
            assert process is not None
            process.send_signal(signal.SIGSTOP)
        terminal = desk.login("alice")
        answer(terminal, (PIN_ASKED, PINS["alice"]))
        is_in(terminal, "alice")
        assert TICKET not in desk.tickets("alice")
        if hangs:
            process.send_signal(signal.SIGCONT)


def test_sudo_gets_none_and_asks_for_the_password_after_a_wrong_pin(desk: Desk) -> None:
    desk.kdc.start()
    terminal = desk.sudo("alice")
    answer(terminal, (PIN_ASKED, WRONG), (PASSWORD_ASKED, PASSWORD))
    terminal.expect_exact("in as root")
    terminal = desk.sudo("alice")
    answer(terminal, (PIN_ASKED, PINS["alice"]))
    terminal.expect_exact("in as root")
    assert TICKET not in desk.tickets("alice")


def test_a_kdc_that_asks_for_a_password_is_told_nothing(desk: Desk) -> None:
    """An attacker's, which hopes for the PIN: one whose principal has the PIN for a password would give a ticket."""
    configuration = desk.kdc.folder / "kdc.conf"
    lines = configuration.read_text().splitlines()
    configuration.write_text("\n".join(each for each in lines if "pkinit" not in each) + "\n")
    change = ["/usr/sbin/kadmin.local", "-q", f"cpw -pw {PINS['alice']} alice"]
    subprocess.run(change, env={**os.environ, **mit_kdc.environment(desk.kdc.folder)}, check=True, capture_output=True)
    desk.kdc.start()
    command = ["runuser", "-u", "alice", "--", "kinit", "alice"]
    desk.machine.run(*command, stdin=f"{PINS['alice']}\n")
    desk.machine.run("runuser", "-u", "alice", "--", "kdestroy")
    desk.get_ticket("alice", PINS["alice"])
    assert TICKET not in desk.tickets("alice")


def test_a_card_whose_owner_has_mistyped_is_left_alone(desk: Desk) -> None:
    """The PIN may be that of another card: it costs one try, and no more."""
    desk.kdc.start()
    for _each in range(3):
        desk.get_ticket("alice", WRONG)
    assert desk.tries() == {"alice": 2, "bob": 3} and TICKET not in desk.tickets("alice")


# Two factors.

ALONE = "A PIN alone does not sign in here."


@pytest.fixture(scope="session")
def with_two_factors(tmp_path_factory: pytest.TempPathFactory) -> str:
    wanted = {"smartcard_login_kerberos_ticket": True, "smartcard_login_kerberos_realm": REALM}
    wanted["__smartcard_login_second_factors"] = ["trusted_signal", "fingerprint"]
    return write_profile(tmp_path_factory.mktemp("two"), __smartcard_login_limit=15, **wanted)


@pytest.fixture
def guarded(host: Host, with_two_factors: str) -> t.Iterator[Desk]:
    """A desk in the office, where the Hello policy asks for a second factor."""
    needs("login", "sudo", "pam-auth-update", "klist", "ss", "sssd", *mit_kdc.PROGRAMS)
    desk = Desk(PromptHost(host, with_two_factors))
    rules = [{"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}]
    unlock = {"group_a": ["pin"], "group_b": ["trusted_signal", "fingerprint"], "rules": rules}
    desk.machine.hello(device_unlock=unlock)
    give_link(desk.machine, "desk0", "10.1.2.3/16")
    yield desk
    desk.stop()


def test_a_pin_with_its_second_factor_gets_a_ticket(guarded: Desk) -> None:
    guarded.kdc.start()
    terminal = guarded.login("alice")
    assert ALONE not in answer(terminal, (PIN_ASKED, PINS["alice"]))
    is_in(terminal, "alice")
    assert TICKET in guarded.tickets("alice")


def test_a_pin_without_one_neither_signs_in_nor_gets_a_ticket(guarded: Desk) -> None:
    guarded.kdc.start()
    guarded.machine.run("ip", "address", "del", "10.1.2.3/16", "dev", "desk0")
    terminal = guarded.login("alice")
    assert ALONE in answer(terminal, (PIN_ASKED, PINS["alice"]), (NAME_ASKED, "alice"))
    answer(terminal, (PIN_ASKED, ""), (PASSWORD_ASKED, PASSWORD))
    is_in(terminal, "alice")
    assert TICKET not in guarded.tickets("alice")


def test_a_wrong_pin_beside_a_second_factor_gets_nothing(guarded: Desk) -> None:
    """An attacker in the office, who sits down at the desk of alice and knows a PIN of somebody else."""
    guarded.kdc.start()
    terminal = guarded.login("alice")
    assert ALONE not in answer(terminal, (PIN_ASKED, PINS["bob"]), (NAME_ASKED, "alice"))
    terminal.close(force=True)
    assert guarded.tries() == {"alice": 2, "bob": 3}
    assert not any(TICKET in guarded.tickets(user) for user in PEOPLE)


def test_a_second_factor_alone_signs_nobody_in(guarded: Desk) -> None:
    """Neither where no PIN is typed, nor where SSSD does not ask for one."""
    terminal = guarded.login("alice")
    answer(terminal, (PIN_ASKED, ""), (PASSWORD_ASKED, "no password of alice"), (NAME_ASKED, "alice"))
    terminal.close(force=True)
    guarded._sssd.stop()
    terminal = guarded.login("alice")
    answer(terminal, (PASSWORD_ASKED, "no password of alice"), (NAME_ASKED, "alice"))
