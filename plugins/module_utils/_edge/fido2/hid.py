# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CTAPHID: messages in packets of 64 bytes, of several programs at one device. CTAP 2.1, clause 11.2."""

from __future__ import annotations

import contextlib
import enum
import logging
import struct
import threading
import time
import typing as t

from ..._card.authenticator_model import LARGEST_REQUEST
from .pin_token import Clock
from .presence import Ask, AskedForPresence, PresenceNeeded, PresenceQuestion, ask_nobody
from .reference import CtapStatus

_log = logging.getLogger("hardbound")

PACKET = 64
_BROADCAST = 0xFFFFFFFF
_MOST_CHANNELS = 0xFFFFFFFE
_FIRST = 0x80
"""The bit of a packet's fifth byte that tells the first packet of a message."""
_FIRST_HEADER = struct.Struct(">IBH")
_NEXT_HEADER = struct.Struct(">IB")
_NONCE = 8
_VERSION = 2
_DEVICE_VERSION = (1, 0, 0)
_CBOR_ALONE = 0x04 | 0x08
"""CAPABILITY_CBOR and CAPABILITY_NMSG: there is no U2F."""
PATIENCE = 0.5
"""Seconds between two packets of a message: clause 11.2.5.2."""
_ALIVE = 0.1
"""Seconds between two keepalives: clause 11.2.9.2.4."""
_PROCESSING, _SOMEBODY_NEEDED = b"\x01", b"\x02"
_BURST, _PAUSE = 16, 0.004
"""Packets, and the seconds that follow so many. The kernel keeps 63 for a program and drops what comes on top of them:
Linux, drivers/hid/hidraw.c, HIDRAW_BUFFER_SIZE. A device on USB sends one a millisecond at most."""
PATIENCE_WITH_PEOPLE = 30.0
"""Seconds in which somebody has to say to be there: clause 6.1.2 lets a client expect ten at the least."""

Send = t.Callable[[bytes], None]
Pause = t.Callable[[float], None]


class HidCommand(enum.IntEnum):
    """Clause 11.2.9."""

    PING = 0x01
    INIT = 0x06
    CBOR = 0x10
    CANCEL = 0x11
    KEEPALIVE = 0x3B
    ERROR = 0x3F


class HidError(enum.IntEnum):
    """Clause 11.2.9.1.6."""

    INVALID_COMMAND = 0x01
    INVALID_LENGTH = 0x03
    INVALID_SEQUENCE = 0x04
    MESSAGE_TIMEOUT = 0x05
    CHANNEL_BUSY = 0x06
    INVALID_CHANNEL = 0x0B


class Transaction:
    """A message that comes in, packet by packet."""

    def __init__(self, channel: int, command: int, size: int, due: float) -> None:
        self.channel = channel
        self.command = command
        self.due = due
        self._size = size
        self._sequence = 0
        self._data = bytearray()

    def add(self, piece: bytes, sequence: t.Optional[int] = None) -> bool:
        """Returns whether the piece was the next one. What follows the message in its last packet is nothing."""
        if sequence is not None:
            if sequence != self._sequence:
                return False
            self._sequence += 1
        self._data += piece[: self._size - len(self._data)]
        return True

    @property
    def message(self) -> t.Optional[bytes]:
        """The message, once it is whole."""
        return bytes(self._data) if len(self._data) == self._size else None


class WaitingMessage:
    """A message that is answered once somebody has said to be there.

    :param due: when nobody waits for that any more
    """

    def __init__(self, channel: int, message: bytes, asked: AskedForPresence, now: float) -> None:
        self.channel = channel
        self.message = message
        self.asked = asked
        self.due = now + PATIENCE_WITH_PEOPLE
        self.alive_at = now


class CtapExchange(t.Protocol):
    """What answers a message, as :class:`.authenticator.Authenticator` does."""

    def transmit(self, request: bytes, channel: int, present: bool) -> bytes: ...


class HidDevice:
    """One device, whichever way its packets come.

    :param send: sends a packet; another thread calls it too, while a message is being answered
    :param now: seconds of a clock that nobody sets
    :param ask: asks whether somebody is there, where the card wants that
    :param pause: lets so many seconds pass
    """

    def __init__(
        self,
        authenticator: CtapExchange,
        send: Send,
        now: Clock = time.monotonic,
        ask: Ask = ask_nobody,
        pause: Pause = time.sleep,
    ) -> None:
        self._authenticator = authenticator
        self._send = send
        self._now = now
        self._channels = 0
        self._ask = ask
        self._pause = pause
        self._transaction: t.Optional[Transaction] = None
        self._waiting: t.Optional[WaitingMessage] = None

    @property
    def due(self) -> t.Optional[float]:
        """When something has to be done that no packet asks for."""
        due = [self._transaction.due] if self._transaction else []
        due += [self._waiting.alive_at] if self._waiting else []
        return min(due) if due else None

    def tidy(self) -> bool:
        """Gives up a message whose packets don't come, and looks whether somebody has said to be there.

        To be called when it is due, and before each packet. Returns whether a message was answered.
        """
        transaction = self._transaction
        if transaction is not None and self._now() >= transaction.due:
            self._transaction = None
            self._fail(transaction.channel, HidError.MESSAGE_TIMEOUT)
        if self._waiting is not None:
            return self._look_after(self._waiting)
        return False

    def receive(self, packet: bytes) -> bool:
        """Takes a packet. Returns whether a message was answered: the one that it ends, or one that was waiting."""
        answered = self.tidy()
        packet = packet[:PACKET].ljust(PACKET, b"\0")
        channel, kind = _NEXT_HEADER.unpack_from(packet)
        if not kind & _FIRST:
            return self._go_on(channel, kind, packet[_NEXT_HEADER.size :]) or answered
        return self._begin(channel, kind & ~_FIRST, packet) or answered

    def _begin(self, channel: int, command: int, packet: bytes) -> bool:
        size = _FIRST_HEADER.unpack_from(packet)[2]
        error = self._objection(channel, command, size)
        if error is not None:
            self._fail(channel, error)
            return False
        if command == HidCommand.CANCEL:
            self._cancel(channel)
            return False
        if self._is_of(channel):
            self._transaction = None  # A new message ends one that was begun on its channel.
        transaction = Transaction(channel, command, size, self._now() + PATIENCE)
        transaction.add(packet[_FIRST_HEADER.size :])
        return self._look_at(transaction)

    def _is_of(self, channel: int) -> bool:
        return self._transaction is not None and self._transaction.channel == channel

    def _objection(self, channel: int, command: int, size: int) -> t.Optional[HidError]:
        is_given = 0 < channel <= self._channels
        if not is_given and (channel != _BROADCAST or command != HidCommand.INIT):
            return HidError.INVALID_CHANNEL
        if self._transaction is not None and not self._is_of(channel) and command != HidCommand.INIT:
            return HidError.CHANNEL_BUSY
        if self._is_of(channel) and command not in (HidCommand.INIT, HidCommand.CANCEL):
            self._transaction = None
            return HidError.INVALID_SEQUENCE
        if self._waiting is not None and command not in (HidCommand.INIT, HidCommand.CANCEL):
            return HidError.CHANNEL_BUSY
        if size > LARGEST_REQUEST or (command == HidCommand.INIT and size != _NONCE):
            return HidError.INVALID_LENGTH
        return None

    def _go_on(self, channel: int, sequence: int, piece: bytes) -> bool:
        """A packet that belongs to nothing is no message, and gets no answer: clause 11.2.5.4."""
        transaction = self._transaction
        if transaction is None or transaction.channel != channel:
            return False
        if not transaction.add(piece, sequence):
            self._transaction = None
            self._fail(channel, HidError.INVALID_SEQUENCE)
            return False
        transaction.due = self._now() + PATIENCE
        return self._look_at(transaction)

    def _look_at(self, transaction: Transaction) -> bool:
        message = transaction.message
        if message is None:
            self._transaction = transaction
            return False
        if transaction.command != HidCommand.INIT or self._is_of(transaction.channel):
            self._transaction = None
        self._answer(transaction.channel, transaction.command, message)
        return True

    def _answer(self, channel: int, command: int, message: bytes) -> None:
        if command == HidCommand.INIT:
            self._answer_init(channel, message)
        elif command == HidCommand.PING:
            self._say(channel, command, message)
        elif command == HidCommand.CBOR and message:
            self._interpret(channel, message)
        else:
            self._fail(channel, HidError.INVALID_LENGTH if command == HidCommand.CBOR else HidError.INVALID_COMMAND)

    def _interpret(self, channel: int, message: bytes, present: bool = False) -> None:
        try:
            with self._staying_alive(channel):
                answer = self._authenticator.transmit(message, channel, present)
        except PresenceNeeded as needed:
            self._wait_for_somebody(channel, message, needed.question)
        else:
            self._say(channel, HidCommand.CBOR, answer)

    # Somebody is asked.

    def _wait_for_somebody(self, channel: int, message: bytes, question: PresenceQuestion) -> None:
        asked = self._ask(question)
        if asked is None:
            _log.info("%s: nobody is at the seat who could be asked", question.card)
            self._refuse(channel, CtapStatus.OPERATION_DENIED)
            return
        self._waiting = WaitingMessage(channel, message, asked, self._now())
        self._look_after(self._waiting)

    def _look_after(self, waiting: WaitingMessage) -> bool:
        """The client is told ten times a second that somebody is needed: clause 11.2.9.2.4.

        Returns whether that is over.
        """
        if waiting.asked.answer is not None:
            self._waiting = None
            if waiting.asked.answer:
                self._interpret(waiting.channel, waiting.message, present=True)
            else:
                self._refuse(waiting.channel, CtapStatus.OPERATION_DENIED)
        elif self._now() >= waiting.due:
            self._forget(waiting.channel)
            self._refuse(waiting.channel, CtapStatus.USER_ACTION_TIMEOUT)
        elif self._now() >= waiting.alive_at:
            waiting.alive_at = self._now() + _ALIVE
            self._say(waiting.channel, HidCommand.KEEPALIVE, _SOMEBODY_NEEDED)
        return self._waiting is None

    def _cancel(self, channel: int) -> None:
        """Clause 11.2.9.1.5: the message is answered, and the cancellation is not."""
        if self._forget(channel):
            self._refuse(channel, CtapStatus.KEEPALIVE_CANCEL)

    def _forget(self, channel: int) -> bool:
        """Ends what waits on a channel for somebody. Returns whether something did."""
        waiting = self._waiting
        if waiting is None or waiting.channel != channel:
            return False
        self._waiting = None
        waiting.asked.withdraw()
        return True

    def close(self) -> None:
        """Nobody is to be asked any more."""
        if self._waiting is not None:
            self._forget(self._waiting.channel)

    def _refuse(self, channel: int, status: CtapStatus) -> None:
        self._say(channel, HidCommand.CBOR, bytes((status,)))

    def _answer_init(self, channel: int, nonce: bytes) -> None:
        """Clause 11.2.9.1.3: a program gets a channel of its own, or begins anew on the one that it has."""
        given = channel
        self._forget(channel)
        if channel == _BROADCAST:
            self._channels = given = self._channels % _MOST_CHANNELS + 1
        said = struct.pack(">IBBBBB", given, _VERSION, *_DEVICE_VERSION, _CBOR_ALONE)
        self._say(channel, HidCommand.INIT, nonce + said)

    def _fail(self, channel: int, error: HidError) -> None:
        self._say(channel, HidCommand.ERROR, bytes((error,)))

    def _say(self, channel: int, command: int, message: bytes) -> None:
        for number, packet in enumerate(packets(channel, command, message)):
            if number and not number % _BURST:
                self._pause(_PAUSE)
            self._send(packet)

    @contextlib.contextmanager
    def _staying_alive(self, channel: int) -> t.Iterator[None]:
        """Tells the client that waits that its message is being worked at: a TPM may take seconds for a key."""
        (alive,) = packets(channel, HidCommand.KEEPALIVE, _PROCESSING)
        done = threading.Event()

        def tell() -> None:
            while not done.wait(_ALIVE):
                self._send(alive)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            done.set()
            teller.join()


def packets(channel: int, command: int, message: bytes) -> t.Iterator[bytes]:
    """Yields a message in packets: clause 11.2.4."""
    room = PACKET - _FIRST_HEADER.size
    yield (_FIRST_HEADER.pack(channel, command | _FIRST, len(message)) + message[:room]).ljust(PACKET, b"\0")
    step = PACKET - _NEXT_HEADER.size
    for sequence, start in enumerate(range(room, len(message), step)):
        yield (_NEXT_HEADER.pack(channel, sequence) + message[start : start + step]).ljust(PACKET, b"\0")
