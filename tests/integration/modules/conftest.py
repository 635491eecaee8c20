# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run by the real ansible-playbook on this host, against a software TPM and a store of their own."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

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

    def info(self, **arguments: t.Any) -> Task:
        return Task("virtual_smartcard_info", {"store": str(self.store), **arguments})

    def tpm_info(self) -> Task:
        return Task("tpm_info", {"tpm": self.tcti, "store": str(self.store)})


@pytest.fixture
def ansible(software_tpm: t.Any, short_path: pathlib.Path) -> Ansible:
    if shutil.which("ansible-playbook") is None:
        pytest.skip("needs ansible-playbook on PATH")
    return Ansible(short_path, software_tpm.tcti)
