# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a whole."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._files import (
    PRIVATE,
    locked,
    remove_durably,
    write_atomically,
)


def test_replacing(tmp_path):
    path = tmp_path / "file"
    write_atomically(str(path), b"one")
    write_atomically(str(path), b"two", 0o644)
    assert path.read_bytes() == b"two" and path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_private_by_default(tmp_path):
    write_atomically(str(tmp_path / "file"), b"")
    assert (tmp_path / "file").stat().st_mode & 0o777 == PRIVATE


def test_an_interrupted_write_leaves_the_old(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(str(path), b"old")

    def interrupt(*_unused):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(str(path), b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_root_writes_belongs_to_the_folders_owner(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files away")
    folder = tmp_path / "of-nobody"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    write_atomically(str(folder / "file"), b"")
    with locked(str(folder / "lock")):
        pass
    for name in ("file", "lock"):
        status = os.stat(folder / name)
        assert (status.st_uid, status.st_gid) == (65534, 65534)


def test_removing_twice(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    remove_durably(str(path))
    remove_durably(str(path))
    assert not path.exists()
