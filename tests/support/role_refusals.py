# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the refusals of roles say: their own tasks, run by Ansible on this host, several cases in one play."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

NOTHING = "nothing"
"""What a case has said that was not refused."""


class Case(t.NamedTuple):
    """One file of a role's tasks, with what an inventory says."""

    name: str
    role: str
    tasks_from: str
    variables: t.Mapping[str, t.Any]

    @property
    def task(self) -> t.Dict[str, t.Any]:
        role = {"name": f"hardbound.identity.{self.role}", "tasks_from": self.tasks_from, "defaults_from": "main.yml"}
        return {
            "name": self.name,
            "block": [
                {"ansible.builtin.include_role": role, "vars": self.variables},
                {"ansible.builtin.set_fact": {f"said_{self.name}": NOTHING}},
            ],
            "rescue": [{"ansible.builtin.set_fact": {f"said_{self.name}": "{{ ansible_failed_result.msg }}"}}],
        }


def said(folder: Path, cases: t.Sequence[Case]) -> t.Dict[str, str]:
    """Returns what each case has said, by its name."""
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.skip("needs ansible-playbook beside this Python")
    told = "{{ {" + ", ".join(f"'{case.name}': said_{case.name}" for case in cases) + "} | to_json }}"
    keep = {"ansible.builtin.copy": {"content": told, "dest": str(folder / "told.json"), "mode": "0600"}}
    tasks = [*(case.task for case in cases), keep]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [str(program), str(folder / "play.yml"), "-e", f"ansible_python_interpreter={shutil.which('python3')}"],
        env={**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: t.Dict[str, str] = json.loads((folder / "told.json").read_text())
    return found
