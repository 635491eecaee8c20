# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of a Group Policy object: two counters in 32 bits ([MS-GPOL] section 2.2.4, versionNumber).

A client compares a counter with the one that it applied last; any other number makes it read the
policy again, 0 makes it skip that half. The directory and gpt.ini hold the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

from .setting import Scope

_LARGEST = 0xFFFF  # of a counter: 16 bits, the users' half above the computer's
_SIGN = 0x80000000
_ALL = 0xFFFFFFFF


@dataclass(frozen=True)
class GpoVersion:
    """The counters of the computer's and of the users' half."""

    machine: int = 0
    user: int = 0

    @classmethod
    def of(cls, number: int) -> GpoVersion:
        """Splits the number as stored. The directory has signed numbers of 32 bits."""
        return cls(machine=number & _LARGEST, user=(number & _ALL) >> 16)

    @property
    def number(self) -> int:
        """As gpt.ini holds it, 0 to 2^32 - 1."""
        return self.user << 16 | self.machine

    @property
    def signed(self) -> int:
        """As the directory holds it: versionNumber is a signed integer of 32 bits."""
        return (self.number ^ _SIGN) - _SIGN

    def __str__(self) -> str:
        return f"computer {self.machine}, user {self.user}"

    def half(self, scope: Scope) -> int:
        return self.machine if scope is Scope.DEVICE else self.user

    def next(self, scope: Scope, in_file: GpoVersion) -> GpoVersion:
        """Returns the version after a change of one half.

        A client may have applied what the directory says or what gpt.ini says, so where the two differ
        (a run was killed between them) the new counter is neither. It never carries into the other half,
        and starts again at 1, since 0 means that there is nothing to apply.
        """
        return GpoVersion(
            machine=_next(self.machine, in_file.machine, scope is Scope.DEVICE),
            user=_next(self.user, in_file.user, scope is Scope.USER),
        )


def _next(counter: int, in_file: int, changes: bool) -> int:
    if counter == in_file and not changes:
        return counter
    after = max(counter, in_file) % _LARGEST + 1
    while after in (counter, in_file):
        after = after % _LARGEST + 1
    return after
