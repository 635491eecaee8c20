# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with cards, in namespaces of its own: software TPM, pcscd and the card service, for clients to use."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t
from dataclasses import replace

from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import self_signed
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record, presented
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import (
    KeySpecification,
    Secrets,
    Specification,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._edge import reader
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.waiting import until

PIN, PUK = "123456", "87654321"
KEYS = (
    KeySpecification(0x9A, KeyAlgorithm.ECC_P256),
    KeySpecification(0x9C, KeyAlgorithm.RSA_2048),
    KeySpecification(0x9D, KeyAlgorithm.ECC_P384),
    KeySpecification(0x9E, KeyAlgorithm.ECC_P256),
)
AS_MANAGED = """
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
Tcti.managed = True
"""
"""What the service runs first, to take the TPM for one that a resource manager guards."""
_SERVICE = "from {package}.plugins.module_utils._edge.service import main; import sys; sys.exit(main(sys.argv[1:]))"
_PACKAGE = "ansible_collections.hardbound.identity"


class CardMachine:
    """A host with cards: its TPM, its pcscd, its service. Commands run inside of its namespaces."""

    def __init__(self, folder: pathlib.Path, tpm: t.Any) -> None:
        self.tpm = tpm
        self.folder = folder
        self.run_folder = folder / "run"
        self.run_folder.mkdir()
        self.socket = folder / "pkcs11"
        """Where programs that ask p11-kit reach the service."""
        (folder / "store").mkdir()
        self.policy = folder / "hello_policy.json"
        self.store = Store(str(folder / "store"), str(self.policy))
        self.store.prepare()
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity"]
        )
        until(lambda: os.readlink(f"/proc/{self._holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        os.makedirs("/run/pcscd", exist_ok=True)
        self.network = f"/proc/{self._holder.pid}/ns/net"
        """Where what starts finds its network."""
        self.run("ip", "link", "set", "lo", "up")
        for mount in ("/run/pcscd", "/etc/reader.conf.d"):
            self.run("mount", "-t", "tmpfs", "tmpfs", mount)
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.pcscd: t.Optional[subprocess.Popen[bytes]] = None
        self.service: t.Optional[subprocess.Popen[bytes]] = None
        self.program = _SERVICE.format(package=_PACKAGE)
        """Code that is the card service."""

    # Processes.

    def _inside(self, *command: str) -> t.List[str]:
        return ["nsenter", "--target", str(self._holder.pid), f"--net={self.network}", "--mount", *command]

    def run(self, *command: str, ok: t.Optional[bool] = True, stdin: str = "", **options: t.Any) -> str:
        """Runs a client and returns what it prints.

        :param ok: whether it shall succeed; None if that does not matter
        """
        done = subprocess.run(
            self._inside(*command),
            input=stdin,
            text=True,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **{"timeout": 60, **options},
        )
        assert ok is None or (done.returncode == 0) is ok, done.stdout
        return str(done.stdout)

    def cover(self, *folders: str) -> None:
        """Has folders be copies, which go with the test."""
        for folder in folders:
            copy = self.folder / os.path.basename(folder)
            shutil.copytree(folder, copy)
            self.run("mount", "--bind", str(copy), folder)

    def start_pcscd(self) -> None:
        paths = reader.Paths(drivers=str(self.folder / "drivers"))
        cards = presented(self.store.records())
        wanted = reader.desired(cards, paths, reader.driver_digest(paths))
        drivers = reader.plan(wanted, reader.ReaderFiles(wanted.config, reader.read(paths).drivers))
        for step in drivers.steps:
            if isinstance(step, reader.CopyDriver):
                reader.apply(type(drivers)((step,)), paths)
        self.run("tee", "/etc/reader.conf.d/hardbound", stdin=wanted.config)
        # Debian 13's pcscd asks polkit, which does not run in here. Tests of access have a polkit of their own.
        alone = ["--disable-polkit"] if "--disable-polkit" in self.run("pcscd", "--help") else []
        self.pcscd = subprocess.Popen(self._inside("pcscd", "--foreground", *alone), stdout=self._log, stderr=self._log)

    def start_service(
        self, *options: str, before: str = "", pass_fds: t.Sequence[int] = (), run_by: t.Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """:param before: what the process does before it is the service
        :param run_by: a program in Python that runs it, and its arguments
        """
        command = [sys.executable, "-c", before + self.program]
        command += ["--store", self.store.folder, "--policy", str(self.policy), "--run", str(self.run_folder)]
        command += [] if run_by or pass_fds else ["--pkcs11", str(self.socket)]
        whole = [*([sys.executable, *run_by] if run_by else []), *command, *options]
        self.service = subprocess.Popen(self._inside(*whole), stdout=self._log, stderr=self._log, pass_fds=pass_fds)
        return self.service

    def start(self) -> None:
        self.start_pcscd()
        self.start_service()
        self.await_cards()

    def await_cards(self, seen: bool = True) -> None:
        """Waits until the service has all cards in readers.

        :param seen: also until programs see them there, if pcscd runs; False if pcscd is not this computer's own
        """
        expected = {f"{number:04d}.present" for number in presented(self.store.records())}
        until(lambda: {path.name for path in self.run_folder.iterdir()} == expected, self.log)
        if seen and self.pcscd is not None:
            until(lambda: self._output("opensc-tool", "--list-readers").count("Yes") == len(expected), self.log)

    def await_token(self, there: bool = True) -> None:
        """Waits until a program sees a card in a reader, or none."""
        until(lambda: ("Yes" in self._output("opensc-tool", "--list-readers")) is there, self.log)

    def _output(self, *command: str) -> str:
        done = subprocess.run(self._inside(*command), capture_output=True, text=True, check=False)
        return done.stdout

    def stop(self) -> None:
        for process in (self.service, self.pcscd, self._holder):
            if process is not None:
                process.kill()
                process.wait()
        os.close(self._log)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    # The host's Hello policy.

    def hello(self, **settings: object) -> None:
        """Writes the policy as the module hello_policy does."""
        self.policy.write_bytes(Linux().render(parse_settings(settings), b""))

    # Cards.

    def make(
        self,
        name: str,
        keys: t.Sequence[KeySpecification] = KEYS,
        puk: bool = True,
        admin_key: t.Optional[AdminKey] = None,
        pin: str = PIN,
        **changes: t.Any,
    ) -> Record:
        tpm = Tpm(Tcti.parse(self.tpm.tcti), self.store.folder)
        specification = Specification(
            name,
            Tcti.parse(self.tpm.tcti),
            pin_policy=PinPolicy(minlen=6, maxlen=8),
            pin_retries=3,
            puk_retries=3,
            has_puk=puk,
            has_admin=admin_key is not None,
        )
        specification = replace(specification, **changes)
        with tpm.taken():
            secrets = Secrets(pin, PUK if puk else None, admin_key)
            record = lifecycle.create(self.store, tpm, specification, secrets)
            card = Card(self.store, Workbench(tpm), record.number)
            card.verify(pin.encode(), provisioning=True)
            for key in keys:
                card.make_key(key)
                card.store_certificate(key.slot, self_signed(card, key.slot))
            record = card.record
        tpm.close()
        return record

    def certify(self, record: Record, slot: int, certificate: bytes) -> None:
        """Gives a key of a card another certificate, as an administrator does."""
        tpm = Tpm(Tcti.parse(self.tpm.tcti), self.store.folder)
        with tpm.taken():
            Card(self.store, Workbench(tpm), record.number).store_certificate(slot, certificate)
        tpm.close()

    def destroy(self, record: Record) -> None:
        tpm = Tpm(Tcti.parse(self.tpm.tcti), self.store.folder)
        lifecycle.destroy(self.store, tpm, record.number)
        tpm.close()

    def tries(self, record: Record, puk: bool = True) -> t.Tuple[int, t.Optional[int]]:
        """What the TPM says of PIN and PUK."""
        tpm = Tpm(Tcti.parse(self.tpm.tcti), self.store.folder)
        with tpm.taken():
            gates = Gates(tpm, record)
            found = gates.tries(Role.PIN).left, gates.tries(Role.PUK).left if puk else None
        tpm.close()
        return found
