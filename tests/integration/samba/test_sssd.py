# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of a real Samba domain sign in with their cards: SSSD's provider ad, as the page and the role set it up."""

from __future__ import annotations

import base64
import functools
import json
import os
import typing as t
from pathlib import Path

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support import prompt_host
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host, host
from ansible_collections.hardbound.identity.tests.support.pages import blocks
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD_ASKED,
    PATIENCE,
    PIN_ASKED,
    PromptHost,
    write_templates,
)
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd, users
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["host"]
pytestmark = [pytest.mark.tpm, pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

PINS = {"dora": "123456", "emil": "654321"}
UNKNOWN = list(PINS)
"""Whom the host does not know without the domain, though it says who they are."""
DOMAIN = "corp.example"
TICKET = "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE"
NAME_ASKED = "login: "
BRISK = "[nss]\nentry_negative_timeout = 1\n[domain/corp.example]\nkrb5_ccachedir = {caches}\n"
"""What tells SSSD to ask again soon whose a certificate is, and to leave nothing on this computer."""
KERBEROS = "include FOLDER/krb5.conf\n[libdefaults]\ndefault_realm = CORP.EXAMPLE\n"
SURVEY = str(COLLECTION / "roles/smartcard_login/files/survey.py")


def page() -> str:
    """Returns what an administrator is told to have in sssd.conf."""
    (found,) = (text for where, text in blocks("ini") if "active_directory" in where and "id_provider = ad\n" in text)
    return found


def role_files(folder: Path, by: str) -> t.List[str]:
    """Returns what the role lays for PAM, SSSD and Kerberos on a host that has joined, of whose users it has cards.

    :param by: what tells whose a certificate is
    """
    survey = {"files": ["sssd.conf"], "socket": True, "sign_in": {}, "unknown": UNKNOWN}
    return write_templates(
        folder,
        "profile",
        "sssd.conf",
        "krb5.conf",
        smartcard_enrollment_cards=[{"owner": each, "upn": f"{each}@{DOMAIN}"} for each in PINS],
        smartcard_login_domains={DOMAIN: by},
        smartcard_login_kerberos_realm="CORP.EXAMPLE",
        __smartcard_login_survey={"stdout": json.dumps(survey)},
        __smartcard_login_local=users(),
        __smartcard_login_kerberos_identities=f"PKCS11:module_name={PROXY}",
        __smartcard_login_kerberos_anchors="FOLDER/anchors.pem",
    )


class Desk:
    """A host in a domain, which knows neither dora nor emil itself, and has a card of each.

    :param domain: as the fixture ``card_domain`` has it
    :param files: what the role lays
    """

    def __init__(self, host: Host, domain: t.Any, files: t.Sequence[str]) -> None:
        self.controller, self._ca = domain
        self.folder = host.machine.folder
        profile, sssd, krb5 = files
        self._host = PromptHost(host, profile)
        self.machine = host.machine
        self.machine.network = self.controller.network
        self._caches = self.folder / "caches"
        self._caches.mkdir()
        self._caches.chmod(0o1777)
        self._certify(host)
        self._publish("dora")
        self._join(krb5)
        self._sssd = Sssd(self._host, laid=sssd)
        self._sssd._tell("sssd.conf", page())
        self._sssd._tell("conf.d/brisk.conf", BRISK.format(caches=self._caches))
        self._lay("/etc/sssd/hardbound/ca.pem", self._ca.certificates.read_text())
        self._host.start("--sign-in", str(self.folder / "sign-in"))
        self._sssd.start("dora")
        assert self._unknown(*UNKNOWN, "alice") == UNKNOWN, "the role lays rules for users of the host alone"
        until(self._asks_for_a_pin, self._sssd.log, 2 * PATIENCE)

    def _lay(self, path: str, text: str) -> None:
        self.machine.run("mkdir", "-p", os.path.dirname(path))
        self.machine.run("tee", path, stdin=text.replace("FOLDER", str(self.folder)))

    def _certify(self, host: Host) -> None:
        self._cards, self.certificates = {}, {}
        for owner, pin in PINS.items():
            record = host.make(f"Card of {owner}", owner=owner, keys=KEYS, pin=pin)
            (sid,) = self.controller.attributes(self.name(owner))["objectSid"]
            domain, _hyphen, number = sid.rpartition("-")
            body = self._ca.certify("ad_smartcard_logon", owner, int(number), record.certificates[0x9A], domain)
            self.machine.certify(record, 0x9A, body)
            self._cards[owner], self.certificates[owner] = record, body

    def _join(self, krb5: str) -> None:
        self._lay("/etc/resolv.conf", f"nameserver {self.controller.address}\n")
        self._lay(str(self.folder / "anchors.pem"), self._ca.certificates.read_text())
        self._lay(str(self.folder / "krb5.conf"), krb5)
        self._lay("/etc/krb5.conf", KERBEROS)
        join = ("adcli", "join", DOMAIN, "--login-user", "administrator", "--stdin-password")
        self.machine.run(*join, stdin=self.controller.password)
        self.machine.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/home")
        self.machine.run("pam-auth-update", "--enable", "mkhomedir")
        self.machine.run("sed", "--in-place", "s/^\\(passwd\\|group\\):.*/\\1: files sss/", "/etc/nsswitch.conf")

    def _unknown(self, *names: str) -> t.List[str]:
        """Returns whom the role takes for no users of the host."""
        look = f"import json, runpy; print(json.dumps(runpy.run_path({SURVEY!r})['unknown_users']({names!r})))"
        return list(json.loads(self.machine.run("/usr/bin/python3", "-IB", "-c", look)))

    @staticmethod
    def name(user: str) -> str:
        return f"CN={user},CN=Users,DC=corp,DC=example"

    def _publish(self, owner: str) -> None:
        """Has the directory know the certificate of one of them alone."""
        for each in PINS:
            value = base64.b64encode(self.certificates[each]).decode()
            line = f"userCertificate:: {value}" if each == owner else ""
            self.controller.modify(self.name(each), f"replace: userCertificate\n{line}")

    def _asks_for_a_pin(self) -> bool:
        """Tells whether SSSD finds certificates yet."""
        return prompt_host.is_asked_for_a_pin(self.login("dora"))

    def login(self, user: str) -> t.Any:
        return self._host.spawn("login", user)

    def signs_in(self, user: str) -> None:
        """The PIN does, and brings a ticket, and a folder of one's own."""
        terminal = self.login(user)
        answer(terminal, (PIN_ASKED, PINS[user]))
        terminal.expect(r"\$ ")
        terminal.sendline("echo in as $(id -un) at $PWD; klist")
        terminal.expect_exact(f"in as {user} at /home/{user}")
        terminal.expect_exact(f"Default principal: {user}@CORP.EXAMPLE")
        terminal.expect_exact(TICKET)
        terminal.close(force=True)

    def tickets(self) -> t.List[str]:
        return os.listdir(self._caches)

    def tries(self) -> t.Dict[str, int]:
        return {owner: self.machine.tries(record)[0] for owner, record in self._cards.items()}

    def stop(self) -> None:
        self._sssd.stop()


answer = functools.partial(prompt_host.answer, known=(PIN_ASKED, PASSWORD_ASKED, NAME_ASKED))


@pytest.fixture(params=["upn"])
def desk(host: Host, card_domain: t.Any, tmp_path: Path, request: pytest.FixtureRequest) -> t.Iterator[Desk]:
    needs("login", "pam-auth-update", "klist", "adcli")
    if not Path("/usr/lib/x86_64-linux-gnu/sssd/libsss_ad.so").exists():
        pytest.skip("needs Debian's sssd-ad")
    desk = Desk(host, card_domain, role_files(tmp_path, request.param))
    yield desk
    desk.stop()


@pytest.mark.parametrize("desk", ["upn", "principal"], indirect=True)
def test_the_pin_signs_in_and_gets_a_ticket(desk: Desk) -> None:
    for user in PINS:
        desk.signs_in(user)
    assert desk.tries() == {"dora": 3, "emil": 3}


@pytest.mark.parametrize("desk", ["certificate"], indirect=True)
def test_a_certificate_is_looked_for_in_the_directory(desk: Desk) -> None:
    """That of dora is there. That of emil is as good, but nobody has published it."""
    desk.signs_in("dora")
    terminal = desk.login("emil")
    answer(terminal, (PASSWORD_ASKED, PINS["emil"]), (NAME_ASKED, "emil"))
    terminal.close(force=True)
    assert desk.tries() == {"dora": 3, "emil": 3}


def test_neither_another_s_pin_nor_that_of_a_disabled_account_signs_in(desk: Desk) -> None:
    not_in = (PASSWORD_ASKED, "no password of dora"), (NAME_ASKED, "dora")
    terminal = desk.login("dora")
    answer(terminal, (PIN_ASKED, PINS["emil"]), *not_in)
    assert desk.tries() == {"dora": 2, "emil": 3}
    desk.controller.tool("user", "disable", "dora")
    try:
        answer(terminal, (PIN_ASKED, PINS["dora"]), *not_in)
    finally:
        desk.controller.tool("user", "enable", "dora")
        terminal.close(force=True)
    # The domain controller of Debian 12 looks at the account after the signature, that of Debian 13 before.
    assert desk.tries() in ({"dora": 3, "emil": 3}, {"dora": 2, "emil": 3}) and not desk.tickets()
