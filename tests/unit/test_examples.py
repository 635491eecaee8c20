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

COLLECTION = Path(__file__).parents[2]
MODULES = "ansible_collections.hardbound.identity.plugins.modules"
PAGES = sorted([*COLLECTION.glob("docs/*.md"), *COLLECTION.glob("roles/*/README.md"), COLLECTION / "README.md"])
OURS = re.compile(r"(smartcard_|tpm_host_|enrollment_|virtual_smartcard_|hello_policy_)")
# What examples of playbooks take from elsewhere, and no part of the collection reads.
INVENTORY_ONLY = {"smartcard_first_pin", "smartcard_first_puk"}


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Yields the fenced blocks in a language, each with its place."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 1
            yield f"{page.relative_to(COLLECTION)}:{line}", found[1]


def yaml_blocks() -> list[tuple[str, Any]]:
    found = [(place, yaml.safe_load(text)) for place, text in blocks("yaml")]
    assert len(found) > 10
    return found


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


def role_variables() -> set[str]:
    names = set()
    for path in COLLECTION.glob("roles/*/meta/argument_specs.yml"):
        names |= set(yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"])
    return names


def test_the_variables_of_examples_exist() -> None:
    """Those that a role declares, a playbook names in its head, or an example of AWX hands in."""
    heads = "".join(path.read_text() for path in (COLLECTION / "playbooks").glob("*.yml"))
    known = role_variables() | set(re.findall(r"^#\s+(\w+)  +", heads, re.MULTILINE)) | INVENTORY_ONLY
    seen = set()
    for place, value in yaml_blocks():
        for name in value if isinstance(value, dict) else ():
            if OURS.match(str(name)):
                seen.add(name)
                assert name in known, f"{place}: {name}"
    assert len(seen) > 8


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


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(COLLECTION)}: {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (COLLECTION / "README.md").read_text()
    for page in COLLECTION.glob("docs/*.md"):
        assert f"docs/{page.name}" in readme, page.name
