# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect to pcscd where it asks no polkit: a real access list, on a real socket."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.migration import VERSION
from ansible_collections.hardbound.identity.tests.support.task_cards import record

COLLECTION = Path(__file__).parents[3]
SCRIPT = COLLECTION / "roles/tpm_host/files/reader_access.py"
SOURCES = COLLECTION / "plugins/module_utils"
OLD = COLLECTION / "tests/data/store_version_1/0000.json"
OWNER, LATECOMER, GROUP = "games", "news", "staff"  # accounts of every Debian
NOBODY_YET = "no.such.account"


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The script where the role lays it, beside the card service's files, with a store and a socket of its own."""
    if not shutil.which("setfacl"):
        pytest.skip("needs setfacl, as in Debian's package acl")
    (tmp_path / "cards").mkdir()
    (tmp_path / "hardbound_identity").symlink_to(SOURCES)
    place = shutil.copy(SCRIPT, tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    specification = importlib.util.spec_from_file_location("reader_access", place)
    assert specification and specification.loader
    script: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    script.path = tmp_path / "pcscd.comm"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(script.path))
        os.chmod(script.path, 0o666)
        script.admit.__defaults__ = (str(tmp_path), str(script.path))
        yield script


def card(folder: Path, number: int, owner: str = "", group: str = "", **more: object) -> Path:
    path = folder / f"cards/{number:04d}.json"
    path.write_bytes(record_file.dump(record(number, owner=owner, group=group, **more)))
    return path


def admitted(access: Any) -> set[str]:
    """Named users and groups with access; nobody else may have any."""
    command = ["getfacl", "--omit-header", "--absolute-names", str(access.path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {"group::---", "other::---"} <= set(lines)
    return {line for line in lines if line.split(":")[1] and line.startswith(("user:", "group:"))}


def test_those_who_hold_a_card_are_admitted_and_nobody_else(access: Any, tmp_path: Path) -> None:
    card(tmp_path, 0, OWNER)
    card(tmp_path, 1, group=GROUP)
    card(tmp_path, 2, LATECOMER, presented=False)
    card(tmp_path, 3, LATECOMER, faces=(Face.PKCS11,))
    access.main(wait=False)
    assert admitted(access) == {f"user:{OWNER}:rw-", f"group:{GROUP}:rw-"}


def test_a_card_that_cannot_be_read_keeps_out_its_owner_alone(access: Any, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "cards/0000.json").write_text("{")
    newer = card(tmp_path, 1, LATECOMER)
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "version": VERSION + 1}))
    card(tmp_path, 2, OWNER)
    access.main(wait=False)
    assert admitted(access) == {f"user:{OWNER}:rw-"}
    told = capsys.readouterr().err
    assert "card 0000 was left out: " in told and "it is damaged" in told
    assert "card 0001 was left out: " in told and "update the collection" in told


def test_cards_of_older_releases_have_owners_too(access: Any, tmp_path: Path) -> None:
    old = json.loads(OLD.read_text())
    (tmp_path / "cards/0000.json").write_text(json.dumps({**old, "owner": OWNER}))
    access.main(wait=False)
    assert admitted(access) == {f"user:{OWNER}:rw-"}


def test_one_unknown_owner_does_not_keep_out_the_others(access: Any, tmp_path: Path, capsys: Any) -> None:
    card(tmp_path, 0, OWNER)
    card(tmp_path, 1, NOBODY_YET)
    access.main(wait=False)
    assert admitted(access) == {f"user:{OWNER}:rw-"}
    assert f"so without access to cards: {NOBODY_YET}\n" in capsys.readouterr().err


def test_an_owner_whom_the_name_service_knows_late_is_admitted_then(
    access: Any, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an account of a directory is at boot. The name service answers when the script has looked three times."""
    looks: list[str] = []

    def getpwnam(name: str) -> pwd.struct_passwd:
        looks.append(name)
        if name == LATECOMER and looks.count(LATECOMER) < 4:
            raise KeyError(name)
        return real(name)

    real = pwd.getpwnam
    monkeypatch.setattr(access.pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(access, "INTERVAL", 0.0)
    card(tmp_path, 0, OWNER)
    card(tmp_path, 1, LATECOMER)
    access.main(wait=True)
    assert admitted(access) == {f"user:{OWNER}:rw-", f"user:{LATECOMER}:rw-"}
    assert capsys.readouterr().err.count(LATECOMER) == 1
