# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a card and their tries."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
