# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command and response APDUs, command chaining and GET RESPONSE: ISO/IEC 7816-4, clause 5."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, replace

SHORT_MAX = 0x100  # the most that a short Le can ask for, clause 5.1
EXTENDED_MAX = 0x10000  # the most that an extended Le can ask for
LONGEST_COMMAND_DATA = 0x8000  # bytes that a command, or a chain of them, may bring; a PIV object takes far less

GET_RESPONSE = 0xC0  # clause 11.7.1
_CHAINING = 0x10  # clause 5.4.1: bit 5 of CLA, not the last command of a chain
_SECURE_MESSAGING = 0x0C
_LOGICAL_CHANNEL = 0x03
_HEADER = 4


class StatusWord(enum.IntEnum):
    """SW1-SW2: ISO/IEC 7816-4, clause 5.6, tables 5 and 6."""

    OK = 0x9000
    MORE_DATA = 0x6100
    WRONG_SECRET = 0x63C0
    EXECUTION_ERROR = 0x6400
    WRONG_LENGTH = 0x6700
    LOGICAL_CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_METHOD_BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    INCORRECT_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    NOT_FOUND = 0x6A82
    NOT_ENOUGH_MEMORY = 0x6A84
    INCORRECT_P1_P2 = 0x6A86
    REFERENCED_DATA_NOT_FOUND = 0x6A88
    FILE_EXISTS = 0x6A89
    INSTRUCTION_NOT_SUPPORTED = 0x6D00
    CLASS_NOT_SUPPORTED = 0x6E00
    NO_PRECISE_DIAGNOSIS = 0x6F00

    @staticmethod
    def tries_left(left: int) -> int:
        """Returns 63CX: the secret was wrong, X tries are left (15 stands for 15 and more)."""
        return StatusWord.WRONG_SECRET | max(0, min(left, 15))


class ApduError(Exception):
    """Ends a command with a status word."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(frozen=True)
class CommandAPDU:
    """A command: clause 5.1.

    :param le: the most bytes that the answer may have, or None where the command has no Le field
    :param extended: whether lengths were, or have to be, encoded in three bytes
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: t.Optional[int] = None
    extended: bool = False

    @classmethod
    def parse(cls, raw: bytes) -> CommandAPDU:
        """Reads all four cases, short and extended.

        :raises ApduError: 6700 if the lengths do not fit
        """
        if len(raw) < _HEADER:
            raise ApduError(StatusWord.WRONG_LENGTH)
        body = raw[_HEADER:]
        extended = len(body) > 2 and not body[0]
        data, le = _extended_body(body) if extended else _short_body(body)
        return cls(raw[0], raw[1], raw[2], raw[3], data, le, extended)

    def encode(self) -> bytes:
        """Returns the bytes; the inverse of :meth:`parse`."""
        header = bytes((self.cla, self.ins, self.p1, self.p2))
        if not self.extended:
            lc = bytes((len(self.data),)) if self.data else b""
            return header + lc + self.data + (b"" if self.le is None else bytes((self.le % SHORT_MAX,)))
        lc = len(self.data).to_bytes(2, "big") if self.data else b""
        le = b"" if self.le is None else (self.le % EXTENDED_MAX).to_bytes(2, "big")
        return header + (b"\0" if lc or le else b"") + lc + self.data + le

    @property
    def chained(self) -> bool:
        """Whether more commands of the same chain follow."""
        return bool(self.cla & _CHAINING)

    @property
    def header(self) -> t.Tuple[int, int, int, int]:
        """What all commands of a chain share: clause 5.4.1."""
        return self.cla & ~_CHAINING, self.ins, self.p1, self.p2


@dataclass(frozen=True)
class ResponseAPDU:
    """A response: data, which may be longer than one response can carry, and SW1-SW2."""

    data: bytes = b""
    status: int = StatusWord.OK

    @classmethod
    def parse(cls, raw: bytes) -> ResponseAPDU:
        """:raises ApduError: 6700 if the status word is missing"""
        if len(raw) < 2:
            raise ApduError(StatusWord.WRONG_LENGTH)
        return cls(bytes(raw[:-2]), int.from_bytes(raw[-2:], "big"))

    def encode(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")


class Exchange:
    """Turns raw commands into raw responses: joins chains, splits long answers, refuses what nobody offers.

    It answers any bytes with at least a status word.

    :param respond: answers a whole command; it may raise :class:`ApduError`
    """

    def __init__(self, respond: t.Callable[[CommandAPDU], ResponseAPDU]) -> None:
        self._respond = respond
        self._chain: t.Optional[CommandAPDU] = None
        self._rest = b""

    def reset(self) -> None:
        """Forgets an open chain and what is left of an answer."""
        self._chain = None
        self._rest = b""

    def transmit(self, raw: bytes) -> bytes:
        """Returns the response to one command as it came over the wire."""
        try:
            return self._transmit(CommandAPDU.parse(raw)).encode()
        except ApduError as error:
            self.reset()
            return ResponseAPDU(status=error.status).encode()

    def _transmit(self, command: CommandAPDU) -> ResponseAPDU:
        _check_class(command.cla)
        if command.ins == GET_RESPONSE and not command.chained:
            return self._continue(command)
        self._rest = b""
        command = self._join(command)
        if command.chained:
            self._chain = command
            return ResponseAPDU()
        self._chain = None
        return self._first(command, self._respond(command))

    def _join(self, command: CommandAPDU) -> CommandAPDU:
        """Returns the command with the data of its chain in front. Another command ends an open chain.

        :raises ApduError: 6A84 for more than LONGEST_COMMAND_DATA
        """
        if self._chain is not None and self._chain.header == command.header:
            command = replace(command, data=self._chain.data + command.data)
        if len(command.data) > LONGEST_COMMAND_DATA:
            raise ApduError(StatusWord.NOT_ENOUGH_MEMORY)
        return command

    def _continue(self, command: CommandAPDU) -> ResponseAPDU:
        if command.p1 or command.p2:
            raise ApduError(StatusWord.INCORRECT_P1_P2)
        if not self._rest:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return self._first(command, ResponseAPDU(self._rest))

    def _first(self, command: CommandAPDU, response: ResponseAPDU) -> ResponseAPDU:
        """Returns as much as the command asked for and keeps the rest: clause 5.3.4, SW1 61."""
        most = _most(command)
        if len(response.data) <= most or response.status != StatusWord.OK:
            self._rest = b""
            return response
        self._rest = response.data[most:]
        left = len(self._rest)
        return ResponseAPDU(response.data[:most], StatusWord.MORE_DATA | (left if left < SHORT_MAX else 0))


def _most(command: CommandAPDU) -> int:
    """Bytes that the answer may have. Without Le, as T=1 clients send it, as many as the form can carry."""
    if command.extended:
        return min(command.le or EXTENDED_MAX, EXTENDED_MAX - 3)  # the reader frames data and SW in 65535 bytes
    return command.le or SHORT_MAX


def _check_class(cla: int) -> None:
    """Clause 5.4.1: only the interindustry class without secure messaging, on the basic channel."""
    if cla & 0xE0:
        raise ApduError(StatusWord.CLASS_NOT_SUPPORTED)
    if cla & _SECURE_MESSAGING:
        raise ApduError(StatusWord.SECURE_MESSAGING_NOT_SUPPORTED)
    if cla & _LOGICAL_CHANNEL:
        raise ApduError(StatusWord.LOGICAL_CHANNEL_NOT_SUPPORTED)


def _short_body(body: bytes) -> t.Tuple[bytes, t.Optional[int]]:
    if not body:
        return b"", None
    lc = body[0]
    if len(body) == 1:
        return b"", lc or SHORT_MAX
    data, le = bytes(body[1 : 1 + lc]), body[1 + lc :]
    if len(data) != lc or len(le) > 1 or not lc:
        raise ApduError(StatusWord.WRONG_LENGTH)
    return data, (le[0] or SHORT_MAX) if le else None


def _extended_body(body: bytes) -> t.Tuple[bytes, t.Optional[int]]:
    """Clause 5.1: 00 and two bytes of Lc, then data, then perhaps two bytes of Le; or 00 and Le alone."""
    lc = int.from_bytes(body[1:3], "big")
    if len(body) == 3:
        return b"", lc or EXTENDED_MAX
    data, le = bytes(body[3 : 3 + lc]), body[3 + lc :]
    if len(data) != lc or len(le) not in (0, 2) or (not lc and le != b""):
        raise ApduError(StatusWord.WRONG_LENGTH)
    return data, (int.from_bytes(le, "big") or EXTENDED_MAX) if le else None
