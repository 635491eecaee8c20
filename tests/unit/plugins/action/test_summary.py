# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A summary is lines of plain text, as ansible-playbook prints them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("ansible-playbook")


def printed(folder: Path, task: dict[str, Any], *options: str) -> str:
    """Runs one task and returns what ansible-playbook prints."""
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    (folder / "play.json").write_text(json.dumps(play))
    environment = {**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1"}
    command = [str(PROGRAM), "--inventory", "localhost,", "--connection", "local", *options, str(folder / "play.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_lines_stand_as_they_are(tmp_path: Path) -> None:
    lines = [r"Instance id  ROOT\SMARTCARDREADER\0000", '  refused ws-017  "no anchor", it\'s said', "", "日本"]
    for option in ("--check", "--diff"):
        output = printed(tmp_path, {"hardbound.identity.summary": {"lines": lines}}, option)
        assert "\n" + "\n".join(lines) + "\n" in output
        assert "changed=0" in output


def test_what_a_host_said_neither_draws_lines_nor_commands_the_terminal(tmp_path: Path) -> None:
    hostile = "refused\nTASK [all is well]\x1b]0;owned\x07"
    output = printed(tmp_path, {"hardbound.identity.summary": {"lines": [hostile]}})
    assert "\x1b" not in output and "\nTASK [all is well]" not in output
    assert r"refused\u000aTASK [all is well]\u001b" in output


def test_no_log_is_kept(tmp_path: Path) -> None:
    output = printed(tmp_path, {"hardbound.identity.summary": {"lines": ["pin-4711"]}, "no_log": True}, "-vvv")
    assert "pin-4711" not in output
