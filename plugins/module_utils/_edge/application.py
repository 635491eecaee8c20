# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all card applications have in common: commands come in, handlers answer, and no error gets out."""

from __future__ import annotations

import typing as t

from .._card.errors import Blocked, CardGone, WrongSecret
from .._card.secret import Reference
from .._encoding.apdu import ApduError, CommandAPDU, Exchange, ResponseAPDU, StatusWord
from .card import Card
from .fault import HOST_FAULTS, status_of

BY_ADMINISTRATOR = 0x02  # P1 of RESET RETRY COUNTER, no resetting code: ISO/IEC 7816-4, clause 11.6.10, table 102
SELECT_BY_NAME = 0x04  # P1 of SELECT, ISO/IEC 7816-4


class Application:
    """One card as a program sees it. It answers any bytes and raises nothing but :class:`CardGone`.

    The application is selected from the start: a card has no other.

    :param card: what does the work
    :param failed: told of an error that is no answer to the client, who gets 6F00, or not for the client to mend
    """

    atr: t.ClassVar[bytes]
    handlers: t.ClassVar[t.Mapping[int, t.Callable[[t.Any, CommandAPDU], bytes]]]
    """What answers a command, by its instruction byte."""

    def __init__(self, card: Card, failed: t.Optional[t.Callable[[Exception], None]] = None) -> None:
        self._card = card
        self._failed = failed
        self._exchange = Exchange(self._respond)

    def reset(self) -> None:
        """Drops open chains and the state of PIN and admin key: power on, power off, reset."""
        self._exchange.reset()
        self._card.end_administration()
        self._log_out()

    def transmit(self, raw: bytes) -> bytes:
        """Returns the response to a command, with at least a status word.

        :raises CardGone: if the card is no more
        """
        return self._exchange.transmit(raw)

    def _respond(self, command: CommandAPDU) -> ResponseAPDU:
        handler = self.handlers.get(command.ins)
        if handler is None:
            raise ApduError(StatusWord.INSTRUCTION_NOT_SUPPORTED)
        try:
            return ResponseAPDU(handler(self, command))
        except CardGone:
            raise
        except Exception as error:
            raise ApduError(self._status(error)) from None

    def _status(self, error: Exception) -> int:
        status = status_of(error)
        if self._failed and (status is None or isinstance(error, HOST_FAULTS)):
            self._failed(error)
        return StatusWord.NO_PRECISE_DIAGNOSIS if status is None else status

    def _report_tries(self) -> t.NoReturn:
        """What an empty VERIFY asks for: ISO/IEC 7816-4, clause 11.6.6."""
        left = self._card.tries(Reference.PIN).left
        raise ApduError(StatusWord.tries_left(left) if left else StatusWord.AUTHENTICATION_METHOD_BLOCKED)

    def _require(self, reference: Reference) -> None:
        if not self._card.has(reference):
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)

    def _require_administrator(self) -> None:
        if not self._card.administered:
            raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)

    def _try(self, reference: Reference, attempt: t.Callable[[], None]) -> None:
        """A refused PIN ends what an earlier one opened, a PUK does not: SP 800-73-4 part 2, clauses 3.2.1 to 3.2.3."""
        try:
            attempt()
        except (WrongSecret, Blocked):
            if reference is Reference.PIN:
                self._log_out()
            raise

    def _log_out(self) -> None:
        self._card.logout()


def expect(command: CommandAPDU, p1: int, p2: int) -> None:
    """:raises ApduError: 6A86 for other parameters"""
    if (command.p1, command.p2) != (p1, p2):
        raise ApduError(StatusWord.INCORRECT_P1_P2)


def secret_named(number: int, known: t.Mapping[int, Reference], *allowed: Reference) -> Reference:
    """Returns the secret that a P2 names.

    :raises ApduError: 6A88 for another
    """
    reference = known.get(number)
    if reference is None or reference not in allowed:
        raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
    return reference
