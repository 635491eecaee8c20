# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run by the real ansible-playbook on this host, against a software TPM and a store of their own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench

PYTHON = "/usr/bin/python3"


class Task(t.NamedTuple):
    """A task to run: module, arguments, whether in check mode, and the host's Python."""

    module: str
    arguments: t.Dict[str, t.Any]
    check: bool = False
    python: str = PYTHON


class Ansible:
    """Runs tasks and gives back their results. What it prints with -vvv is in :attr:`output`."""

    def __init__(self, folder: pathlib.Path, tcti: str) -> None:
        self.folder = folder
        self.tcti = tcti
        self.store = folder / "store"
        self.store.mkdir()
        self.output = ""
        self.inside: t.List[str] = []

    def command(self, *arguments: str) -> t.List[str]:
        playbook = self.folder / "playbook.yml"
        options = ["--inventory", "localhost,", "--connection", "local"]
        return [*self.inside, "ansible-playbook", *options, str(playbook), *arguments]

    def environment(self) -> t.Dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
        }

    def write(self, tasks: t.Sequence[Task]) -> None:
        steps: t.List[t.Dict[str, t.Any]] = []
        for number, task in enumerate(tasks):
            steps.append(
                {
                    f"hardbound.identity.{task.module}": task.arguments,
                    "register": f"result_{number}",
                    "ignore_errors": True,
                    "check_mode": task.check,
                    "diff": True,
                    "vars": {"ansible_python_interpreter": task.python},
                }
            )
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        keep = {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(self.folder / "results.json"), "mode": "0600"}
        steps.append({"ansible.builtin.copy": keep, "diff": False})
        play = {"hosts": "localhost", "gather_facts": False, "tasks": steps}
        play["vars"] = {"ansible_python_interpreter": PYTHON}
        (self.folder / "playbook.yml").write_text(json.dumps([play]))

    def run(self, *tasks: Task) -> t.List[t.Dict[str, t.Any]]:
        """Runs tasks in one playbook and returns their results, failures included."""
        self.write(tasks)
        done = subprocess.run(self.command("-vvv"), env=self.environment(), capture_output=True, text=True, check=False)
        self.output = done.stdout + done.stderr
        assert done.returncode == 0, self.output
        return t.cast("list[dict[str, t.Any]]", json.loads((self.folder / "results.json").read_text()))

    def card(self, check: bool = False, python: str = PYTHON, **arguments: t.Any) -> Task:
        defaults = {"name": "card", "tpm": self.tcti, "store": str(self.store)}
        return Task("virtual_smartcard", {**defaults, **arguments}, check, python)

    def part(self, module: str, check: bool = False, **arguments: t.Any) -> Task:
        """A task on a part of the card: ``pin``, ``key``, ``certificate`` or ``request``."""
        return Task(f"virtual_smartcard_{module}", {"name": "card", "store": str(self.store), **arguments}, check)

    def left_in_store(self) -> t.List[pathlib.Path]:
        """What is in the store beside the locks of a TPM that takes one program at a time."""
        return [path for path in self.store.iterdir() if not path.name.startswith("tpm-")]

    def nv_indices(self) -> t.List[str]:
        command = ["tpm2_getcap", "-T", self.tcti, "handles-nv-index"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    @contextlib.contextmanager
    def opened(self, number: int = 0) -> t.Iterator[Card]:
        """The card in the TPM, as the card service has it."""
        with Tpm(Tcti.parse(self.tcti), str(self.store)).taken() as tpm:
            yield Card(Store(str(self.store)), Workbench(tpm), number)

    def administered(self, value: str, number: int = 0) -> bool:
        """Whether the card lets in whoever has this admin key."""
        with self.opened(number) as card:
            card.administer(AdminKey(Cipher.TRIPLE_DES, bytes.fromhex(value)))
            return card.administered

    def recipient(self) -> t.Tuple[pathlib.Path, str]:
        """Makes a key that escrow is encrypted for: the file of the private one, and PEM of the public one."""
        private, public = self.folder / "escrow.key", self.folder / "escrow.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", str(private)], check=True)
        subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)], check=True)
        return private, public.read_text()

    def info(self, **arguments: t.Any) -> Task:
        return Task("virtual_smartcard_info", {"store": str(self.store), **arguments})

    def tpm_info(self) -> Task:
        return Task("tpm_info", {"tpm": self.tcti, "store": str(self.store)})


def command_lines() -> t.Set[str]:
    """Those of all processes that run now."""
    lines = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            lines.add(path.read_text(errors="replace"))
    return lines


@pytest.fixture
def ansible(software_tpm: t.Any, short_path: pathlib.Path) -> Ansible:
    if shutil.which("ansible-playbook") is None:
        pytest.skip("needs ansible-playbook on PATH")
    return Ansible(short_path, software_tpm.tcti)
