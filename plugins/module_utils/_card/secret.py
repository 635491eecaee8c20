# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a card and their tries."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from .._errors import InputError

DEFAULT, RANDOM, ESCROW = "default", "random", "escrow"
"""Words that tasks say in the place of a secret."""
PUK_LENGTH = 8
"""Printable ASCII characters."""
WELL_KNOWN_PIN = "12345678"
"""What Tpmvscmgr means by ``/PIN DEFAULT``."""


class Reference(enum.Enum):
    """Which secret: key references of NIST SP 800-73-4 part 1, table 4b (80 PIN, 81 PUK, 9B admin key)."""

    PIN = "pin"
    PUK = "puk"
    ADMIN = "admin"

    @property
    def title(self) -> str:
        return "admin key" if self is Reference.ADMIN else self.value.upper()

    @property
    def way_out(self) -> str:
        return {
            Reference.PIN: "unblock it with the PUK or the admin key, or make a new card",
            Reference.PUK: "make a new card, once the PIN is lost too",
            Reference.ADMIN: "make a new card",
        }[self]


@dataclass(frozen=True)
class Tries:
    """Tries that are left, of those that were given."""

    left: int
    limit: int


def expects(secret: str, given: bool, has: t.Optional[bool]) -> bool:
    """Whether a card shall have a secret, which a task may keep to itself once the card is made.

    :param secret: name of the parameter; that for ``has`` is ``has_<secret>``
    :param given: whether the task gives it
    :param has: what the task says about it; None if nothing
    :raises InputError: if it gives what it says the card shall not have
    """
    if given and has is False:
        raise InputError(f"has_{secret}", f"is false, but {secret} is given", f"leave out {secret}, or has_{secret}")
    return given if has is None else has


def word(value: t.Optional[str]) -> t.Optional[str]:
    """Returns a secret as a task says it; words in small letters, however they are written.

    Windows writes DEFAULT and RANDOM, and documents them so.
    """
    return value.lower() if value is not None and is_word(value) else value


def is_word(value: t.Any) -> bool:
    """Whether this stands for a secret, and is none."""
    return isinstance(value, str) and value.lower() in (DEFAULT, RANDOM, ESCROW)
