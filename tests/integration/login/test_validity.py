# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that have ended or were revoked: sudo with Debian's PAM, cards, and SSSD told what the role tells it."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import shlex
import shutil
import typing as t
from pathlib import Path

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support import prompt_host
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD,
    PASSWORD_ASKED,
    PEOPLE,
    PIN_ASKED,
    PromptHost,
    profile,
    sign_in,
    write_templates,
)
from ansible_collections.hardbound.identity.tests.support.sign_in_host import PAM, SignInHost
from ansible_collections.hardbound.identity.tests.support.sssd import Sssd, users, version
from ansible_collections.hardbound.identity.tests.support.waiting import until
from cryptography import x509

__all__ = ["profile", "sign_in"]
pytestmark = [pytest.mark.tpm, pytest.mark.slow]

DAY = datetime.timedelta(days=1)
AGE = 500 * DAY
"""Of the CA: longer than a certificate for a logon lives. Then its clock is slow, and can go on without a wait."""
CAS = ("root", "issuing")
LISTS = "/etc/sssd/hardbound/crls.pem"
LOOKS_AT_ENDED_LISTS = (2, 10)
"""The version of SSSD since which its ``soft_crl`` passes over the date of a list alone, of those that Debian has."""
MANY_SECONDS = 40
"""SSSD remembers for 15 that it did not know whose a card is."""


def role_files(folder: Path, **variables: t.Any) -> t.Tuple[str, str]:
    """Returns what the role lays for SSSD, and the unit that fetches the lists."""
    survey = {"files": [], "socket": True, "sign_in": {}}
    people = [{"name": each, "upn": f"{each}@corp.example"} for each in PEOPLE]
    sssd, unit = write_templates(
        folder,
        "sssd.conf",
        "hardbound-crls.service",
        smartcard_login_users=people,
        smartcard_login_crl_urls=[f"file://FOLDER/ca/authority/public/{each}.crl" for each in CAS],
        __smartcard_login_survey={"stdout": json.dumps(survey)},
        __smartcard_login_local=users(),
        **variables,
    )
    return sssd, unit


class Office:
    """A host of alice and bob, whose cards have certificates of a CA. Bob's is new.

    :param files: what the role lays
    :param age: of alice's certificate
    """

    def __init__(self, host: PromptHost, files: t.Tuple[str, str], age: datetime.timedelta = 0 * DAY) -> None:
        self._host = host
        self.machine = host.machine
        sssd, unit = (each.replace("FOLDER", str(host.folder)) for each in files)
        self._fetch = shlex.split(t.cast(t.Any, re.search("^ExecStart=(.*)$", unit, re.MULTILINE))[1])
        (host.folder / "ca").mkdir()
        self.ca = CardCa(host.folder / "ca", age=AGE + DAY)
        key = KeySpecification(0x9A, KeyAlgorithm.ECC_P256)
        self.cards = {each: host.host.make(f"Card of {each}", owner=each, keys=[key]) for each in PEOPLE}
        self.ca.watch.at += AGE - age
        self.certificates = {"alice": self._certify("alice")}
        self.ca.watch.at += age
        self.certificates["bob"] = self._certify("bob")
        self._sssd = Sssd(host, laid=sssd)
        self.machine.run("mkdir", "/etc/sssd/hardbound")
        self.machine.run("tee", "/etc/sssd/hardbound/ca.pem", stdin=self.ca.certificates.read_text())

    def start(self) -> None:
        assert self.fetch(*CAS) == ""
        self._host.start("--sign-in", str(self._host.folder / "sign-in"))
        self._sssd.start()
        self.await_pin("bob")

    def _certify(self, user: str) -> bytes:
        record = self.cards[user]
        number = 1104 + PEOPLE.index(user)
        body = self.ca.certify("ad_smartcard_logon", user, number, record.certificates[0x9A])
        self.machine.certify(record, 0x9A, body)
        return body

    def fetch(self, *cas: str, ok: bool = True) -> str:
        """Has CAs sign their lists anew and the host fetch what there is, and returns what the host complains of."""
        self.ca.watch.turn(seconds=1)
        for each in cas:
            self.ca.publish(each, 7 * DAY)
        return self.machine.run(*self._fetch, ok=ok)

    def fetch_ended(self, *cas: str) -> str:
        """Has the CAs' newest lists be those of a week ago, as where nobody has signed any since."""
        self.machine.run("rm", LISTS)
        for each in CAS:
            self.ca.watch.at -= 8 * DAY if each in cas else 0 * DAY
            self.ca.publish(each, 7 * DAY)
            self.ca.watch.at += 8 * DAY if each in cas else 0 * DAY
        return self.fetch(ok=False)

    def lists(self, certificate: bytes) -> bool:
        """Tells whether the host has read that a certificate is revoked."""
        number = x509.load_der_x509_certificate(certificate).serial_number
        parts = self.machine.run("cat", LISTS).partition("-----END X509 CRL-----\n")
        found = [x509.load_pem_x509_crl("".join(each).encode()) for each in (parts[:2], parts[2:])]
        return any(each.get_revoked_certificate_by_serial_number(number) for each in found)

    def await_pin(self, user: str) -> None:
        """SSSD asks for none at once after its start, or after it did not know whose a card is."""
        until(lambda: prompt_host.is_asked_for_a_pin(self._host.sudo(user)), self._sssd.log, MANY_SECONDS)

    def signs_in(self, user: str, *prompts: t.Tuple[str, str]) -> None:
        terminal = self._host.sudo(user)
        prompt_host.answer(terminal, *prompts, known=(PIN_ASKED, PASSWORD_ASKED, "in as root"))
        terminal.expect_exact("in as root")
        terminal.close(force=True)

    def by_pin(self, user: str) -> None:
        self.signs_in(user, (PIN_ASKED, PIN))

    def by_password(self, user: str, reason: str) -> None:
        """The password signs in. The PIN is not asked for, is no password, and costs no try.

        :param reason: for which SSSD has not taken the card
        """
        self.machine.run("sh", "-c", "truncate --size 0 /var/log/sssd/p11_child.log")
        self.signs_in(user, (PASSWORD_ASKED, PIN), (PASSWORD_ASKED, PASSWORD))
        assert reason in self.machine.run("cat", "/var/log/sssd/p11_child.log")
        assert self.machine.tries(self.cards[user]) == (3, 3)

    def stop(self) -> None:
        self._sssd.stop()
        self.ca.close()


Opener = t.Callable[..., Office]


@pytest.fixture(scope="session")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> t.Tuple[str, str]:
    return role_files(tmp_path_factory.mktemp("refusing"))


@pytest.fixture(scope="session")
def accepting(tmp_path_factory: pytest.TempPathFactory) -> t.Tuple[str, str]:
    return role_files(tmp_path_factory.mktemp("accepting"), smartcard_login_crl_expired="accept")


@pytest.fixture
def open_office(sign_in: PromptHost) -> t.Iterator[Opener]:
    with contextlib.ExitStack() as stack:

        def opened(*options: t.Any, **more: t.Any) -> Office:
            office = Office(sign_in, *options, **more)
            stack.callback(office.stop)
            office.start()
            return office

        yield opened


@pytest.fixture
def office(open_office: Opener, refusing: t.Tuple[str, str]) -> Office:
    return open_office(refusing)


@pytest.fixture
def accepting_office(open_office: Opener, accepting: t.Tuple[str, str]) -> Office:
    """Alice's certificate was revoked there."""
    office = open_office(accepting)
    office.ca.revoke(office.certificates["alice"])
    return office


def test_a_certificate_that_has_ended_signs_nobody_in(open_office: Opener, refusing: t.Tuple[str, str]) -> None:
    office = open_office(refusing, age=AGE - DAY)
    office.by_password("alice", "certificate has expired")
    office.by_pin("bob")


def test_a_revoked_one_signs_nobody_in_as_soon_as_the_host_knows(office: Office) -> None:
    office.by_pin("alice")
    office.ca.revoke(office.certificates["alice"])
    assert office.fetch("issuing") == ""
    office.by_password("alice", "certificate revoked")
    office.by_pin("bob")


@pytest.mark.parametrize("which", CAS)
def test_an_ended_list_signs_nobody_in_until_there_is_a_new_one(office: Office, which: str) -> None:
    assert "ended at" in office.fetch_ended(which)
    for user in PEOPLE:
        office.by_password(user, "CRL has expired")
    assert office.fetch(*CAS) == ""
    office.await_pin("alice")
    office.by_pin("alice")


def test_an_ended_list_that_is_accepted_counts_where_sssd_still_looks_at_it(accepting_office: Office) -> None:
    """By SSSD 2.8 whose card was revoked signs in, although the list says so: what the page on this warns of."""
    office = accepting_office
    assert office.fetch("issuing") == ""
    office.by_password("alice", "certificate revoked")
    assert "ended at" in office.fetch_ended("issuing")
    assert office.lists(office.certificates["alice"])
    office.await_pin("bob")
    office.by_pin("bob")
    if version(office.machine) >= LOOKS_AT_ENDED_LISTS:
        office.by_password("alice", "certificate revoked")
    else:
        office.await_pin("alice")
        office.by_pin("alice")
    assert office.fetch(*CAS) == ""
    office.by_password("alice", "certificate revoked")


def test_where_the_root_s_has_ended_and_is_accepted_the_issuing_ca_s_counts(accepting_office: Office) -> None:
    office = accepting_office
    assert "ended at" in office.fetch_ended("root")
    office.by_password("alice", "certificate revoked")
    office.by_pin("bob")


def test_with_an_ended_list_no_ended_certificate_is_accepted(open_office: Opener, accepting: t.Tuple[str, str]) -> None:
    office = open_office(accepting, age=AGE - DAY)
    assert "ended at" in office.fetch_ended("issuing")
    office.by_password("alice", "certificate has expired")
    office.by_pin("bob")


def test_without_a_list_of_each_ca_nobody_signs_in_by_card(office: Office) -> None:
    office.machine.run("rm", LISTS)
    office.by_password("alice", "X509_load_crl_file")
    office.ca.folder.joinpath("authority/public/root.crl").unlink()
    assert "there is no revocation list of CN=Corp Issuing CA Root" in office.fetch("issuing", ok=False)
    office.by_password("alice", "unable to get certificate CRL")
    assert office.fetch("root") == ""
    office.await_pin("alice")
    office.by_pin("alice")


# What the role does before SSSD is told of the lists.


def take_effect(host: Host, folder: Path) -> str:
    """Has the role come to the lists, which nobody has published, and returns how it fails."""
    desk = SignInHost(host)
    host.machine.cover(*PAM, "/var/cache/debconf")
    shutil.copy(COLLECTION / "roles/smartcard_login/files/fetch_crls.py", desk.folder)
    urls = [f"file://{folder}/{each}.crl" for each in CAS]
    options = {"smartcard_login_crl_urls": urls, "__smartcard_login_pki": str(folder)}
    said = desk.play("effect", ok=False, __smartcard_login_lib=str(desk.folder), **options)
    assert not desk.log.exists(), "SSSD was restarted"
    return said


def test_the_role_goes_no_further_without_a_list(host: Host, tmp_path: Path) -> None:
    ca = CardCa(tmp_path)
    shutil.copy(ca.certificates, tmp_path / "ca.pem")
    ca.publish("issuing", 7 * DAY).rename(tmp_path / "issuing.crl")
    ca.close()
    assert "there is no revocation list of CN=Corp Issuing CA Root" in take_effect(host, tmp_path)


def test_the_role_goes_no_further_where_the_lists_can_t_be_looked_at(host: Host, tmp_path: Path) -> None:
    assert "No such file or directory" in take_effect(host, tmp_path)
