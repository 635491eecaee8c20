# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role tpm_host copies to a host is what its programs import: enough to run, and nothing else."""

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


PROGRAMS = FILES / "card_service.py", FILES / "hardbound_card.py"


def listed(folder: Path, *entries: Path) -> set[str]:
    command = [sys.executable, "-I", str(FILES / "program_files.py"), *map(str, entries), str(folder)]
    return set(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


@pytest.fixture(scope="module")
def copied() -> set[str]:
    return listed(SOURCES, *PROGRAMS)


def test_what_is_copied_is_reached_from_a_program_and_judges_and_configures_nothing(copied: set[str]) -> None:
    rooms = {path.split("/")[0] for path in copied}
    assert {"_edge", "_card", "_tpm", "_encoding"} <= rooms
    assert not rooms & {"_task", "_hello", "_escrow.py", "_spine.py"}
    assert {SOURCES / path for path in copied} <= reach([SOURCES / "_edge/service.py", SOURCES / "_command/program.py"])


def test_the_command_of_owners_knows_no_tpm_and_no_card() -> None:
    rooms = {path.split("/")[0] for path in listed(SOURCES, FILES / "hardbound_card.py")}
    assert rooms == {"_command", "_encoding", "_cryptography.py", "_errors.py"}


def test_the_guard_of_the_socket_reads_cards_with_what_the_service_has(copied: set[str]) -> None:
    needed = listed(SOURCES, FILES / "reader_access.py")
    assert "_card/store.py" in needed
    assert needed <= copied


def test_what_is_copied_runs_without_the_rest(copied: set[str], tmp_path: Path) -> None:
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    for path in copied:
        (tmp_path / "hardbound_identity" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCES / path, tmp_path / "hardbound_identity" / path)
    subprocess.run([sys.executable, "-IB", "-c", IMPORT_ALL, str(tmp_path)], check=True)
    for program, name in zip(PROGRAMS, (b"card_service", b"hardbound-card")):
        command = [sys.executable, "-IB", str(tmp_path / program.name), "--help"]
        assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"usage: " + name)


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
    found = listed(tmp_path / "lib", tmp_path / "entry.py")
    assert found == {"room/__init__.py", "room/door.py", "b.py", "c.py"}
