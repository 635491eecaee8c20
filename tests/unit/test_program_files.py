# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role tpm_host copies to a host is what the card service imports: enough to run, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION, PLUGINS, reach

FILES = COLLECTION / "roles/tpm_host/files"
SOURCES = PLUGINS / "module_utils"
IMPORT_ALL = """
import importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
for file in pathlib.Path(sys.argv[1], "hardbound_identity").rglob("*.py"):
    importlib.import_module(".".join(file.relative_to(sys.argv[1]).with_suffix("").parts).removesuffix(".__init__"))
"""


def listed(entry: Path, folder: Path) -> set[str]:
    command = [sys.executable, "-I", str(FILES / "program_files.py"), str(entry), str(folder)]
    return set(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


@pytest.fixture(scope="module")
def copied() -> set[str]:
    return listed(FILES / "card_service.py", SOURCES)


def test_what_is_copied_is_reached_from_the_service_and_judges_and_configures_nothing(copied: set[str]) -> None:
    rooms = {path.split("/")[0] for path in copied}
    assert {"_edge", "_card", "_tpm", "_encoding"} <= rooms
    assert not rooms & {"_task", "_hello", "_escrow.py", "_spine.py"}
    assert {SOURCES / path for path in copied} <= reach([SOURCES / "_edge/service.py"])


def test_the_guard_of_the_socket_reads_cards_with_what_the_service_has(copied: set[str]) -> None:
    needed = listed(FILES / "reader_access.py", SOURCES)
    assert "_card/store.py" in needed
    assert needed <= copied


def test_what_is_copied_runs_without_the_rest(copied: set[str], tmp_path: Path) -> None:
    shutil.copy(FILES / "card_service.py", tmp_path)
    for path in copied:
        (tmp_path / "hardbound_identity" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCES / path, tmp_path / "hardbound_identity" / path)
    subprocess.run([sys.executable, "-IB", "-c", IMPORT_ALL, str(tmp_path)], check=True)
    service = [sys.executable, "-IB", str(tmp_path / "card_service.py"), "--help"]
    done = subprocess.run(service, capture_output=True, check=True)
    assert done.stdout.startswith(b"usage: card_service")


def test_imports_are_followed_also_where_a_function_does_them_but_not_for_type_checkers(tmp_path: Path) -> None:
    texts = {
        "entry.py": "from hardbound_identity.room.door import main",
        "lib/room/__init__.py": "",
        "lib/room/door.py": "if TYPE_CHECKING:\n    from ..ghost import Ghost\nelse:\n    from .. import b",
        "lib/b.py": "def late():\n    from .c import something",
        "lib/c.py": "import json, c2",
        "lib/c2.py": "",
        "lib/ghost.py": "",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = listed(tmp_path / "entry.py", tmp_path / "lib")
    assert found == {"room/__init__.py", "room/door.py", "b.py", "c.py"}
