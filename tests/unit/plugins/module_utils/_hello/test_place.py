# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that keeps a policy."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello import place
from ansible_collections.hardbound.identity.plugins.module_utils._hello.place import FilePlace


def test_a_file_comes_and_goes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "policy.json"
    kept = FilePlace(str(path), make_folder=True)
    assert kept.load() == b""
    assert kept.store(b"x") == {"dest": str(path)}
    assert (kept.load(), path.stat().st_mode & 0o777) == (b"x", 0o644)
    kept.store(b"")
    assert not path.exists()
    kept.store(b"")


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: pathlib.Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    FilePlace(str(link)).store(b"new")
    assert link.is_symlink()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


def test_a_missing_folder_and_a_folder_as_file_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StateError, match="can't be written"):
        FilePlace(str(tmp_path / "no" / "file")).store(b"x")
    with pytest.raises(StateError, match="can't be read"):
        FilePlace(str(tmp_path)).load()


def test_a_file_that_is_far_too_long_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "LONGEST", 3)
    (tmp_path / "file").write_bytes(b"four")
    with pytest.raises(StateError, match="more than 3 bytes"):
        FilePlace(str(tmp_path / "file")).load()
