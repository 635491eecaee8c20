# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a card's HID device is, as udev asks it."""

from __future__ import annotations

import grp
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.tests.support.task_cards import record

COLLECTION = Path(__file__).parents[3]
SCRIPT = COLLECTION / "roles/tpm_host/files/passkey_access.py"
OWNER, GROUP = "games", "staff"  # accounts of every Debian


@pytest.fixture
def ask(tmp_path: Path):
    """The script where the role lays it, beside the card service's files, and a hidraw device in a /sys of its own."""
    (tmp_path / "cards").mkdir()
    (tmp_path / "hardbound_identity").symlink_to(COLLECTION / "plugins/module_utils")
    place = shutil.copy(SCRIPT, tmp_path)
    device = tmp_path / "hidraw0"
    (device / "device").mkdir(parents=True)

    def ask(physical: str, unique: str):
        said = f"DRIVER=hid-generic\nHID_NAME=x=y\nHID_PHYS={physical}\nHID_UNIQ={unique}\n"
        (device / "device/uevent").write_text(said)
        run = [sys.executable, "-IB", place, str(device), str(tmp_path)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.stdout if done.returncode == 0 else None

    return ask


def put(folder: Path, number: int, **changes: object) -> str:
    card = record(number, **changes)
    (folder / f"cards/{number:04d}.json").write_bytes(record_file.dump(card))
    return card.serial.hex()


@pytest.mark.parametrize("owner", ["", OWNER, "no.such.account"])
@pytest.mark.parametrize("group", ["", GROUP, "no.such.group"])
def test_a_card_is_its_owners_and_its_groups(ask, tmp_path, owner, group):
    serial = put(tmp_path, 3, owner=owner, group=group)
    uid = pwd.getpwnam(OWNER).pw_uid if owner == OWNER else 0
    gid = grp.getgrnam(GROUP).gr_gid if group == GROUP else 0
    assert ask("hardbound/0003", serial) == f"{uid} {gid}\n"


def test_what_is_no_cards_device_stays_as_it_is(ask, tmp_path):
    serial = put(tmp_path, 3, owner=OWNER)
    for physical, unique in (
        ("usb-0000:00:14.0-1/input0", serial),
        ("", serial),
        ("hardbound/", serial),
        ("hardbound/../3", serial),
        ("hardbound/0004", serial),
        ("hardbound/0003", "11" * 16),
    ):
        assert ask(physical, unique) is None


def test_a_file_that_is_damaged_gives_the_device_to_nobody(ask, tmp_path):
    put(tmp_path, 3, owner=OWNER)
    (tmp_path / "cards/0003.json").write_text("{}")
    assert ask("hardbound/0003", "00" * 16) is None
