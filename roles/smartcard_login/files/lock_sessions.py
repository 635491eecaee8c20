# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks sessions when something goes: a phone that the Hello policy wants near, or somebody's card.

With the phone all sessions are locked, as Bluetooth does not know whose it is, and with a card those of its owner. What
was never there can't go, and what comes back in time did not: a card service that restarts, a phone in a pocket.

A card is there while the store has it, and the card service takes connections.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
import typing as t

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import signals

Owned = t.Tuple[str, int]
"""A user and the number of a card of theirs."""
PHONE: Owned = ("", 0)
"""It is everybody's."""
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
_CONNECTED = 2.0
"""Seconds for the card service to take a connection."""


class Watch:
    """Remembers when things were seen last.

    :param grace: seconds that something may be away
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._seen: t.Dict[Owned, float] = {}

    def new(self, there: t.Iterable[Owned]) -> t.List[Owned]:
        return [each for each in there if each not in self._seen]

    def gone(self, there: t.Iterable[Owned], now: float) -> t.List[Owned]:
        """Returns what was there and is away for too long, each time until it is forgotten."""
        self._seen.update(dict.fromkeys(there, now))
        return [each for each, seen in self._seen.items() if now - seen >= self._grace]

    def forget(self, thing: Owned) -> None:
        self._seen.pop(thing, None)


class CardsThere:
    """The cards of users.

    :param library: folder of the card service's program
    :param store: folder of the cards
    :param service: socket where owners ask
    """

    def __init__(self, library: str, store: str, service: str) -> None:
        sys.path.insert(0, library)
        from hardbound_identity._card.store import Store

        self._store = Store(store)
        self._service = service
        self._faults: t.Set[str] = set()

    def look(self) -> t.Set[Owned]:
        """Returns them with their owners. A card that can't be read is away."""
        numbers = (self._told(self._store.numbers) or []) if self._served() else []
        records = [self._told(self._store.read, number) for number in numbers]
        return {(record.owner, record.number) for record in records if record and record.owner}

    def _told(self, read: t.Callable[..., t.Any], *of: int) -> t.Any:
        """Returns what is read; nothing, and tells why once, if it can't be."""
        try:
            return read(*of)
        except Exception as error:
            if str(error) not in self._faults:
                tell(str(error))
            self._faults.add(str(error))
            return None

    def _served(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_CONNECTED)
            try:
                probe.connect(self._service)
            except OSError:
                return False
        return True


def tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def phone_there(policy: str) -> t.Optional[bool]:
    """Whether a device that the policy wants near is; None where the policy wants none."""
    try:
        rules = signals.rules_of(policy, "lock_without")
    except (OSError, ValueError, AttributeError):
        return None
    return signals.first_held(rules, signals.Computer()) is not None if rules else None


def lock(thing: Owned) -> bool:
    """Has logind lock the sessions that it is of; one without a screen can't be. Returns whether logind answers."""
    owner = thing[0]
    try:
        sessions = signals.output("busctl", "--json=short", "call", *_LOGIND, "ListSessions")["data"][0]
        for session in (identity for identity, _uid, user, _seat, _path in sessions if owner in ("", user)):
            command = ["busctl", "--timeout=5", "call", *_LOGIND, "LockSession", "s", session]
            subprocess.run(command, check=False, timeout=10)  # noqa: S603 - our own words
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        tell(f"sessions can't be locked: {error}")
        return False
    tell(f"locked the sessions of {owner or 'everybody'}")
    return True


def look(policy: str, cards: t.Optional[CardsThere], watch: Watch) -> None:
    """Looks once, and locks what is to be locked."""
    there = cards.look() if cards else set()
    phone = phone_there(policy)
    if phone is None:
        watch.forget(PHONE)
    elif phone:
        there.add(PHONE)
    for owner, number in watch.new(there):
        tell(f"watches card {number:04d} of {owner}" if owner else "watches the phone")
    for thing in watch.gone(there, time.monotonic()):
        if lock(thing):
            watch.forget(thing)


def main(argv: t.Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Locks sessions when a phone or a card goes.")
    parser.add_argument("--policy", required=True, help="file of the host's Hello policy")
    parser.add_argument("--cards", nargs=3, metavar=("LIBRARY", "STORE", "SERVICE"), help="watch cards, too")
    parser.add_argument("--every", type=float, default=10, help="seconds between two looks")
    parser.add_argument("--grace", type=float, default=20, help="seconds that something may be away")
    options = parser.parse_args(argv)
    cards, watch = CardsThere(*options.cards) if options.cards else None, Watch(options.grace)
    while True:
        look(options.policy, cards, watch)
        time.sleep(options.every)


if __name__ == "__main__":
    main(sys.argv[1:])
