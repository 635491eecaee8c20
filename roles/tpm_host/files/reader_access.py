# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets root, and the owners and groups of cards, talk to pcscd. All others find no reader.

For hosts whose pcscd was built without polkit. It runs before pcscd starts, and when a card's owner changes.
"""

from __future__ import annotations

import grp
import json
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

CARDS = Path("/var/lib/hardbound/cards")
SOCKET = "/run/pcscd/pcscd.comm"


def exists(lookup: Callable[[str], object], name: str) -> bool:
    """Whether the account is there: setfacl refuses the whole list for one that is not."""
    try:
        lookup(name)
    except KeyError:
        return False
    return True


def entries(cards: Path) -> Iterator[str]:
    """ACL entries, as setfacl(1) reads them. A card that can't be read, or has no reader, gives nobody access."""
    for path in cards.glob("*.json"):
        try:
            card = json.loads(path.read_bytes())
            owner, group = card["owner"], card["group"]
        except (OSError, ValueError, KeyError) as error:
            print(f"{path.name} was left out: {error}", file=sys.stderr)
            continue
        if not card.get("presented", True):
            continue
        if owner and exists(pwd.getpwnam, owner):
            yield f"u:{owner}:rw"
        if group and exists(grp.getgrnam, group):
            yield f"g:{group}:rw"


if __name__ == "__main__":
    everything = ",".join(["u::rw", "g::-", "o::-", "m::rw", *sorted(set(entries(CARDS)))])
    subprocess.run(["/usr/bin/setfacl", "--set", everything, SOCKET], check=True)  # noqa: S603
