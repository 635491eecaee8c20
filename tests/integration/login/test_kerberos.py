# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets by PKINIT as the role sets Kerberos up: two owners of cards, a real KDC of MIT Kerberos, plain kinit."""

from __future__ import annotations

import os
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support import mit_kdc
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS, WRONG, KerberosHost
from ansible_collections.hardbound.identity.tests.support.mit_kdc import MitKdc
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.server_certificate import REALM
from ansible_collections.hardbound.identity.tests.support.sign_in_host import OWNERS, contents

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")]

TICKET = f"krbtgt/{REALM}@{REALM}"


@pytest.fixture
def desk(host: Host) -> t.Iterator[KerberosHost]:
    needs("kinit", "klist", "ss", *mit_kdc.PROGRAMS)
    folder = host.machine.folder / "ca"
    folder.mkdir()
    ca = CardCa(folder)
    yield KerberosHost(host, ca, mit_kdc.CLIENT)
    ca.close()


@pytest.fixture
def kdc(desk: KerberosHost) -> t.Iterator[MitKdc]:
    kdc = MitKdc(desk.host.machine, desk.ca, list(OWNERS))
    kdc.start()
    yield kdc
    kdc.stop()


@pytest.mark.parametrize("profile", ["ad_smartcard_logon", "mit_pkinit"])
def test_each_owner_gets_a_ticket_with_the_own_card(desk: KerberosHost, kdc: MitKdc, profile: str) -> None:
    desk.give_cards(KEYS, lambda: desk.certify(profile))
    desk.play("kerberos", **desk.wanted)
    desk.assert_each_owner_gets_a_ticket()
    assert TICKET not in desk.kinit("bob", "alice"), "his certificate is not hers"
    assert TICKET not in desk.kinit("alice", "alice", WRONG)
    assert desk.tries() == {"alice": 2, "bob": 3}
    kdc.stop()
    said = desk.kinit("bob", "bob")
    assert "Cannot contact any KDC" in said and "PIN:" not in said
    assert desk.tries() == {"alice": 2, "bob": 3}


@pytest.mark.parametrize("off", [{"smartcard_login_kerberos": False}, {"smartcard_login_state": "absent"}])
def test_it_comes_and_goes_without_a_trace(desk: KerberosHost, off: t.Mapping[str, t.Any]) -> None:
    before = contents("/etc", desk)
    desk.play("kerberos", "--check", **desk.wanted)
    assert contents("/etc", desk) == before
    desk.play("kerberos", **desk.wanted)
    assert contents("/etc", desk) != before
    assert "changed=0" in desk.play("kerberos", **desk.wanted)
    desk.play("kerberos", **{**desk.wanted, **off})
    assert contents("/etc", desk) == before
    assert "changed=0" in desk.play("kerberos", **{**desk.wanted, **off})


@pytest.mark.parametrize("off", [{}, {"certificates": False}])
def test_a_policy_of_certificates_gets_tickets_and_takes_them_away(
    desk: KerberosHost, kdc: MitKdc, off: t.Mapping[str, bool]
) -> None:
    desk.give_cards(KEYS, desk.certify)
    before = contents("/etc", desk)
    wanted = {**desk.wanted, "smartcard_login_kerberos": False}
    desk.play("kerberos", __smartcard_login_said={"certificates": True}, **wanted)
    desk.assert_each_owner_gets_a_ticket()
    desk.play("kerberos", __smartcard_login_said=off, **wanted)
    assert contents("/etc", desk) == before


def test_what_others_write_meanwhile_stays(desk: KerberosHost) -> None:
    """Bytes that are no text, and no end of line."""
    file = desk.etc / "krb5.conf"
    desk.play("kerberos", **desk.wanted)
    file.write_bytes(file.read_bytes() + b"# \xff\r\n[domain_realm]")
    assert "changed=0" in desk.play("kerberos", **desk.wanted)
    desk.play("kerberos", smartcard_login_state="absent")
    assert file.read_bytes() == mit_kdc.CLIENT.encode() + b"# \xff\r\n[domain_realm]"


def test_what_has_no_effect_is_put_back(desk: KerberosHost) -> None:
    """Somebody's environment names another configuration."""
    other = desk.folder / "krb5.conf"
    other.write_text(mit_kdc.CLIENT)
    before = contents("/etc", desk)
    said = desk.play("kerberos", ok=False, environment={"KRB5_CONFIG": str(other)}, **desk.wanted)
    assert "Kerberos looks for certificates in nothing all the same" in said and "as they were before" in said
    assert contents("/etc", desk) == before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"smartcard_login_kerberos_ca": ["/nonexistent"]}, "/nonexistent is no file on the controller"),
        ({"smartcard_login_kerberos_ca": []}, "smartcard_login_kerberos_ca is empty, and so is smartcard_login_ca"),
        ({"smartcard_login_kerberos_realm": "CORP = {"}, '"CORP = {" is neither a name nor a rule'),
        ({"smartcard_login_kerberos_match": ["msScLogin"]}, '"msScLogin" is neither a name nor a rule'),
        ({"smartcard_login_kerberos_match": ["<EKU>a\nb"]}, "is neither a name nor a rule"),
    ],
)
def test_bad_input_is_refused_before_anything_is_changed(
    desk: KerberosHost, wrong: t.Mapping[str, t.Any], words: str
) -> None:
    before = contents("/etc", desk)
    said = desk.play("kerberos", ok=False, **{**desk.wanted, **wrong})
    assert words in said.replace('\\"', '"'), said
    assert contents("/etc", desk) == before


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (None, "this host has no /etc/krb5.conf of its own"),
        ("link", "this host has no /etc/krb5.conf of its own"),
        ("[libdefaults\n", "Kerberos does not take its own configuration: "),
    ],
)
def test_a_host_that_can_t_be_set_up_is_left_alone(desk: KerberosHost, there: t.Optional[str], words: str) -> None:
    file = desk.etc / "krb5.conf"
    if there is None or there == "link":
        file.rename(desk.etc / "elsewhere")
    if there == "link":
        file.symlink_to("elsewhere")
    elif there:
        file.write_text(there)
    before = contents("/etc", desk)
    assert words in desk.play("kerberos", ok=False, **desk.wanted)
    assert contents("/etc", desk) == before
