# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a whole."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._files import (
    PRIVATE,
    locked,
    remedy_of,
    remove_durably,
    write_atomically,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until


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


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_root_gives_no_file_away_that_the_folders_owner_names(tmp_path, make):
    """Whoever has taken over the card service owns the store, where root locks."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files away")
    folder, secret = tmp_path / "of-nobody", tmp_path / "shadow"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    secret.write_text("root's own")
    make(secret, folder / "lock")
    with pytest.raises(StateError, match="is a link"), locked(str(folder / "lock")):
        pass
    assert secret.stat().st_uid == 0


def test_root_makes_no_file_where_a_link_leads(tmp_path):
    os.symlink(tmp_path / "elsewhere", tmp_path / "lock")
    with pytest.raises(StateError, match="is a link"), locked(str(tmp_path / "lock")):
        pass
    assert not (tmp_path / "elsewhere").exists()


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


def test_who_waits_for_a_lock_that_is_removed_takes_its_successor(tmp_path):
    """Three processes: the first removes the lock while the second waits, and then the third comes."""
    path = str(tmp_path / "lock")
    context = multiprocessing.get_context("fork")
    inside, found = context.Value("i", 0), context.Queue()
    leave = context.Event()

    def work(go):
        go.wait()
        with locked(path):
            with inside.get_lock():
                inside.value += 1
                found.put(inside.value)
            leave.wait()
            with inside.get_lock():
                inside.value -= 1

    gates = [context.Event(), context.Event()]
    # They are begun before the lock is held, for a child would hold it too.
    second, third = (context.Process(target=work, args=(gate,), daemon=True) for gate in gates)
    second.start()
    third.start()
    with locked(path):
        gates[0].set()
        until(lambda: waits_for_a_lock(second.pid))
        os.unlink(path)
    gates[1].set()
    assert found.get(timeout=20) == 1
    until(lambda: waits_for_a_lock(second.pid) or waits_for_a_lock(third.pid))
    leave.set()
    assert found.get(timeout=20) == 1
    for each in (second, third):
        each.join(20)
        assert each.exitcode == 0


def waits_for_a_lock(pid):
    """proc(5): a line with an arrow is a lock that somebody waits for."""
    lines = pathlib.Path("/proc/locks").read_text().splitlines()
    return any("->" in line and line.split()[5] == str(pid) for line in lines)


@pytest.mark.parametrize(
    ("user", "code", "remedy"),
    [
        (1000, errno.EACCES, "use become"),
        (0, errno.EACCES, "look for what keeps root out"),
        (0, errno.EPERM, "look for what keeps root out"),
        (1000, errno.ENOSPC, "make room"),
        (1000, errno.EROFS, "name a place that can be written"),
        (1000, errno.ENOTDIR, "name a folder"),
        (1000, errno.ENOENT, "check the path"),
    ],
)
def test_become_is_the_remedy_of_those_who_lack_rights(user, code, remedy, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert remedy_of(OSError(code, os.strerror(code))).startswith(remedy)
