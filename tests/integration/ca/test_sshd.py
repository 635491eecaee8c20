# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real sshd admits a user certificate of the CA, and nothing else."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import crl
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import RevocationReason
from ansible_collections.hardbound.identity.tests.support.waiting import until
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ME = pwd.getpwuid(os.geteuid()).pw_name


class Sshd:
    """An sshd on a port of its own that trusts the CA and no other key."""

    def __init__(self, program: str, folder: Path, ca_key: Path) -> None:
        self.folder, self.revoked = folder, folder / "revoked"
        self.revoked.touch()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host")], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd shuts its unprivileged half in
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host",
            "PidFile": "none",
            "TrustedUserCAKeys": ca_key,
            "RevokedKeys": self.revoked,
            "AuthorizedKeysFile": "none",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "UsePAM": "no",
            "StrictModes": "no",
        }
        config = folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self._process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
        until(self._answers, "sshd does not answer")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def login(self, key: Path) -> bool:
        options = ["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes"]
        options += ["-o", f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=accept-new"]
        command = ["ssh", *options, "-i", str(key), "-p", str(self.port), f"{ME}@127.0.0.1", "echo", "welcome"]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        return done.returncode == 0 and done.stdout == b"welcome\n"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def sshd(need_program: t.Callable[..., str], corp: t.Any, tmp_path: Path) -> t.Iterator[Sshd]:
    if os.geteuid():
        pytest.skip("needs root, for /run/sshd")
    need_program("ssh")
    server = Sshd(need_program("sshd"), tmp_path, corp.folder.ssh_public_key)
    yield server
    server.stop()


def test_a_certificate_logs_in_until_it_is_revoked(sshd: Sshd, corp: t.Any, tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key = tmp_path / "id"
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    key.chmod(0o600)
    ledger = Ledger(corp.folder.ledger_url)
    opened = corp.open()
    issuer = Issuer(opened, ledger)
    assert not sshd.login(key)

    other = issuer.issue(corp.order("ws-1", "ssh_user", private, ssh_principals=["somebody-else"]))
    tmp_path.joinpath("id-cert.pub").write_bytes(other.certificate.body)
    assert not sshd.login(key)

    own = issuer.issue(corp.order("ws-1", "ssh_user", private, ssh_principals=[ME]))
    ledger.activate([own.certificate])
    tmp_path.joinpath("id-cert.pub").write_bytes(own.certificate.body)
    assert sshd.login(key)

    renamed = issuer.issue(corp.order("ws-1", "ssh_user", private, ssh_principals=[ME, "and-more"]))
    assert [each.serial for each in ledger.activate([renamed.certificate])] == [own.certificate.serial]
    sshd.revoked.write_bytes(crl.revoked_ssh_keys(ledger, opened.identifier))
    assert not sshd.login(key)  # The former certificate was replaced, and its key goes on with the new one.
    tmp_path.joinpath("id-cert.pub").write_bytes(renamed.certificate.body)
    assert sshd.login(key)

    ledger.revoke({"serial": renamed.certificate.serial}, RevocationReason.KEY_COMPROMISE, opened.identifier)
    sshd.revoked.write_bytes(crl.revoked_ssh_keys(ledger, opened.identifier))
    assert not sshd.login(key)
