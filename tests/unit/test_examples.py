# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example in docs/, the READMEs and the modules' documentation is one that Ansible and ./run take."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from ansible_collections.hardbound.identity.tests.support.pages import COLLECTION, blocks, yaml_blocks

MODULES = "ansible_collections.hardbound.identity.plugins.modules"


def is_play(item: Any) -> bool:
    return "hosts" in item or "ansible.builtin.import_playbook" in item


def playbooks() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields each example that has tasks, as a playbook."""
    for place, value in yaml_blocks():
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            plays = [item for item in value if is_play(item)]
            tasks = [item for item in value if not is_play(item)]
            yield place, plays or [{"hosts": "all", "tasks": tasks}]
    for path in sorted((COLLECTION / "plugins/modules").glob("[!_]*.py")):
        tasks = yaml.safe_load(importlib.import_module(f"{MODULES}.{path.stem}").EXAMPLES)
        yield path.stem, [{"hosts": "all", "tasks": tasks}]


def our_playbooks() -> set[str]:
    return {path.stem for path in (COLLECTION / "playbooks").glob("*.yml")}


def test_ansible_takes_every_example_with_tasks(tmp_path: Path) -> None:
    places = {}
    for number, (place, plays) in enumerate(playbooks()):
        (tmp_path / f"{number}.yml").write_text(yaml.safe_dump(plays))
        places[str(tmp_path / f"{number}.yml")] = place
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [str(program), "--syntax-check", "--inventory", "localhost,", *places],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "1"},
    )
    message = done.stdout + done.stderr
    for path, place in places.items():
        message = message.replace(path, place)
    assert done.returncode == 0, message
    assert done.stdout.count("playbook: ") == len(places) > 20


@pytest.mark.parametrize("language", ["console"])
def test_the_commands_of_examples_exist(language: str) -> None:
    usage = subprocess.run([str(COLLECTION / "run"), "help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  (\w+)  +", usage, re.MULTILINE)
    seen = set()
    for place, text in blocks(language):
        for line in re.findall(r"^ *\$ (.*)", text.replace("\\\n", " "), re.MULTILINE):
            words = shlex.split(line)
            seen.add(words[0])
            if words[0] == "./run":
                assert words[1] in commands, f"{place}: {line}"
            for name in re.findall(r"hardbound\.identity\.(\w+)", line):
                if words[0] == "ansible-playbook":
                    assert name in our_playbooks(), f"{place}: {line}"
    assert {"./run", "ansible-playbook", "ansible-galaxy"} <= seen


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (COLLECTION / "README.md").read_text()
    for page in COLLECTION.glob("docs/*.md"):
        assert f"docs/{page.name}" in readme, page.name
