# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Samba domain controller, for the session, in namespaces of its own.

It has its own network (ports never clash), mounts (name service, Samba's folders) and processes
(nothing of it outlives the session). Tests reach it by running programs inside these namespaces.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.waiting import until

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = ("samba", "samba-tool", "samba-gpupdate", "smbclient", "ldbsearch", "unshare", "nsenter", "ip")
PKINIT = """\
[libdefaults]
default_realm = CORP.EXAMPLE
dns_lookup_realm = false
dns_lookup_kdc = true
[kdc]
enable-pkinit = yes
pkinit_identity = FILE:{chain},{key}
pkinit_anchors = FILE:{anchors}
pkinit_principal_in_certificate = yes
"""
PEOPLE = ("alice", "bob", "dora", "emil")
PATIENCE = 300  # seconds until the controller answers; a busy machine takes minutes to make a domain


class DomainController:
    realm = "CORP.EXAMPLE"
    domain = "corp.example"
    base = "DC=corp,DC=example"
    server = "dc1.corp.example"
    address = "10.53.57.1"
    password = "Vaulted.Passw0rd.1"  # of a domain that lives for one test session

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.config = folder / "dc" / "etc" / "smb.conf"
        self.log = folder / "samba.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "unshare",
                    "--net",
                    "--mount",
                    "--pid",
                    "--fork",
                    "--kill-child",
                    "--mount-proc",
                    "sh",
                    HERE / "dc.sh",
                ],
                env={**os.environ, "DC": str(folder), "ADDRESS": self.address, "PASSWORD": self.password},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def wait(self) -> None:
        until(self._answers, self._excuse, PATIENCE)

    def _excuse(self) -> str:
        return f"the domain controller did not come up:\n{self.log.read_text()[-3000:]}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._excuse()
        if not self.config.exists() or not self._children():
            return False
        ldap = self.run("ldbsearch", "-H", f"ldap://{self.server}", *self.account, "-s", "base", check=False)
        return ldap.returncode == 0 and self.smb("ls", check=False).returncode == 0

    def stop(self) -> None:
        """Ends the first process of the namespaces: the kernel ends all others before that is over."""
        for child in self._children():
            os.kill(int(child), signal.SIGKILL)
        self.process.wait()

    def _children(self) -> list[str]:
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return children.read_text().split() if children.exists() else []

    @property
    def network(self) -> str:
        return f"/proc/{self._children()[0]}/ns/net"

    @property
    def account(self) -> tuple[str, str]:
        return "-U", f"administrator%{self.password}"

    def inside(self, *command: object) -> list[str]:
        """The command, as it has to be called to run beside the controller."""
        return ["nsenter", "--net", "--mount", "--pid", "-t", self._children()[0], "--", *map(str, command)]

    def run(self, *command: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.inside(*command), capture_output=True, text=True, timeout=120, **options, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def tool(self, *arguments: object, check: bool = True) -> str:
        """samba-tool, over the network as an administrator."""
        return self.run("samba-tool", *arguments, "-H", f"ldap://{self.server}", *self.account, check=check).stdout

    def smb(self, commands: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("smbclient", f"//{self.server}/sysvol", *self.account, "-c", commands, check=check)

    def get(self, path: str) -> bytes:
        """A file of SYSVOL, fetched with smbclient."""
        local = self.folder / "fetched"
        local.unlink(missing_ok=True)
        self.smb(f'get "{path}" {local}')
        return local.read_bytes()

    def put(self, path: str, data: bytes) -> None:
        """A file of SYSVOL, laid down with smbclient."""
        local = self.folder / "to-put"
        local.write_bytes(data)
        self.smb(f'put {local} "{path}"')

    def names(self, folder: str) -> set[str]:
        """The names below a folder of SYSVOL, at any depth."""
        listing = self.smb(f'cd "{folder}"; recurse on; ls').stdout
        return set(re.findall(r"^  (\S.*?) {2,}\S* +\d+  ", listing, re.MULTILINE)) - {".", ".."}

    def attributes(self, dn: str, scope: str = "base") -> dict[str, list[str]]:
        """The attributes of an object of the directory, or of all below it together, read with ldbsearch."""
        command = ("ldbsearch", "-H", f"ldap://{self.server}", *self.account, "-s", scope, "-b", dn)
        found: dict[str, list[str]] = {}
        for line in self.run(*command).stdout.replace("\n ", "").splitlines():
            name, separator, value = line.partition(": ")
            if separator and not line.startswith("#"):
                found.setdefault(name, []).append(value)
        return found

    def modify(self, dn: str, change: str) -> None:
        """Changes the directory as another tool would, with ldbmodify."""
        text = f"dn: {dn}\nchangetype: modify\n{change}\n"
        self.run("ldbmodify", "-H", f"ldap://{self.server}", *self.account, input=text)

    def drive(self, **order: object) -> dict[str, object]:
        """Runs the collection's code in a process of its own, see driver.py. Returns what it answers."""
        return self.answer(self.started(**order))

    def started(self, **order: object) -> subprocess.Popen[str]:
        login = {"domain": self.domain, "server": self.server, "username": "administrator", "password": self.password}
        order["login"] = {**login, **order.get("login", {})}
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(
            self.inside(sys.executable, HERE / "driver.py"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **order.pop("environment", {})},
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        process.stdin = None
        return process

    @staticmethod
    def answer(process: subprocess.Popen[str]) -> dict[str, object]:
        """Waits for a driver. ``killed`` is true where it was killed as ordered."""
        out, err = process.communicate(timeout=120)
        if process.returncode == 9:
            return {"killed": True}
        assert process.returncode == 0, out + err
        return {"killed": False, "output": out + err, **json.loads(out.splitlines()[-1])}


@pytest.fixture(scope="session")
def domain_controller():
    """The class, for a test that makes a controller of its own."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no Samba domain controller can be made, these programs are missing: {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("a Samba domain controller in namespaces of its own needs root")
    return DomainController


@pytest.fixture(scope="session")
def dc(domain_controller):
    with tempfile.TemporaryDirectory(prefix="hardbound-dc-") as folder:
        os.chmod(folder, 0o711)
        controller = domain_controller(pathlib.Path(folder))
        try:
            controller.wait()
            yield controller
        finally:
            controller.stop()


class CardDomain(t.NamedTuple):
    """A domain whose KDC takes people's cards, and the CA of both."""

    controller: DomainController
    ca: CardCa


@pytest.fixture(scope="session")
def card_domain(domain_controller):
    with tempfile.TemporaryDirectory(prefix="hardbound-dc-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o711)
        ca = CardCa(folder, permitted_domains=())  # Samba's KDC refuses people under a CA that says any
        chain, key = ca.certify_kdc(DomainController.server)
        (folder / "krb5.conf").write_text(PKINIT.format(chain=chain, key=key, anchors=ca.certificates))
        controller = domain_controller(folder)
        try:
            controller.wait()
            for user in PEOPLE:
                controller.tool("user", "create", user, "--random-password")
            yield CardDomain(controller, ca)
        finally:
            controller.stop()
            ca.close()
