# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cryptography
import pytest
import sqlalchemy
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import packages

ROOM = packages.__name__.rpartition(".")[0]
FILES = sorted(path.stem for path in Path(packages.__file__).parent.glob("*.py"))

WITHOUT = """
import importlib, sys
for name in {missing!r}:
    sys.modules[name] = None
for name in {files!r}:
    importlib.import_module({room!r} + "." + name)
try:
    importlib.import_module({room!r} + ".packages").require()
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("missing", [["sqlalchemy"], ["cryptography"], ["cryptography", "sqlalchemy"]])
def test_every_file_imports_without_the_packages_and_the_lack_is_said(missing: list[str]) -> None:
    code = WITHOUT.format(missing=missing, files=FILES, room=ROOM)
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert f"the Python package {missing[0]}" in done.stdout and "install" in done.stdout


def test_an_old_release_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    packages.require()
    monkeypatch.setattr(cryptography, "__version__", "37.0.4")
    with pytest.raises(StateError, match=r"cryptography is 37\.0\.4: install 38 or newer"):
        packages.require()
    monkeypatch.undo()
    monkeypatch.setattr(sqlalchemy, "__version__", "1.3.24")
    with pytest.raises(StateError, match=r"sqlalchemy is 1\.3\.24: install 1\.4 or newer"):
        packages.require()
