# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges: which application a card shows to the world, and what that means for its slots, keys and PINs.

Whoever needs to know how edges differ asks the edge; its row below says it. Another edge is another row here, and
another interpreter in the room ``_edge``.
"""

from __future__ import annotations

import enum
import typing as t

from .._encoding.key_algorithm import KeyAlgorithm
from .._errors import InputError
from .._pin import LONGEST
from .key import CONTAINER_NAMES, CONTAINER_SLOTS, PIV_NAMES, PIV_SLOTS, slot_name


class Edge(str, enum.Enum):
    """The application that a card shows. It stays for the card's life."""

    PIV = "piv"
    GIDS = "gids"

    @classmethod
    def of(cls, slot: int) -> Edge:
        """Returns the edge whose cards have the slot: no two edges share one."""
        return next(edge for edge in cls if slot in edge.slots)

    @property
    def label(self) -> str:
        return self.value.upper()

    @property
    def slots(self) -> t.Container[int]:
        return _ROWS[self].slots

    @property
    def longest_pin(self) -> int:
        """Characters."""
        return _ROWS[self].longest_pin

    @property
    def has_file_system(self) -> bool:
        """Whether a card of it can be told that its file system was written."""
        return _ROWS[self].has_file_system

    @property
    def user_writes(self) -> bool:
        """Whether whoever has the PIN makes keys and writes certificates; else only the administrator does."""
        return _ROWS[self].user_writes

    @property
    def shows_attestations(self) -> bool:
        """Whether programs can ask a card of it for a certificate that says how a key was made."""
        return _ROWS[self].shows_attestations

    @property
    def default_algorithm(self) -> KeyAlgorithm:
        """One that every program knows which asks a card of this edge."""
        return _ROWS[self].default_algorithm

    @property
    def algorithms(self) -> t.Tuple[KeyAlgorithm, ...]:
        """Those that programs have a number for."""
        number = _ROWS[self].number
        return tuple(each for each in KeyAlgorithm if number(each) is not None)

    def kept_length(self, pin: bytes) -> int:
        """Returns what the disk keeps of a PIN's length."""
        return len(pin) if _ROWS[self].keeps_pin_length else 0

    def check_slot(self, slot: int, field: str = "slot") -> None:
        """:raises InputError: for a slot that cards of this edge don't have"""
        if slot not in self.slots:
            fault = f"is {slot_name(slot)}, which no {self.label} card has"
            raise InputError(field, fault, f"choose {_ROWS[self].slot_names}")

    def check_algorithm(self, algorithm: KeyAlgorithm, field: str = "algorithm") -> None:
        """:raises InputError: for a key that no program could ask a card of this edge for"""
        known = self.algorithms
        if algorithm not in known:
            fault = f"is {algorithm.value!r}, and {_ROWS[self].limit}"
            raise InputError(field, fault, f"choose one of {', '.join(each.value for each in known)}")


class _Row(t.NamedTuple):
    """How an edge differs from others.

    :param slot_names: its slots, for a person
    :param keeps_pin_length: whether a program sends an old and a new PIN in a row, of any lengths, so that only the
        card can tell where the one ends
    :param number: what its programs call an algorithm, None if they can't
    :param limit: why other algorithms are refused, for a person
    """

    slots: t.Container[int]
    slot_names: str
    longest_pin: int
    keeps_pin_length: bool
    has_file_system: bool
    user_writes: bool
    shows_attestations: bool
    default_algorithm: KeyAlgorithm
    number: t.Callable[[KeyAlgorithm], t.Optional[int]]
    limit: str


_ROWS: t.Mapping[Edge, _Row] = {
    Edge.PIV: _Row(
        slots=PIV_SLOTS,
        slot_names=PIV_NAMES,
        longest_pin=8,  # NIST SP 800-73-4 part 2, clause 2.4.3
        keeps_pin_length=False,  # both are padded to 8 bytes: clause 3.2.2
        has_file_system=False,
        user_writes=False,
        shows_attestations=True,  # ATTEST of Yubico's PIV extensions
        default_algorithm=KeyAlgorithm.ECC_P256,
        number=lambda algorithm: algorithm.piv,
        limit="PIV has no number for it",
    ),
    Edge.GIDS: _Row(
        slots=CONTAINER_SLOTS,
        slot_names=CONTAINER_NAMES,
        longest_pin=LONGEST,  # Tpmvscmgr's maxlen
        keeps_pin_length=True,  # CHANGE REFERENCE DATA, ISO/IEC 7816-4
        has_file_system=True,
        user_writes=True,
        shows_attestations=False,
        default_algorithm=KeyAlgorithm.RSA_2048,
        number=lambda algorithm: algorithm.gids,
        limit="on a GIDS card programs know RSA only",
    ),
}


def parse_algorithm(name: t.Optional[str], slot: int, field: str = "algorithm") -> KeyAlgorithm:
    """Returns the algorithm of this name, or if none is given, the one that suits the slot.

    :raises InputError: if there is none of this name
    """
    if name is None:
        return Edge.of(slot).default_algorithm
    try:
        return KeyAlgorithm(name)
    except ValueError:
        remedy = f"choose one of {', '.join(each.value for each in KeyAlgorithm)}"
        raise InputError(field, f"is {name!r}, which is no known algorithm", remedy) from None
