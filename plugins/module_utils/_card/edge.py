# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges: which application a card shows to the world, and what that means for its slots and PINs."""

from __future__ import annotations

import enum

from .._errors import InputError
from .._pin import LONGEST
from .key import CONTAINER_NAMES, CONTAINER_SLOTS, PIV_NAMES, slot_name


class Edge(str, enum.Enum):
    """The application that a card shows. It stays for the card's life."""

    PIV = "piv"
    GIDS = "gids"

    @property
    def label(self) -> str:
        return self.value.upper()

    @property
    def longest_pin(self) -> int:
        """Characters: NIST SP 800-73-4 part 2, clause 2.4.3; Tpmvscmgr's ``maxlen``."""
        return LONGEST if self is Edge.GIDS else 8

    def kept_length(self, pin: bytes) -> int:
        """Returns what the disk keeps of a PIN's length.

        A GIDS program changes a PIN by sending the old and the new one in a row, of any lengths (CHANGE REFERENCE
        DATA, ISO/IEC 7816-4). Only the card can tell where the one ends. PIV pads both to 8 bytes.
        """
        return len(pin) if self is Edge.GIDS else 0

    def check_slot(self, slot: int, field: str = "slot") -> None:
        """:raises InputError: for a slot that cards of this edge don't have"""
        if (slot in CONTAINER_SLOTS) is not (self is Edge.GIDS):
            names = CONTAINER_NAMES if self is Edge.GIDS else PIV_NAMES
            raise InputError(field, f"is {slot_name(slot)}, which no {self.label} card has", f"choose {names}")
