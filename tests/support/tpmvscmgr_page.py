# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of docs/tpmvscmgr.md, run as they stand, with somebody at the keyboard."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pexpect
import yaml

_PAGE = pathlib.Path(__file__).parents[2] / "docs/tpmvscmgr.md"
_PATIENCE = 120  # seconds until a prompt, or the end, comes
_ASKED_TWICE = "confirm "

Play = t.Dict[str, t.Any]


def playbooks() -> t.Dict[str, Play]:
    """Returns the play of each command line that the page shows."""
    found = {}
    for block in re.findall(r"^```yaml\n(.*?)^```$", _PAGE.read_text(), re.MULTILINE | re.DOTALL):
        command = " ".join(line.lstrip("# ") for line in block.splitlines() if line.startswith("#"))
        [found[command]] = yaml.safe_load(block)
    return found


class Typist:
    """Runs plays on this host in a terminal, and types what they ask for.

    :param defaults: options of our modules, where the store and the TPM of the test are
    """

    def __init__(self, folder: pathlib.Path, environment: t.Mapping[str, str], defaults: Play) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._defaults = defaults
        self.output = ""

    def run(self, play: Play, *answers: str) -> Play:
        """Answers one prompt after the other, and returns the result that the play keeps as ``card``.

        :param answers: what is typed, once for each variable of ``vars_prompt``
        """
        kept = self._folder / "kept.json"
        kept.unlink(missing_ok=True)
        book = self._folder / "typed.yml"
        book.write_text(json.dumps([self._here(play, kept)]))
        terminal = pexpect.spawn(
            "ansible-playbook",
            ["--inventory", "localhost,", "--connection", "local", str(book)],
            env=self._environment,
            encoding="utf-8",
            timeout=_PATIENCE,
        )
        prompts = [asked["prompt"] for asked in play.get("vars_prompt", ())]
        assert len(prompts) == len(answers)
        for prompt, answer in zip(prompts, answers):
            for words in (prompt, _ASKED_TWICE + prompt):
                terminal.expect_exact(words + ": ")
                terminal.sendline(answer)
        self.output = terminal.read()
        terminal.close()
        assert terminal.exitstatus == 0, self.output
        assert not any(answer in self.output for answer in answers)
        return t.cast(Play, json.loads(kept.read_text()))

    def _here(self, play: Play, kept: pathlib.Path) -> Play:
        keep = {"content": "{{ card | default({}) | to_json }}", "dest": str(kept), "mode": "0600"}
        return {
            **play,
            "hosts": "localhost",
            "become": False,
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "/usr/bin/python3"},
            "module_defaults": {"hardbound.identity.virtual_smartcard": self._defaults},
            "tasks": [*play["tasks"], {"ansible.builtin.copy": keep}],
        }
