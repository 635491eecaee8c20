# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball of a release, installed into an empty folder, and of it only what a user needs."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

COLLECTION = pathlib.Path(__file__).parents[3]
NEEDED = {"meta", "playbooks", "plugins", "roles"}
RECORDS = {"MANIFEST.json", "FILES.json"}  # ansible-galaxy's own
NEVER_SHIPPED = {".ci", ".git", ".coverage", ".pytest_cache", "__pycache__"}


class Release:
    """The collection as ansible-galaxy installed it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.call("ansible-galaxy", "collection", "build", "--output-path", str(folder), cwd=self.source())
        [self.tarball] = folder.glob("hardbound-identity-*.tar.gz")
        self.call("ansible-galaxy", "collection", "install", str(self.tarball), "-p", str(folder / "installed"))
        self.installed = folder / "installed/ansible_collections/hardbound/identity"

    def source(self) -> pathlib.Path:
        """What git would commit: a checkout may hold more."""
        listing = ["git", "-C", str(COLLECTION), "ls-files", "-z", "-co", "--exclude-standard"]
        found = subprocess.run(listing, capture_output=True, text=True, check=False)
        if found.returncode:
            return COLLECTION
        for name in found.stdout.split("\0"):
            if name and (COLLECTION / name).is_file():
                (self.folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(COLLECTION / name, self.folder / "source" / name)
        return self.folder / "source"

    def strip(self) -> None:
        for path in self.installed.iterdir():
            if path.name not in NEEDED | RECORDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def call(self, program: str, *arguments: str, cwd: pathlib.Path | None = None) -> str:
        """Runs a program of ansible-core that sees no other copy of the collection."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment.update(
            ANSIBLE_HOME=str(self.home),
            ANSIBLE_COLLECTIONS_PATH=str(self.folder / "installed"),
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_LOCALHOST_WARNING="false",
        )
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name(program)), *arguments],
            env=environment,
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    release = Release(tmp_path_factory.mktemp("release"))
    release.strip()
    return release


def test_what_is_shipped(release: Release) -> None:
    files = json.loads((release.installed / "FILES.json").read_text())["files"]
    names = {each["name"] for each in files}
    assert {"README.md", "COPYING", "meta/runtime.yml", "extensions/awx/execution-environment.yml"} <= names
    assert not {part for name in names for part in pathlib.PurePath(name).parts} & NEVER_SHIPPED
    assert {path.name for path in release.installed.iterdir()} == NEEDED | RECORDS


def test_every_playbook_finds_what_it_needs(release: Release) -> None:
    playbooks = [path.stem for path in (COLLECTION / "playbooks").glob("*.yml")]
    assert {"quickstart", "enroll", "audit", "renew", "retire"} <= set(playbooks)
    names = [f"hardbound.identity.{name}" for name in playbooks]
    shown = release.call("ansible-playbook", "--syntax-check", "--inventory", "localhost,", *names)
    assert shown.count("playbook: ") == len(names)


def test_everything_is_documented(release: Release) -> None:
    for kind, folder in (("module", "modules"), ("role", None), ("filter", "filter")):
        shown = json.loads(release.call("ansible-doc", "--json", "--list", "--type", kind, "hardbound.identity"))
        where = COLLECTION / "plugins" / folder if folder else COLLECTION / "roles"
        expected = {path.stem for path in where.iterdir() if path.suffix in (".py", "") and path.name[0] not in "._"}
        assert {name.rpartition(".")[2] for name in shown} == expected


def test_the_quickstart_would_prepare_this_computer(release: Release) -> None:
    """In check mode, for this is no computer of its own: the molecule scenario quickstart runs it on one that is."""
    if os.geteuid() != 0:
        pytest.skip("needs root, as the quickstart does")
    program = pathlib.Path("/usr/lib/hardbound")
    there = program.exists()
    arguments = ("--inventory", "localhost,", "--check", "hardbound.identity.quickstart")
    shown = release.call("ansible-playbook", *arguments)
    assert "failed=0" in shown and "hardbound.identity.tpm_host : " in shown
    assert program.exists() is there


def test_a_card_is_made(release: Release, software_tpm: object, short_path: pathlib.Path) -> None:
    (short_path / "store").mkdir()
    card = {
        "name": "corp",
        "pin": "{{ vaulted_first_pin }}",
        "keys": [{"slot": "authentication", "algorithm": "ecc_p256"}],
        "tpm": software_tpm.tcti,
        "store": str(short_path / "store"),
    }
    variables = {"vaulted_first_pin": "pin-4711", "ansible_python_interpreter": "/usr/bin/python3"}
    task = {"hardbound.identity.virtual_smartcard": card}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": [task]}
    (short_path / "play.yml").write_text(json.dumps([play]))
    assert "changed=1" in release.call("ansible-playbook", "--inventory", "localhost,", str(short_path / "play.yml"))
    assert list((short_path / "store/cards").glob("*.json"))
