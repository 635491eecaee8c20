# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells udev whose a card's HID device is: prints the numbers of the user and of the group who own the card.

udev runs it for each hidraw device, with the device's folder in /sys. It fails for one that is no card's. A card that
belongs to nobody, or to somebody whom this host does not know yet, is root's.
"""

from __future__ import annotations

import grp
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hardbound_identity._card.record import Record
from hardbound_identity._card.store import DEFAULT_FOLDER, Store
from hardbound_identity._errors import HardboundError

PLACE = "hardbound/"
"""As the card service says it, in HID_PHYS."""


def facts(device: Path) -> dict[str, str]:
    """What the kernel says of the HID device that a hidraw device belongs to."""
    lines = (device / "device/uevent").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def card_of(device: Path, folder: str) -> Optional[Record]:
    """The card whose device it is: the number may be another card's by now, so its serial number has to fit."""
    said = facts(device)
    number = said.get("HID_PHYS", "")[len(PLACE) :]
    if not said.get("HID_PHYS", "").startswith(PLACE) or not number.isdecimal():
        return None
    card = Store(folder).read(int(number))
    return card if card.serial.hex() == said.get("HID_UNIQ") else None


def number_of(name: str, look_up: Callable[[str], int]) -> int:
    """Root's for no name, or one that nobody has."""
    try:
        return look_up(name) if name else 0
    except KeyError:
        return 0


def main(device: str, folder: str = DEFAULT_FOLDER) -> int:
    try:
        card = card_of(Path(device), folder)
    except (OSError, HardboundError) as error:
        print(error, file=sys.stderr)
        return 1
    if card is None:
        return 1
    user = number_of(card.owner, lambda name: pwd.getpwnam(name).pw_uid)
    group = number_of(card.group, lambda name: grp.getgrnam(name).gr_gid)
    print(user, group)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
