# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role tpm_host takes away from a host, and what it leaves there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/tpm_host/files/take_away.py"


def take_away(paths: list[Path], folders: list[Path], *options: str) -> list[str]:
    """Runs the script as the role does: its text, on the host's Python."""
    job = json.dumps({"paths": list(map(str, paths)), "folders": list(map(str, folders))})
    command = [sys.executable, "-I", "-c", SCRIPT.read_text(), *options]
    return list(json.loads(subprocess.run(command, check=True, input=job.encode(), stdout=subprocess.PIPE).stdout))


@pytest.fixture
def laid(tmp_path: Path) -> list[Path]:
    """A file, a folder with something in it, and a link that leads to nothing."""
    file, folder, link = tmp_path / "file", tmp_path / "folder", tmp_path / "link"
    file.write_text("laid")
    (folder / "cards").mkdir(parents=True)
    (folder / "cards/0000.json").write_text("{}")
    link.symlink_to(tmp_path / "nowhere")
    return [file, folder, link]


def test_all_of_it_goes_and_is_named(laid: list[Path], tmp_path: Path) -> None:
    assert take_away([*laid, tmp_path / "never"], []) == list(map(str, laid))
    assert list(tmp_path.iterdir()) == []
    assert take_away(laid, []) == []


def test_what_stands_in_a_folder_may_be_named_as_well(laid: list[Path], tmp_path: Path) -> None:
    inside = laid[1] / "cards"
    assert take_away([*laid, inside], []) == list(map(str, [*laid, inside]))
    assert list(tmp_path.iterdir()) == []


def test_check_mode_names_it_alone(laid: list[Path], tmp_path: Path) -> None:
    assert take_away(laid, [tmp_path], "--check") == list(map(str, laid))
    assert sorted(tmp_path.iterdir()) == sorted(laid)


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    others, store = tmp_path / "others", tmp_path / "store"
    (others / "kept").mkdir(parents=True)
    store.mkdir()
    (store / "inside").symlink_to(others)
    (tmp_path / "outside").symlink_to(others)
    take_away([store, tmp_path / "outside"], [])
    assert sorted(tmp_path.rglob("*")) == [others, others / "kept"]


def test_a_folder_of_others_stays_while_something_is_in_it(laid: list[Path], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "theirs").touch()
    take_away(laid, [shared, tmp_path / "never"])
    assert list(tmp_path.iterdir()) == [shared]
    take_away([shared / "theirs"], [shared])
    assert list(tmp_path.iterdir()) == []
