# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible, from a virtual environment, with a virtual machine in its inventory."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import yaml
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

HOST = "machine"
_WITNESS = pathlib.Path(__file__).with_name("callback")


class Run(t.NamedTuple):
    """What came of a run of ansible-playbook."""

    code: int
    output: str
    result: t.Dict[str, t.Any]
    """What the enrolment of the machine answered, if it was enrolled."""


class Controller:
    """Runs playbooks and tasks on a machine, as a user with sudo's password."""

    def __init__(self, folder: pathlib.Path, machine: Machine, **variables: t.Any) -> None:
        """Takes a folder for what the controller keeps, and variables of the inventory."""
        self.folder = folder
        self.machine = machine
        self.variables = variables
        self.pipelining = True
        folder.mkdir(exist_ok=True)

    def play(self, playbook: str, *options: str, **variables: t.Any) -> Run:
        """Runs a playbook to its end, whatever comes of it."""
        begun = self.begin(playbook, *options, **variables)
        output = begun.communicate()[0]
        (self.folder / "output").write_text(output)
        path = self.folder / "results" / f"{HOST}.json"
        return Run(begun.returncode, output, json.loads(path.read_text()) if path.exists() else {})

    def begin(self, playbook: str, *options: str, **variables: t.Any) -> subprocess.Popen[str]:
        """Starts a run and does not wait."""
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        inventory = self._write(variables)
        return subprocess.Popen(
            [str(program), playbook, "--inventory", str(inventory), *options],
            env=self._environment(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def tasks(self, *tasks: t.Dict[str, t.Any], **variables: t.Any) -> t.List[t.Dict[str, t.Any]]:
        """Runs tasks on the machine as root and returns their results; none of them may fail."""
        run = self.try_tasks(*tasks, **variables)
        assert run.code == 0, run.output
        return t.cast("list[dict[str, t.Any]]", json.loads((self.folder / "kept.json").read_text()))

    def try_tasks(self, *tasks: t.Dict[str, t.Any], **variables: t.Any) -> Run:
        """Runs tasks on the machine as root, whatever comes of them."""
        return self.play(str(self._playbook(tasks)), **variables)

    def begin_tasks(self, *tasks: t.Dict[str, t.Any]) -> subprocess.Popen[str]:
        """Starts tasks and does not wait."""
        return self.begin(str(self._playbook(tasks)))

    def _playbook(self, tasks: t.Sequence[t.Dict[str, t.Any]]) -> pathlib.Path:
        kept = self.folder / "kept.json"
        kept.unlink(missing_ok=True)
        steps: t.List[t.Dict[str, t.Any]] = [
            {**task, "register": f"result_{number}"} for number, task in enumerate(tasks)
        ]
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        keep = {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(kept), "mode": "0600"}
        steps.append({"ansible.builtin.copy": keep, "delegate_to": "localhost", "become": False})
        play = {"hosts": HOST, "become": True, "gather_facts": False, "tasks": steps}
        playbook = self.folder / "tasks.yml"
        playbook.write_text(json.dumps([play]))
        return playbook

    def _write(self, variables: t.Dict[str, t.Any]) -> pathlib.Path:
        for name in ("results", "visits"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
        hosts = {HOST: {**self.machine.host_variables(), **self.variables, **variables}}
        path = self.folder / "inventory.yml"
        groups: t.Dict[str, t.Any] = {"linux_workstations": {"hosts": {HOST: {}}}}
        path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": groups}}))
        return path

    def _environment(self) -> t.Dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_TIMEOUT": "180",  # seconds, for the answer of sshd and of sudo
            "ANSIBLE_PIPELINING": str(self.pipelining),
            "ANSIBLE_CALLBACK_PLUGINS": str(_WITNESS),
            "ANSIBLE_CALLBACKS_ENABLED": "witness",
            "WITNESS_FOLDER": str(self.folder),
        }
