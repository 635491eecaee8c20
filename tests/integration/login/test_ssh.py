# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH as the role sets it up: a real sshd and a real ssh read its snippets, for two owners of cards."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ssh_file import certificate_file
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host
from ansible_collections.hardbound.identity.tests.support.sign_in_host import (
    OWNERS,
    SignInHost,
    contents,
    public_keys,
    ssh_keygen,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")]

KEYS = [KeySpecification(0x9A, KeyAlgorithm.ECC_P256)]
CARDS = [
    {"name": name, "owner": owner, "keys": [{"slot": "authentication", "ssh_profile": "ssh_user"}]}
    for owner, name in OWNERS.items()
]
PORT = 2226


class SshHost(SignInHost):
    """A host with an sshd of its own, and a CA for OpenSSH certificates."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.ca = self.folder / "ca"
        ssh_keygen("-t", "ecdsa", "-N", "", "-f", self.ca)
        (self.folder / "ca.cer").write_text("-----BEGIN CERTIFICATE-----\n")
        self.revoked = self.folder / "revoked"
        self.sshd: t.Optional[subprocess.Popen[bytes]] = None
        self.revoke()

    @property
    def wanted(self) -> t.Dict[str, t.Any]:
        return {
            "smartcard_login_ssh": True,
            "smartcard_login_ssh_ca": [f"{self.ca}.pub"],
            "smartcard_login_ssh_revoked": str(self.revoked),
            "smartcard_enrollment_cards": CARDS,
        }

    def revoke(self, *keys: pathlib.Path) -> None:
        ssh_keygen("-k", "-f", self.revoked, *keys)

    def certify(self, owner: str, principal: str) -> pathlib.Path:
        """Gives an owner's card a certificate, where the role smartcard_enrollment lays it."""
        public = self.folder / f"{owner}.pub"
        [key] = public_keys(self, owner)
        public.write_text(f"{key}\n")
        ssh_keygen("-s", self.ca, "-I", owner, "-n", principal, public)
        place = self.home(owner) / ".ssh" / certificate_file(OWNERS[owner], "authentication")
        place.parent.mkdir(exist_ok=True)
        shutil.copy(self.folder / f"{owner}-cert.pub", place)
        for each in (place.parent, place):
            shutil.chown(each, 41000 + list(OWNERS).index(owner))
        return public

    def serve(self) -> None:
        """Has sshd start with the host's own configuration."""
        log = (self.folder / "sshd.log").open("ab")
        os.makedirs("/run/sshd", exist_ok=True)
        command = ["/usr/sbin/sshd", "-D", "-e", "-p", str(PORT), "-o", "PidFile=none"]
        self.sshd = subprocess.Popen(self.host.machine._inside(*command), stdout=log, stderr=log)
        until(lambda: f":{PORT} " in self.host.machine.run("ss", "-tln"), (self.folder / "sshd.log").read_text)

    def stop(self) -> None:
        if self.sshd is not None:
            self.sshd.terminate()
            self.sshd.wait()

    def logon(self, owner: str, account: str) -> str:
        """Types what people type: ssh and a name, and a PIN where asked."""
        asking = [f"SSH_ASKPASS={self.asker(owner)}", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none"]
        options = ["-o", "StrictHostKeyChecking=accept-new", "-o", "PreferredAuthentications=publickey"]
        ssh = ["ssh", "-p", str(PORT), *options, f"{account}@localhost", "id -un"]
        return self.own(owner, *asking, *ssh, ok=None)


@pytest.fixture
def desk(host: Host) -> t.Iterator[SshHost]:
    needs("ssh", "/usr/sbin/sshd", "ss", "runuser")
    desk = SshHost(host)
    yield desk
    desk.stop()


def test_each_owner_logs_on_with_the_own_card(desk: SshHost) -> None:
    desk.give_cards(KEYS)
    desk.play("ssh", **desk.wanted)
    for owner in OWNERS:
        desk.certify(owner, owner)
    desk.serve()
    for owner in OWNERS:
        assert desk.logon(owner, owner).endswith(f"{owner}\n")
        assert desk.asked(owner) == [f"Enter PIN for '{OWNERS[owner]}': "]
    assert "Permission denied" in desk.logon("bob", "alice"), "his certificate does not name her"
    assert set(desk.tries().values()) == {3}


def test_a_revoked_key_is_let_in_no_more(desk: SshHost) -> None:
    desk.give_cards(KEYS)
    desk.play("ssh", **desk.wanted)
    keys = {owner: desk.certify(owner, owner) for owner in OWNERS}
    desk.revoke(keys["bob"])
    assert "changed=2" in desk.play("ssh", **desk.wanted), "the list, and sshd reads it"
    desk.serve()
    assert "Permission denied" in desk.logon("bob", "bob")
    assert desk.logon("alice", "alice").endswith("alice\n")


def test_principals_say_whose_certificates_are_whose(desk: SshHost) -> None:
    desk.give_cards(KEYS)
    principals = {"alice": ["corp-alice", "corp-admin"], "bob": ["corp-bob"]}
    desk.play("ssh", **desk.wanted, smartcard_login_ssh_principals=principals)
    desk.certify("alice", "corp-alice")
    desk.certify("bob", "bob")
    desk.serve()
    assert desk.logon("alice", "alice").endswith("alice\n")
    assert "Permission denied" in desk.logon("bob", "bob"), "the name of the account is none of his principals"
    desk.play("ssh", **desk.wanted, smartcard_login_ssh_principals={"alice": ["corp-alice"]})
    assert not (desk.etc / "ssh/hardbound/principals/bob").exists()


@pytest.mark.parametrize("off", [{"smartcard_login_ssh": False}, {"smartcard_login_state": "absent"}])
def test_it_comes_and_goes_without_a_trace(desk: SshHost, off: t.Mapping[str, t.Any]) -> None:
    desk.host.register()
    before = contents("/etc/ssh", desk)
    wanted = {**desk.wanted, "smartcard_login_ssh_principals": {"alice": ["corp-alice"]}}
    desk.play("ssh", "--check", **wanted)
    assert contents("/etc/ssh", desk) == before and not desk.log.exists()
    desk.play("ssh", **wanted, smartcard_login_ssh_passwords=False)
    said = desk.host.machine.run("/usr/sbin/sshd", "-T")
    for line in (
        "trustedusercakeys /etc/ssh/hardbound/ca.pub",
        "revokedkeys /etc/ssh/hardbound/revoked",
        "authorizedprincipalsfile /etc/ssh/hardbound/principals/%u",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
    ):
        assert f"\n{line}\n" in said
    assert f"\npkcs11provider {PROXY}\n" in desk.own("alice", "ssh", "-G", "localhost")
    assert "pkcs11provider" not in desk.host.machine.run("ssh", "-G", "localhost"), "root would offer everybody's keys"
    assert "changed=0" in desk.play("ssh", **wanted, smartcard_login_ssh_passwords=False)
    desk.play("ssh", **{**wanted, **off})
    assert contents("/etc/ssh", desk) == before
    assert desk.log.read_text() == 2 * "try-reload-or-restart ssh.service\n"
    assert "changed=0" in desk.play("ssh", **{**wanted, **off})


def test_passwords_are_left_as_they_are(desk: SshHost) -> None:
    desk.host.register()
    desk.play("ssh", **desk.wanted)
    assert "\npasswordauthentication yes\n" in desk.host.machine.run("/usr/sbin/sshd", "-T")


def test_what_has_no_effect_is_put_back(desk: SshHost) -> None:
    """An earlier snippet counts, and one of the role's lines would not: as if nobody had told sshd."""
    desk.host.register()
    earlier = "/etc/ssh/sshd_config.d/50-cloud-init.conf"
    desk.host.machine.run("tee", earlier, stdin="PasswordAuthentication yes\n")
    before = contents("/etc/ssh", desk)
    said = desk.play("ssh", ok=False, **desk.wanted, smartcard_login_ssh_passwords=False)
    assert "OpenSSH does not do passwordauthentication" in said and "as they were before" in said
    assert contents("/etc/ssh", desk) == before and not desk.log.exists()


def test_a_configuration_that_sshd_does_not_take_is_never_its(desk: SshHost) -> None:
    """Somebody's later snippet goes by the role's being there: what can't be seen before, sshd tells after."""
    desk.host.register()
    later = "/etc/ssh/sshd_config.d/60.conf"
    desk.host.machine.run("tee", later, stdin="Match exec nothing\n")
    before = contents("/etc/ssh", desk)
    said = desk.play("ssh", ok=False, **desk.wanted)
    assert "sshd does not take its own configuration: " in said and "60.conf" in said
    assert contents("/etc/ssh", desk) == before and not desk.log.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"smartcard_login_ssh_ca": ["/nonexistent"]}, "/nonexistent, which is no file on the controller"),
        ({"smartcard_login_ssh_ca": ["{folder}/ca.cer"]}, "is no public key of OpenSSH: name the ssh.pub"),
        ({"smartcard_login_ssh_revoked": "{folder}/ca.cer"}, "ca.cer is no list of keys, and sshd would let nobody"),
        ({"smartcard_login_ssh_ca": [], "smartcard_login_ssh_principals": {"a": ["b"]}}, "and nobody signs any"),
        ({"smartcard_login_ssh_ca": [], "smartcard_login_ssh_passwords": False}, "no CA lets anybody in"),
        ({"smartcard_login_ssh_principals": {"../ca.pub": ["b"]}}, '"../ca.pub" is no name'),
        ({"smartcard_login_ssh_principals": {"alice": ["a\nroot"]}}, '"a\\nroot" is no name'),
    ],
)
def test_bad_input_is_refused_before_anything_is_changed(
    desk: SshHost, wrong: t.Mapping[str, t.Any], words: str
) -> None:
    desk.host.register()
    before = contents("/etc/ssh", desk)
    given = {key: [value] if isinstance(value, str) else value for key, value in wrong.items()}
    named = {
        key: [each.format(folder=desk.folder) for each in value] if isinstance(value, list) else value
        for key, value in given.items()
    }
    named.update({key: named[key][0] for key in named if key.endswith("revoked")})
    said = desk.play("ssh", ok=False, **{**desk.wanted, **named})
    assert words in said.replace("\\\\", "\\").replace('\\"', '"'), said
    assert contents("/etc/ssh", desk) == before


def test_somebody_else_s_line_is_not_gone_round(desk: SshHost) -> None:
    desk.host.register()
    desk.host.machine.run("tee", "/etc/ssh/sshd_config.d/10.conf", stdin="TrustedUserCAKeys /etc/ssh/theirs.pub\n")
    before = contents("/etc/ssh", desk)
    said = desk.play("ssh", ok=False, **desk.wanted)
    assert "sshd is told trustedusercakeys by somebody else (/etc/ssh/theirs.pub)" in said
    assert contents("/etc/ssh", desk) == before
