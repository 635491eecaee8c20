# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets root, and the owners and groups of cards, talk to pcscd. All others find no reader.

For hosts whose pcscd was built without polkit. It runs before pcscd starts, and when a card's owner changes. With
--wait it goes on until every owner and group is known: at boot those of a directory are not, before its name service
has the network.
"""

from __future__ import annotations

import grp
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hardbound_identity._card.store import DEFAULT_FOLDER, Store
from hardbound_identity._errors import HardboundError

SOCKET = "/run/pcscd/pcscd.comm"
INTERVAL = 15.0  # seconds between two looks at who is known by now


def exists(lookup: Callable[[str], object], name: str) -> bool:
    """Whether the account is there: setfacl refuses the whole list for one that is not."""
    try:
        lookup(name)
    except KeyError:
        return False
    return True


def holders(store: Store) -> Iterator[tuple[str, str]]:
    """Who holds a card, as "u" or "g" and a name. A card that can't be read, or has no reader, gives nobody access."""
    for number in store.numbers():
        try:
            card = store.read(number)
        except HardboundError as error:
            print(f"card {number:04d} was left out: {error}", file=sys.stderr)
            continue
        if card.has_reader:
            yield from (holder for holder in (("u", card.owner), ("g", card.group)) if holder[1])


def admit(folder: str = DEFAULT_FOLDER, socket: str = SOCKET) -> list[str]:
    """Sets the list, as setfacl(1) reads it. Returns the names of holders whom this computer does not know."""
    wanted = sorted(set(holders(Store(folder))))
    known = [(kind, name) for kind, name in wanted if exists(pwd.getpwnam if kind == "u" else grp.getgrnam, name)]
    entries = ["u::rw", "g::-", "o::-", "m::rw", *(f"{kind}:{name}:rw" for kind, name in known)]
    subprocess.run(["/usr/bin/setfacl", "--set", ",".join(entries), socket], check=True)  # noqa: S603
    return [name for kind, name in wanted if (kind, name) not in known]


def main(wait: bool) -> None:
    """Tells of unknown holders once, and again when others are unknown."""
    told: list[str] = []
    while unknown := admit():
        if unknown != told:
            print(f"no such user or group, so without access to cards: {', '.join(unknown)}", file=sys.stderr)
            told = unknown
        if not wait:
            return
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main("--wait" in sys.argv[1:])
