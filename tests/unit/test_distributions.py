# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which distributions the role tpm_host takes, and what it does differently on each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from os.path import dirname
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import DEFAULT_FOLDER
from ansible_collections.hardbound.identity.plugins.module_utils._edge import opensc, presentation
from ansible_collections.hardbound.identity.plugins.module_utils._edge.access import RULES
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import FIRST_PORT, Paths
from ansible_collections.hardbound.identity.plugins.module_utils._edge.vpcd import MOST_READERS

VARS = Path(__file__).parents[2] / "roles/tpm_host/vars"


class Row(NamedTuple):
    """A host, and what of it is peculiar: a package that others do not get, and whether pcscd asks polkit."""

    distribution: str
    version: str
    family: str
    taken_as: str = ""
    package: str = ""
    polkit: bool = False


KNOWN = [
    Row("Debian", "12", "Debian", "Debian-12", "acl", False),
    Row("Debian", "13", "Debian", "Debian-13", "polkitd", True),
]
UNTESTED = [
    Row("Debian", "11", "Debian", "Debian-12"),
    Row("Debian", "14", "Debian", "Debian-13"),
    Row("Debian", "n/a", "Debian", "Debian-13"),
    Row("Ubuntu", "24", "Debian", "Debian-13"),
]
NONE_OF_THE_FAMILY = [Row("Fedora", "42", "RedHat"), Row("Debianish", "12", "Other")]

PLAY: list[dict[str, Any]] = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "ansible.builtin.set_fact": {
                    "distribution": "{{ row[0] }}",
                    "distribution_major_version": "{{ row[1] }}",
                    "os_family": "{{ row[2] }}",
                    "cacheable": True,
                }
            },
            {
                "block": [
                    {
                        "ansible.builtin.include_role": {
                            "name": "hardbound.identity.tpm_host",
                            "tasks_from": name,
                            "public": True,
                        },
                    }
                    for name in ("unsupported", "distribution")
                ],
                "rescue": [{"ansible.builtin.set_fact": {"refusal": "{{ ansible_failed_result.msg }}"}}],
            },
            {
                "ansible.builtin.copy": {
                    "content": "{{ dict(refusal=refusal | default(''), packages=packages, polkit=polkit) | to_json }}",
                    "dest": "{{ folder }}/{{ inventory_hostname }}.json",
                    "mode": "0600",
                },
                "vars": {
                    "packages": "{{ [] if refusal is defined else __tpm_host_packages_wanted }}",
                    "polkit": "{{ false if refusal is defined else __tpm_host_asks_polkit }}",
                },
            },
        ],
    }
]


class Answers(NamedTuple):
    hosts: dict[str, dict[str, Any]]
    output: str


def ask(folder: Path, rows: list[Row], untested: bool) -> Answers:
    """Lets the role judge hosts of these distributions."""
    hosts = {f"{row.distribution}-{row.version}".replace("/", ""): {"row": list(row)} for row in rows}
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "folder": str(folder),
        "tpm_host_tpm": "device:/dev/tpmrm0",
        "tpm_host_untested_distribution": untested,
        "__tpm_host_isolation": "private_network",
    }
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
    (folder / "play.json").write_text(json.dumps(PLAY))
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [str(program), "--inventory", str(folder / "inventory.json"), str(folder / "play.json")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Answers({name: json.loads((folder / f"{name}.json").read_text()) for name in hosts}, done.stdout)


def test_each_file_has_its_row() -> None:
    assert {path.stem for path in VARS.glob("*-*.yml")} == {row.taken_as for row in KNOWN}


def test_the_files_say_the_same_things() -> None:
    said = [yaml.safe_load((VARS / f"{row.taken_as}.yml").read_text()) for row in KNOWN]
    for name in ("__tpm_host_packages", "__tpm_host_programs"):
        assert len({frozenset(each[name]) for each in said}) == 1
    assert len({frozenset(each) for each in said}) == 1


def test_modules_look_where_the_role_puts_things() -> None:
    """A module has no variables of a role. What pcsc-lite, polkit and p11-kit call their places, its files say, too."""
    common = yaml.safe_load((VARS / "main.yml").read_text())
    readers = dirname(Paths().config)
    for row in KNOWN:
        said = yaml.safe_load((VARS / f"{row.taken_as}.yml").read_text())
        assert (said["__tpm_host_reader_entries"], said["__tpm_host_polkit_rules"]) == (readers, dirname(RULES.path))
    assert {dirname(presentation.MODULE), dirname(opensc.MODULE.path)} == {common["__tpm_host_pkcs11_modules"]}
    assert {dirname(presentation.PROGRAM), dirname(presentation.SOCKET_GUARD)} == {common["__tpm_host_lib"]}
    assert common["__tpm_host_run"] == presentation.RUN
    assert common["__tpm_host_store"] == DEFAULT_FOLDER
    assert common["__tpm_host_first_port"] == FIRST_PORT
    assert common["__tpm_host_last_port"] == FIRST_PORT + MOST_READERS - 1


def test_known_ones_are_taken_for_what_they_are(tmp_path: Path) -> None:
    answers = ask(tmp_path, KNOWN, untested=False)
    peculiar = {row.package for row in KNOWN}
    for row, answer in zip(KNOWN, answers.hosts.values()):
        assert answer["refusal"] == ""
        assert peculiar & set(answer["packages"]) == {row.package}
        assert answer["polkit"] is row.polkit
    assert "WARNING" not in answers.output


def test_unknown_ones_are_refused_with_what_could_be_tried(tmp_path: Path) -> None:
    for row, answer in zip(UNTESTED, ask(tmp_path, UNTESTED, untested=False).hosts.values()):
        assert answer["refusal"].startswith(f"The distribution is {row.distribution} {row.version}, but this role")
        assert "Debian 12 and Debian 13: use one of these, or set tpm_host_untested_distribution" in answer["refusal"]
        assert f"treated as {row.taken_as.replace('-', ' ')}." in answer["refusal"]


def test_unknown_ones_are_taken_as_the_nearest_where_that_is_asked_for(tmp_path: Path) -> None:
    answers = ask(tmp_path, UNTESTED, untested=True)
    for row, answer in zip(UNTESTED, answers.hosts.values()):
        like = next(known for known in KNOWN if known.taken_as == row.taken_as)
        assert answer["refusal"] == ""
        assert like.package in answer["packages"]
    assert answers.output.count("WARNING: ") == len(UNTESTED)


@pytest.mark.parametrize("untested", [False, True])
def test_without_one_of_the_family_there_is_no_try(tmp_path: Path, untested: bool) -> None:
    for answer in ask(tmp_path, NONE_OF_THE_FAMILY, untested).hosts.values():
        assert answer["refusal"].endswith("but this role supports Debian 12 and Debian 13: use one of these.")
