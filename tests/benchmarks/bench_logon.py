# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logons by ssh, curl, kinit and sudo with a card, each beside the same logon without one, in turn, in one run.

Beside ssh, curl and kinit it is the same program with a key in a file; beside sudo it is a sudo that asks for nothing,
and one that asks for a password, with a signature of the card alone.
The cards were used before since the TPM's start. The TPM is as slow as a firmware TPM or a discrete one by a relay that
holds each command up, and the card service takes it for one that a resource manager guards, as /dev/tpmrm0 is.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.other_name import KRB5_PRINCIPAL_NAME
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import krb5_principal_name
from ansible_collections.hardbound.identity.tests.integration.enrollment.logon import (
    KEYS,
    MODULE,
    OWNER,
    REALM,
    Kerberos,
    Service,
    Ssh,
    Tls,
    add,
    owner,
)
from ansible_collections.hardbound.identity.tests.support.card_machine import AS_MANAGED, CardMachine
from ansible_collections.hardbound.identity.tests.support.command_log import ASYMMETRIC, PROFILES, SlowTpm
from ansible_collections.hardbound.identity.tests.support.fleet import PIN, Fleet, new_fleet
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ROUNDS = 9
SSH_LIMIT = 1.2
"""Seconds that a logon by ssh may take over the same with a key in a file, on a discrete TPM."""
SUDO_LIMIT = 1.3
"""Times that sudo by PIN may take of sudo by password and one signature."""
_FLAGS = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
_CLIENT: t.Sequence[x509.ExtensionType] = (
    x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.2.3.4"), x509.OID_CLIENT_AUTH]),
    x509.KeyUsage(True, **dict.fromkeys(_FLAGS, False), encipher_only=False, decipher_only=False),
)
"""What a certificate is good for by which somebody logs on; the first purpose is RFC 4556's id-pkinit-KPClientAuth."""


class SshByCard(Ssh):
    """For somebody whose shell has nothing of its own to do first."""

    user = OWNER

    def prepare(self) -> None:
        super().prepare()
        subprocess.run(["usermod", "--password", "*", OWNER], check=True)  # without PAM, sshd refuses who has none


class SshByFile(SshByCard):
    """The same sshd; the client has a key in a file."""

    def logon(self, pin: t.Optional[str]) -> str:
        key = self.folder / "key"
        if not key.exists():
            command = ["ssh-keygen", "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", str(key)]
            subprocess.run(command, check=True)
            with (self.folder / "authorized").open("a") as authorized:
                authorized.write(key.with_suffix(".pub").read_text())
        return super().logon(pin)

    def asked(self) -> t.Dict[str, t.Any]:
        return {"PKCS11Provider": "none", "IdentityFile": self.folder / "key", "IdentitiesOnly": "yes"}

    port = 2225


class TlsByFile(Tls):
    """The same nginx; curl has certificate and key in files."""

    port = 4434

    def logon(self, pin: t.Optional[str]) -> str:
        chain, key = self.folder / "client.pem", self.folder / "client.key"
        if not chain.exists():
            self.certify("client", ec.generate_private_key(ec.SECP256R1()), *_CLIENT)
        place = ["--cacert", str(self.fleet.ca / "public/ca.pem"), f"https://localhost:{self.port}/"]
        return self.client("curl", "--silent", "--show-error", "--cert", str(chain), "--key", str(key), *place)


class KerberosByFile(Kerberos):
    """The same KDC; kinit has certificate and key in files."""

    port = 8889

    def logon(self, pin: t.Optional[str]) -> str:
        chain, key = self.folder / "alice.pem", self.folder / "alice.key"
        if not chain.exists():
            name = x509.OtherName(x509.ObjectIdentifier(KRB5_PRINCIPAL_NAME), krb5_principal_name(f"alice@{REALM}"))
            names = x509.SubjectAlternativeName([name])
            self.certify("alice", rsa.generate_private_key(65537, 2048), names, *_CLIENT)
        (self.folder / "cache").unlink(missing_ok=True)
        kinit = ["kinit", "-X", f"X509_user_identity=FILE:{chain},{key}", "alice"]
        return self.client(*self._environment(), *kinit) + self.client(*self._environment(), "klist")


_BY_CARD = "auth required pam_p11.so {module}\naccount required pam_permit.so\n"
_BY_NOTHING = "auth required pam_permit.so\naccount required pam_permit.so\n"


class Sudo(Service):
    """sudo with PAM's module pam_p11, which takes the keys that let their owner in by ssh."""

    programs: t.Sequence[str] = ("sudo", "runuser")
    rules, welcome = _BY_CARD, "uid=0(root)"
    module = MODULE

    def prepare(self) -> None:
        keys = self.fleet.folder / "owner/.ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        (keys / "authorized_keys").write_text(self.machine.run("ssh-keygen", "-D", self.module))
        for each in (keys, keys / "authorized_keys"):
            shutil.chown(each, OWNER, OWNER)
        sudoers = self.folder / "sudoers"
        sudoers.write_text(f"Defaults timestamp_timeout=0, lecture=never\n{OWNER} ALL=(root) PASSWD: ALL\n")
        sudoers.chmod(0o440)

    def start(self) -> None:
        """There is no server: PAM reads its rules at each logon. Two services of one host share them in turn."""

    def logon(self, pin: t.Optional[str]) -> str:
        rules = self.folder / "pam"
        rules.write_text(self.rules.format(module=self.module))
        mounts = f"mount --bind {rules} /etc/pam.d/sudo; mount --bind {self.folder}/sudoers /etc/sudoers"
        ask = f"runuser -u {OWNER} -- sudo --reset-timestamp --stdin id"
        return self.client("unshare", "--mount", "sh", "-c", f"{mounts}; {ask}", stdin=f"{pin}\n")


class SudoByNothing(Sudo):
    """sudo that asks for nothing."""

    rules = _BY_NOTHING


class SudoByFace(Sudo):
    """The same by p11-kit, without a reader."""

    module = PROXY


class SudoByPassword(Sudo):
    """sudo that asks for a password, and the card beside it: a program that logs in and signs once."""

    programs = (*Sudo.programs, "gcc", "openssl")
    rules = "auth required pam_unix.so\naccount required pam_permit.so\n"

    def prepare(self) -> None:
        super().prepare()
        hidden = self.machine.run("openssl", "passwd", "-6", "-salt", "bench", PIN).strip()
        lines = pathlib.Path("/etc/shadow").read_text().splitlines()
        others = [line for line in lines if not line.startswith(f"{OWNER}:")]
        shadow = self.folder / "shadow"
        shadow.touch(0o600)
        shadow.write_text("\n".join([*others, f"{OWNER}:{hidden}:19000:0:99999:7:::"]) + "\n")
        self.machine.run("mount", "--bind", str(shadow), "/etc/shadow")
        source = pathlib.Path(__file__).with_name("sign.c")
        subprocess.run(["gcc", "-O2", "-o", str(self.folder / "sign"), str(source), "-ldl"], check=True)

    def signature(self, module: str) -> float:
        """Returns the seconds of a program that logs in to the card and signs once."""
        command = ["runuser", "-u", OWNER, "--", str(self.folder / "sign"), module, "-", PIN]
        began = time.perf_counter()
        self.machine.run(*command)
        return time.perf_counter() - began


PAIRS: t.Mapping[str, t.Tuple[str, t.Type[Service], t.Type[Service]]] = {
    "ssh": ("elliptic", SshByCard, SshByFile),
    "curl": ("elliptic", Tls, TlsByFile),
    "sudo": ("elliptic", Sudo, SudoByNothing),
    "kinit": ("rsa", Kerberos, KerberosByFile),
}
Pairs = t.Dict[str, t.Tuple[Service, Service]]


Kinds = t.Mapping[str, t.Tuple[str, t.Type[Service], t.Type[Service]]]


@contextlib.contextmanager
def prepared(kinds: Kinds) -> t.Iterator[Pairs]:
    needed = {"pcscd", "ss", *(name for _host, *both in kinds.values() for each in both for name in each.programs)}
    missing = sorted(program for program in needed if shutil.which(program) is None)
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    hosts = {host for host, *_both in kinds.values()}
    with contextlib.ExitStack() as stack:
        fleet = stack.enter_context(new_fleet())
        stack.enter_context(owner(fleet))
        machines = {host: slow(fleet, host, KEYS[host]) for host in sorted(hosts)}
        for machine in machines.values():
            stack.callback(machine.stop)
        prepare(fleet, machines)
        services: Pairs = {}
        for name, (host, *pair) in kinds.items():
            both = [kind(machines[host], fleet, fleet.folder / f"{host}.pem") for kind in pair]
            services[name] = both[0], both[1]
            for each in both:
                each.start()
                stack.callback(each.stop)
        yield services


def slow(fleet: Fleet, host: str, algorithm: str) -> CardMachine:
    """Adds a host whose TPM is behind a relay, and whose card has both faces."""
    machine = add(fleet, host, algorithm)
    fleet.inventory[host]["smartcard_enrollment_cards"][0]["faces"] = ["pcsc", "pkcs11"]
    Host(machine).register()
    machine.tpm = SlowTpm(fleet.tpms[host])
    fleet.inventory[host]["smartcard_enrollment_tpm"] = machine.tpm.tcti
    return machine


def prepare(fleet: Fleet, machines: t.Mapping[str, CardMachine]) -> None:
    """Enrols the hosts, and puts their cards into their readers."""
    run = fleet.play()
    assert run.statuses() == dict.fromkeys(machines, "enrolled"), run.output
    fleet.sign_lists()
    (fleet.ca / "public/ssh.revoked").touch()
    for host, machine in machines.items():
        [card] = run.results[host]["cards"]
        (fleet.folder / f"{host}.pem").write_text(card["certificates"][0]["certificate"])
        machine.start_pcscd()
        machine.start_service(before=AS_MANAGED)
        machine.await_cards()


def timed(service: Service) -> float:
    began = time.perf_counter()
    said = service.logon(PIN)
    taken = time.perf_counter() - began
    assert service.welcome in said, said
    return taken


def test_logons_beside_the_same_without_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    with prepared(PAIRS) as pairs:
        compare(pairs, capsys)


def compare(pairs: Pairs, capsys: pytest.CaptureFixture[str]) -> None:
    for profile, delays in PROFILES.items():
        for name, (by_card, by_file) in pairs.items():
            by_card.machine.tpm.log.delays = dict(delays)
            for service in (by_card, by_file):
                timed(service)
            rounds = []
            for _unused in range(ROUNDS):
                with by_card.machine.tpm.log.counting() as commands:
                    taken = timed(by_card)
                rounds.append((taken, timed(by_file), commands))
            by_card.machine.tpm.log.delays = {}
            with capsys.disabled():
                show(profile, name, rounds)


def show(profile: str, name: str, rounds: t.Sequence[t.Tuple[float, float, t.Counter[str]]]) -> None:
    card, file = (statistics.median(each[at] for each in rounds) for at in (0, 1))
    over = statistics.median(each[0] - each[1] for each in rounds)
    commands = rounds[-1][2]
    slow = sum(count for kind, count in commands.items() if kind in ASYMMETRIC)
    limit = f" (at most {SSH_LIMIT} s)" if (name, profile) == ("ssh", "discrete TPM") else ""
    print(
        f"{profile:<13} {name:<6} {card:6.2f} s with a card, {file:5.2f} s without: {card / file:5.2f} times,"
        f" {over:5.2f} s over it{limit}; {sum(commands.values())} TPM commands, {slow} with a curve or RSA"
    )


@pytest.mark.parametrize("kind", [Sudo, SudoByFace])
def test_sudo_by_pin_beside_a_password_and_a_signature(kind: t.Type[Sudo], capsys: pytest.CaptureFixture[str]) -> None:
    with prepared({"sudo": ("elliptic", kind, SudoByPassword)}) as pairs:
        by_card, by_password = pairs["sudo"]
        assert isinstance(by_password, SudoByPassword)
        for profile, delays in PROFILES.items():
            by_card.machine.tpm.log.delays = dict(delays)
            all_three = (lambda: timed(by_card), lambda: timed(by_password), lambda: by_password.signature(kind.module))
            rounds = [[measure() for measure in all_three] for _unused in range(ROUNDS + 1)][1:]
            card, password, signature = (statistics.median(each[at] for each in rounds) for at in range(3))
            times = statistics.median(pin / (word + alone) for pin, word, alone in rounds)
            with capsys.disabled():
                print(
                    f"{profile:<13} {kind.__name__:<10} {card:6.2f} s by PIN, {password:5.2f} s by password,"
                    f" {signature:5.2f} s for a signature: {times:5.2f} times both (at most {SUDO_LIMIT})"
                )
