# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the command ends, for scripts."""

from __future__ import annotations

import enum

from .._encoding.owner_call import OwnerFault
from .._errors import HardboundError


class ExitCode(enum.IntEnum):
    """What the command's man page says of each."""

    FINE = 0
    USAGE = 2
    SERVICE = 3
    NO_CARD = 4
    WRONG = 5
    BLOCKED = 6
    RULE = 7
    DUE = 8
    CERTIFICATE = 9
    TPM = 10
    READER = 11
    PCSCD = 12
    CARD = 13
    SOON = 20

    @property
    def layer(self) -> str:
        """Where the fault is."""
        if self in _OF_CARD:
            return "card"
        return "TPM" if self is ExitCode.TPM else self.name.lower()


_OF_CARD = frozenset((ExitCode.WRONG, ExitCode.BLOCKED, ExitCode.RULE, ExitCode.DUE, ExitCode.NO_CARD))
_CODES = {
    OwnerFault.QUESTION: ExitCode.SERVICE,
    OwnerFault.SERVICE: ExitCode.SERVICE,
    OwnerFault.NO_CARD: ExitCode.NO_CARD,
    OwnerFault.WRONG: ExitCode.WRONG,
    OwnerFault.BLOCKED: ExitCode.BLOCKED,
    OwnerFault.RULE: ExitCode.RULE,
    OwnerFault.DUE: ExitCode.DUE,
    OwnerFault.CARD: ExitCode.CARD,
    OwnerFault.TPM: ExitCode.TPM,
}


class CommandError(HardboundError):
    """The command can't go on.

    :param message: for a person
    """

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, fault: str, message: str) -> CommandError:
        """Returns what a fault is that the card service tells, one of a later release included."""
        known = {each.value: code for each, code in _CODES.items()}
        return cls(known.get(fault, ExitCode.SERVICE), message)
