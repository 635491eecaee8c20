# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of a directory: SSSD with an LDAP server and a KDC finds whose certificate it is, and gets the ticket."""

from __future__ import annotations

import functools
import os
import typing as t
from pathlib import Path

import pytest
import yaml

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")
jinja2 = pytest.importorskip("jinja2", reason="needs Jinja2, as ansible-core does, for the role's templates")

from ansible_collections.hardbound.identity.tests.support import mit_kdc, prompt_host
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.directory import BASE, URI, Directory
from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS
from ansible_collections.hardbound.identity.tests.support.mit_kdc import MitKdc
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD_ASKED,
    PATIENCE,
    PIN_ASKED,
    PromptHost,
    profile,
)
from ansible_collections.hardbound.identity.tests.support.server_certificate import REALM
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["profile"]
pytestmark = [pytest.mark.tpm, pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

PINS = {"dora": "123456", "emil": "654321"}
WRONG = "00000000"
TICKET = f"krbtgt/{REALM}@{REALM}"
NAME_ASKED = "login: "
VARIABLES = yaml.safe_load((COLLECTION / "roles/smartcard_login/vars/main.yml").read_text())
RULES = {by: jinja2.Template(rule).render() for by, rule in VARIABLES["__smartcard_login_maprules"].items()}
TOLD = """\
id_provider = ldap
auth_provider = krb5
ldap_uri = {uri}
ldap_id_use_start_tls = false
ldap_search_base = {base}
krb5_server = 127.0.0.1:{port}
krb5_realm = {realm}
krb5_ccname_template = FILE:{caches}/%U
[certmap/corp.example/hardbound]
matchrule = <KU>digitalSignature
maprule = {rule}
domains = corp.example
"""


class Desk:
    """A host that knows neither dora nor emil, and has a card of each.

    :param by: what tells whose a certificate is
    """

    def __init__(self, host: Host, profile: str, by: str) -> None:
        self._host = PromptHost(host, profile)
        self.machine = host.machine
        folder = self._host.folder / "ca"
        folder.mkdir()
        self._ca = CardCa(folder)
        self._directory = Directory(self.machine)
        self._certify(host)
        self._caches = self._host.folder / "caches"
        self._caches.mkdir()
        self._caches.chmod(0o1777)
        self.kdc = MitKdc(self.machine, self._ca, list(PINS))
        self.kdc.tell_machine()
        told = TOLD.format(
            uri=URI,
            base=BASE,
            port=mit_kdc.PORT,
            realm=REALM,
            caches=self._caches,
            rule=RULES[by],
        )
        self._sssd = Sssd(self._host, "corp.example", told)
        self.machine.run("sed", "--in-place", "s/^\\(passwd\\|group\\):.*/\\1: files sss/", "/etc/nsswitch.conf")
        self._directory.start()
        self._host.start("--sign-in", str(self._host.folder / "sign-in"))
        self.kdc.start()
        self._sssd.start("dora")
        until(self._asks_for_a_pin, self._sssd.log, 2 * PATIENCE)

    def _certify(self, host: Host) -> None:
        self._cards = {}
        for number, (owner, pin) in enumerate(PINS.items()):
            record = host.make(f"Card of {owner}", owner=owner, keys=KEYS, pin=pin)
            body = self._ca.certify("ad_smartcard_logon", owner, 1104 + number, record.certificates[0x9A])
            self.machine.certify(record, 0x9A, body)
            self._directory.add(owner, 62000 + number, body)
            self._cards[owner] = record

    def _asks_for_a_pin(self) -> bool:
        """Tells whether SSSD finds certificates yet."""
        return prompt_host.is_asked_for_a_pin(self.login("dora"))

    def login(self, user: str) -> t.Any:
        return self._host.spawn("login", user)

    def tickets(self, user: str) -> str:
        cache = self._caches / str(62000 + list(PINS).index(user))
        return self.machine.run("klist", str(cache), ok=None)

    def tries(self) -> t.Dict[str, int]:
        return {owner: self.machine.tries(record)[0] for owner, record in self._cards.items()}

    def stop(self) -> None:
        self._sssd.stop()
        self.kdc.stop()
        self._directory.stop()
        self._ca.close()


answer = functools.partial(prompt_host.answer, known=(PIN_ASKED, PASSWORD_ASKED, NAME_ASKED))


@pytest.fixture(params=["upn", "certificate"])
def desk(host: Host, profile: str, request: pytest.FixtureRequest) -> t.Iterator[Desk]:
    needs("login", "klist", "ss", *mit_kdc.PROGRAMS)
    for provider in ("ldap", "krb5"):
        if not Path(f"/usr/lib/x86_64-linux-gnu/sssd/libsss_{provider}.so").exists():
            pytest.skip(f"needs Debian's sssd-{provider}")
    desk = Desk(host, profile, request.param)
    yield desk
    desk.stop()


def test_the_pin_signs_in_whose_certificate_the_directory_has_and_gets_a_ticket(desk: Desk) -> None:
    for user, pin in PINS.items():
        terminal = desk.login(user)
        answer(terminal, (PIN_ASKED, pin))
        terminal.expect(r"\$ ")
        terminal.sendline("echo in as $(id -un)")
        terminal.expect_exact(f"in as {user}")
        terminal.close(force=True)
        assert TICKET in desk.tickets(user)
    assert desk.tries() == {"dora": 3, "emil": 3}


def test_another_s_pin_signs_nobody_in_and_costs_the_other_none(desk: Desk) -> None:
    terminal = desk.login("dora")
    answer(terminal, (PIN_ASKED, PINS["emil"]), (PASSWORD_ASKED, "no password of dora"), (NAME_ASKED, "dora"))
    assert desk.tries() == {"dora": 2, "emil": 3} and TICKET not in desk.tickets("dora")
    terminal.close(force=True)
