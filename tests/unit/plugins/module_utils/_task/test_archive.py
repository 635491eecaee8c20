# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's Python gets the collection in an archive: what it imports from there is what we wrote, compiled once."""

from __future__ import annotations

import collections
import json
import pathlib
import subprocess
import sys
import typing as t
import zipfile

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils import _task

UTILS = pathlib.Path(_task.__file__).parent.parent
PACKAGE = "ansible_collections.hardbound.identity.plugins.module_utils"
BEFORE = {"_task/__init__.py", "_task/archive.py"}
"""What is compiled before anything can be done about it."""

COUNT = """
import json, sys
compiled = []
sys.addaudithook(lambda event, about: event == "compile" and compiled.append(str(about[1])))
sys.path.insert(0, sys.argv[1])
import {package}._task.enrollment
print(json.dumps([each for each in compiled if each.startswith(sys.argv[1])]))
"""


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> pathlib.Path:
    """As Ansible makes them: the packages on the way are empty."""
    path = tmp_path / "payload.zip"
    with zipfile.ZipFile(path, "w") as made:
        parts = PACKAGE.split(".")
        for end in range(1, len(parts) + 1):
            made.writestr("/".join([*parts[:end], "__init__.py"]), "")
        for file in UTILS.rglob("*.py"):
            made.write(file, f"{PACKAGE.replace('.', '/')}/{file.relative_to(UTILS)}")
    return path


FAIL = """
import sys, traceback
sys.path.insert(0, sys.argv[1])
from {package}._task import place
try:
    place.tpm_of({})
except KeyError:
    traceback.print_exc()
"""


def run(archive: pathlib.Path, program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", program.replace("{package}", PACKAGE), str(archive)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def compiled(archive: pathlib.Path) -> t.Dict[str, int]:
    done = run(archive, COUNT)
    assert done.returncode == 0, done.stderr
    folder = f"{archive}/{PACKAGE.replace('.', '/')}/"
    files = [each[len(folder) :] for each in json.loads(done.stdout) if each.startswith(folder)]
    return dict(collections.Counter(files))


def test_each_file_is_compiled_once(archive: pathlib.Path) -> None:
    counted = compiled(archive)
    assert {"_task/enrollment.py", "_card/__init__.py", "_card/record.py", "_errors.py"} <= counted.keys()
    assert {file for file, times in counted.items() if times > 1} <= BEFORE | {"__init__.py"}


def test_a_traceback_shows_the_lines(archive: pathlib.Path) -> None:
    done = run(archive, FAIL)
    assert done.returncode == 0, done.stderr
    assert f'File "{archive}/' in done.stderr and 'task["tpm"]' in done.stderr


def test_what_is_not_there_is_left_to_python(archive: pathlib.Path) -> None:
    done = run(archive, "import sys; sys.path.insert(0, sys.argv[1]); import {package}._task.nobody")
    assert f"No module named '{PACKAGE}._task.nobody'" in done.stderr


def test_outside_of_an_archive_nothing_is_done() -> None:
    assert not [each for each in sys.meta_path if type(each).__name__ == "Archive"]
