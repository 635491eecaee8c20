# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbook hello_policy, and tasks beside it, run by ansible-playbook as a user would."""

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
    """The playbook with an inventory of one's own.

    :param inside: puts a command into the namespaces where it shall run
    """

    def __init__(
        self, folder: pathlib.Path, inside: t.Callable[..., t.List[str]] = lambda *command: [*command]
    ) -> None:
        self.folder = folder
        self._inside = inside
        self._inventory = folder / "inventory.json"

    def groups(self, **groups: t.Dict[str, t.Any]) -> None:
        """Sets the inventory: a host for each group, with these variables."""
        common: t.Dict[str, t.Any] = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON}
        common["hello_policy_settings"] = SETTINGS
        children = {name: {"hosts": {f"host-of-{name}": variables}} for name, variables in groups.items()}
        self._inventory.write_text(json.dumps({"all": {"vars": common, "children": children}}))

    def run(self, *options: str, ok: bool = True, playbook: str = "hardbound.identity.hello_policy") -> str:
        """Returns all that it prints.

        :param ok: whether it shall succeed
        """
        variables = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(next(iter(plugins.__path__))).parents[3]),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOG_PATH": str(self.folder / "home.log"),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PIPELINING": "true",
        }
        variables.pop("PYTHONPATH", None)
        command = self._inside("ansible-playbook", "--inventory", str(self._inventory), playbook, *options)
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, output
        return output

    def tasks(self, *tasks: t.Tuple[str, t.Dict[str, t.Any]]) -> t.List[t.Dict[str, t.Any]]:
        """Runs modules with their arguments on one host, and returns their results, those of failures too."""
        result = self.folder / "results.json"
        names = [f"found_{number}" for number in range(len(tasks))]
        steps: t.List[t.Dict[str, t.Any]] = [
            {f"hardbound.identity.{module}": arguments, "register": name, "ignore_errors": True}
            for name, (module, arguments) in zip(names, tasks)
        ]
        content = f"{{{{ [{', '.join(names)}] | to_json }}}}"
        steps.append({"ansible.builtin.copy": {"content": content, "dest": str(result), "mode": "0600"}})
        play = self.folder / "tasks.json"
        play.write_text(json.dumps([{"hosts": "all[0]", "gather_facts": False, "tasks": steps}]))
        self.run(playbook=str(play))
        return t.cast("list[dict[str, t.Any]]", json.loads(result.read_text()))


def playbook_in(folder: pathlib.Path, **options: t.Any) -> Playbook:
    if shutil.which("ansible-playbook") is None:
        pytest.skip("needs ansible-playbook on PATH")
    return Playbook(folder, **options)
