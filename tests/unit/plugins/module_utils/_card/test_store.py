# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: whole files, private ones, and errors that say what to do."""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.tests.support.whole_record import RECORD


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path))
    store.prepare()
    return store


def test_cards_come_and_go(store):
    assert store.numbers() == [] and store.stamp(3) is None
    store.write(RECORD)
    store.write(replace(RECORD, number=1))
    assert store.numbers() == [1, 3] and store.read(3) == RECORD
    store.remove(3)
    store.remove(3)
    assert store.numbers() == [1]
    with pytest.raises(CardGone, match="no card 0003"):
        store.read(3)


def test_a_card_that_is_gone_leaves_no_file(store):
    with store.changing_all(), store.changing(3):
        store.write(RECORD)
        store.remove(3)
    assert [path.name for path in pathlib.Path(store.path(3)).parent.iterdir()] == ["store.lock"]
    with store.changing(3):
        assert store.numbers() == []


def test_files_are_private(store):
    store.write(RECORD)
    assert os.stat(store.path(3)).st_mode & 0o777 == 0o600


def test_each_write_changes_the_stamp(store):
    store.write(RECORD)
    before = store.stamp(3)
    store.write(RECORD)
    assert store.stamp(3) != before


def test_one_request_looks_once_at_what_others_change_and_sees_its_own_changes_at_once(store):
    store.write(RECORD)
    other = Store(store.folder)
    with store.glance():
        before = store.stamp(3)
        other.write(RECORD)
        assert store.stamp(3) == before != other.stamp(3)
        with store.changing(3):
            assert store.stamp(3) == other.stamp(3)
            store.write(RECORD)
            assert store.stamp(3) == other.stamp(3)
        store.touch(3)
        assert store.stamp(3) == other.stamp(3)
        store.remove(3)
        assert store.stamp(3) is None
    other.write(RECORD)
    assert store.stamp(3) == other.stamp(3)


def test_other_files_are_not_cards(store):
    folder = pathlib.Path(store.path(0)).parent
    for name in ("1.json", "0001.json.bak", ".new-0001.json", "store.lock"):
        (folder / name).write_text("?")
    assert store.numbers() == []


def test_a_failed_write_leaves_the_old_file(store, monkeypatch):
    store.write(RECORD)

    def fail(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StateError, match="No space left on device"):
        store.write(replace(RECORD, name="other"))
    assert store.read(3) == RECORD
    assert [path.name for path in pathlib.Path(store.path(3)).parent.iterdir()] == ["0003.json"]


@pytest.mark.parametrize("act", [Store.prepare, Store.numbers], ids=["made", "read"])
def test_a_store_that_is_a_file(tmp_path, act):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"/file can't be (made|read) \(Not a directory\): name a folder"):
        act(Store(str(tmp_path / "file")))


def test_a_store_that_can_not_be_made():
    with pytest.raises(StateError, match=r"/proc/nothing can't be made \(No such file or directory\): check the path"):
        Store("/proc/nothing").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_without_the_right_to_make_it(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="use become"):
        Store(str(tmp_path / "store")).prepare()


def test_a_store_that_is_not_there():
    assert Store("/nonexistent").numbers() == []
