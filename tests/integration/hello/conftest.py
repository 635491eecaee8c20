# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbook hello_policy, run by ansible-playbook as a user would."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity import plugins

PYTHON = "/usr/bin/python3"
SETTINGS = {"pin_min_length": 8, "pin_digits": "required", "use_hello": "enabled"}


class Playbook:
    """The playbook with an inventory of one's own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.inside: t.Callable[..., t.List[str]] = lambda *command: [*command]
        self.inventory: t.Dict[str, t.Any] = {}

    def groups(self, **groups: t.Dict[str, t.Any]) -> None:
        """Sets the inventory: a host for each group, with these variables."""
        common = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON}
        common["hello_policy_settings"] = SETTINGS
        children = {name: {"hosts": {f"host-of-{name}": variables}} for name, variables in groups.items()}
        self.inventory = {"all": {"vars": common, "children": children}}

    def run(self, *options: str, ok: bool = True, **environment: str) -> str:
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps(self.inventory))
        command = ["ansible-playbook", "--inventory", inventory, "hardbound.identity.hello_policy", *options]
        variables = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(next(iter(plugins.__path__))).parents[3]),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PIPELINING": "true",
            **environment,
        }
        variables.pop("PYTHONPATH", None)
        done = subprocess.run(
            self.inside(*map(str, command)), env=variables, capture_output=True, text=True, check=False
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, output
        return output


@pytest.fixture
def playbook(tmp_path: pathlib.Path) -> Playbook:
    if shutil.which("ansible-playbook") is None:
        pytest.skip("needs ansible-playbook on PATH")
    return Playbook(tmp_path)
