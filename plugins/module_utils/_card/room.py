# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The room that a card has for certificates, data objects and passkeys.

Whoever holds a GIDS card's PIN, or a PIV card's admin key, writes to the host's disk. A card of silicon stops him where
its memory ends, and so does this one.
"""

from __future__ import annotations

import typing as t

from .errors import CardFull

ROOM = 128 * 1024
"""Bytes: certificates of 4 KiB in all 30 containers of a GIDS card, and some. It is more than cards of silicon have."""
HEADER = 16
"""Bytes that each takes beside what it holds, so that empty ones are not without number."""


def taken(*kinds: t.Mapping[int, bytes], sizes: t.Iterable[int] = ()) -> int:
    """Returns the bytes that they take.

    :param sizes: of things of other kinds
    """
    return sum(HEADER + size for size in (*(len(value) for kind in kinds for value in kind.values()), *sizes))


def left(before: int) -> int:
    """Returns the bytes that are free where so many are taken."""
    return max(ROOM - before, 0)


def check_room(before: int, after: int) -> None:
    """:raises CardFull: for a change that needs more than there is; one that only gives some back is fine"""
    if after > max(before, ROOM):
        what = "certificates, data objects and passkeys"
        raise CardFull(f"The card has {ROOM // 1024} KiB for {what}: remove some of them first.")
