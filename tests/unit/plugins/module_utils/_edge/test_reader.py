# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge import reader
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import (
    CopyDriver,
    Paths,
    ReaderFiles,
    RemoveDriver,
    RestartPcscd,
    WriteConfig,
    render,
)
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader_name import reader_name
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from hypothesis import given
from hypothesis import strategies as st

PATHS = Paths()
NAMES = st.text(min_size=1, max_size=130) | st.sampled_from(
    ["a", "a, b", "b", "b, c", "c", 'x"\nLIBPATH /tmp/evil.so\n"']
)
CARDS = st.dictionaries(st.integers(0, 15), NAMES, max_size=16)
LINE = re.compile(r'(FRIENDLYNAME "[^"\n]+"|DEVICENAME /dev/null:0x\w{4}|LIBPATH [\w/.-]+|CHANNELID 0x\w{4})?')


def test_two_cards_share_an_entry() -> None:
    assert render({0: "Work", 1: "Home", 4: "Door"}, PATHS) == (
        'FRIENDLYNAME "Work, Home"\n'
        "DEVICENAME /dev/null:0x8C7B\n"
        "LIBPATH /usr/lib/hardbound/drivers/vpcd-0.so\n"
        "CHANNELID 0x8C7B\n"
        "\n"
        'FRIENDLYNAME "Door"\n'
        "DEVICENAME /dev/null:0x8C7F\n"
        "LIBPATH /usr/lib/hardbound/drivers/vpcd-2.so\n"
        "CHANNELID 0x8C7F\n"
    )


def test_no_card_no_entry() -> None:
    assert render({}, PATHS) == ""


def test_names_as_programs_see_them() -> None:
    cards = {0: "Work", 1: "Home", 5: "Door"}
    assert [reader_name(number, cards) for number in cards] == ["Work, Home 00 00", "Work, Home 00 01", "Door 00 01"]


@given(CARDS)
def test_every_reader_has_a_name_of_its_own_that_pcscd_takes(cards: t.Dict[int, str]) -> None:
    names = [reader_name(number, cards) for number in cards]
    assert len(set(names)) == len(names)
    assert all(len(name.encode()) < 128 for name in names)


@given(CARDS)
def test_no_card_name_can_add_a_line_or_another_driver(cards: t.Dict[int, str]) -> None:
    """The attacker may choose the names of cards."""
    lines = render(cards, PATHS).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert sum(line.startswith("LIBPATH") for line in lines) == len({number // 2 for number in cards})


def test_a_number_beyond_the_readers_is_refused() -> None:
    with pytest.raises(StateError, match="card 0016"):
        render({16: "Late"}, PATHS)


def test_a_plan_copies_before_it_restarts_and_removes_after() -> None:
    steps = reader.plan(ReaderFiles("new", {0: "d", 1: "d"}), ReaderFiles("old", {0: "d", 2: "d"})).steps
    assert steps == (CopyDriver(1), WriteConfig("new"), RestartPcscd(), RemoveDriver(2))


def test_an_updated_driver_is_copied_again() -> None:
    steps = reader.plan(ReaderFiles("same", {0: "new"}), ReaderFiles("same", {0: "old"})).steps
    assert steps == (CopyDriver(0), RestartPcscd())


def test_a_second_run_plans_nothing(tmp_path: Path) -> None:
    paths = host(tmp_path)
    for cards in ({0: "Work", 2: "Door"}, {2: "Door"}, {}):
        changes = reader.plan(wanted(cards, paths), reader.read(paths))
        assert changes.changed
        reader.apply(changes, paths)
        assert not reader.plan(wanted(cards, paths), reader.read(paths)).changed
        assert sorted(reader.read(paths).drivers) == sorted(number // 2 for number in cards)


def test_copies_are_files_of_their_own(tmp_path: Path) -> None:
    paths = host(tmp_path)
    reader.apply(reader.plan(wanted({0: "Work"}, paths), reader.read(paths)), paths)
    copy = Path(paths.driver(0))
    assert copy.read_bytes() == b"driver"
    assert not copy.is_symlink()
    assert copy.stat().st_mode & 0o777 == 0o644


def test_a_missing_driver_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="vsmartcard-vpcd"):
        wanted({0: "Work"}, Paths(original=str(tmp_path / "missing.so")))


@pytest.mark.parametrize("content", ["", "none", "1", "999999999"])
def test_only_pcscd_is_ended(tmp_path: Path, content: str) -> None:
    """Process 1 is no pcscd; a signal to it, or to a process that is none, would raise or end the test."""
    (tmp_path / "pcscd.pid").write_text(content)
    reader.end_pcscd(Paths(pid=str(tmp_path / "pcscd.pid")))


def test_pcscd_is_ended_and_waited_for(tmp_path: Path) -> None:
    """Another program under the name of pcscd, whose number is written as pcscd writes it."""
    program = tmp_path / "pcscd"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([str(program), "60"]) as process:
        (tmp_path / "pcscd.pid").write_bytes(b"%d\n\0" % process.pid)
        reader.end_pcscd(Paths(pid=str(tmp_path / "pcscd.pid")))
        assert process.wait(5) == -signal.SIGTERM


def wanted(cards: t.Dict[int, str], paths: Paths) -> ReaderFiles:
    return reader.desired(cards, paths, reader.driver_digest(paths))


def host(folder: Path) -> Paths:
    original = folder / "libifdvpcd.so"
    original.write_bytes(b"driver")
    (folder / "reader.conf.d").mkdir()
    return Paths(
        config=str(folder / "reader.conf.d" / "hardbound"),
        drivers=str(folder / "drivers"),
        original=str(original),
        pid=str(folder / "pcscd.pid"),
    )
