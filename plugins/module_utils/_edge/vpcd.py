# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader: a card's connection to its slot of vpcd, the virtual reader of pcscd.

Every message is framed by its length in two bytes, big-endian. A message of one byte is for the reader's
contacts, any other is a command APDU (vsmartcard 3.3, ``vpcd.h``).

A program may send an APDU of one byte. The driver passes it on like any other and waits for the answer, and as long
as it waits, pcscd serves no program of the host. Where the byte is none of the driver's own, the card answers. Where it
is, the two look the same; but after a word of its own the driver goes on by itself, at once or when it next looks
whether the card is there. A driver that falls silent waits for an answer.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import time
import typing as t

_LENGTH = 2
_CHUNK = 0x10002  # the longest message
_TOO_SHORT = b"\x67\x00"  # wrong length: ISO/IEC 7816-4, clause 5.6

PATIENCE = 0.6
"""Seconds after a word of its own in which the driver says something more. pcscd looks after a card each 0.4 s
(``PCSCLITE_STATUS_POLL_RATE``)."""

MOST_READERS = 16
"""What pcscd takes, each on the port after the last: PCSCLITE_MAX_READERS_CONTEXTS."""


class Control(enum.IntEnum):
    """Messages of one byte. Only the last wants an answer."""

    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


class CardApplication(t.Protocol):
    """What stands in the slot: a card application."""

    @property
    def atr(self) -> bytes: ...

    def reset(self) -> None: ...

    def transmit(self, raw: bytes) -> bytes: ...


class Waiting(Exception):
    """The driver waits for an answer to what can't be told from a word of its own."""


class ReaderGone(Exception):
    """The reader is not there, or no longer: pcscd is not running, or was restarted."""


def _client(port: int) -> socket.socket:
    """Returns a socket whose own port is far from the readers'.

    They lie among those that Linux gives to clients. Where nobody listens, a client that got the very port that it
    asks for would meet itself (simultaneous open, RFC 9293 section 3.5), and pcscd could not have the port any more.
    """
    while True:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        client.bind(("", 0))
        if abs(client.getsockname()[1] - port) > MOST_READERS:
            return client
        client.close()


class SlotConnection:
    """A card in a slot. Never waits: the caller's selector says when to read and write.

    :param address: host and port of the slot
    """

    def __init__(self, address: t.Tuple[str, int]) -> None:
        self.socket = _client(address[1])
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen = False
        """Whether the reader has asked for the ATR: the card is in the slot."""
        self.commands = 0
        """Command APDUs that were answered."""
        self.silent_at: t.Optional[float] = None
        """When a driver that has said nothing more waits for an answer; None while it need not say anything."""
        self._received = bytearray()
        self._unsent = b""
        self._connected = False
        self._start(address)

    def _start(self, address: t.Tuple[str, int]) -> None:
        error = self.socket.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            self.close()
            raise ReaderGone(os.strerror(error))

    @property
    def wants_to_write(self) -> bool:
        """Whether there is something to send, or the connection is not made yet."""
        return not self._connected or bool(self._unsent)

    def close(self) -> None:
        """Takes the card out of the slot."""
        self.socket.close()

    def on_writable(self) -> None:
        """Goes on with connecting or sending.

        :raises ReaderGone: if there is no reader
        """
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise ReaderGone(os.strerror(error))
        self._connected = True
        self._flush()

    def on_readable(self, card: CardApplication) -> None:
        """Lets the card answer all messages that have come in whole.

        :raises ReaderGone: if the reader has gone
        """
        self._take(card)
        if self._received:
            self._acknowledge()
            self._take(card)

    def _take(self, card: CardApplication) -> None:
        self._received += self._receive()
        while len(self._received) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._received[:_LENGTH], "big")
            if len(self._received) < end:
                break
            message = bytes(self._received[_LENGTH:end])
            del self._received[:end]
            self._answer(card, message)

    def _acknowledge(self) -> None:
        """Acknowledges what came in now, upon which the rest is mostly there at once.

        vpcd sends the length by itself and waits with the rest (Nagle) for the acknowledgement, which the
        kernel would hold back for 40 ms.
        """
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _answer(self, card: CardApplication, message: bytes) -> None:
        self.silent_at = None
        if len(message) > 1:
            self._send(card.transmit(message))
            self.commands += 1
        elif message == bytes((Control.ATR,)):
            self._send(card.atr)
            self.seen = True
        elif message and message[0] in (Control.OFF, Control.ON, Control.RESET):
            card.reset()
            self.silent_at = time.monotonic() + PATIENCE
        else:
            self._send(_TOO_SHORT)

    def check(self, now: float) -> None:
        """:raises Waiting: if the driver waits for an answer that it can't be given"""
        if self.silent_at is not None and now >= self.silent_at and not self._has_spoken():
            raise Waiting

    def _has_spoken(self) -> bool:
        """Whether there is something to read. A slow TPM may have kept us from it for longer than drivers are given."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass  # on_readable() tells.
        return True

    def _receive(self) -> bytes:
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise ReaderGone(str(error)) from None
        if not data:
            raise ReaderGone("closed by the reader")
        return data

    def _send(self, message: bytes) -> None:
        self._unsent += len(message).to_bytes(_LENGTH, "big") + message
        self._flush()

    def _flush(self) -> None:
        if not self._unsent:
            return
        try:
            sent = self.socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            raise ReaderGone(str(error)) from None
        self._unsent = self._unsent[sent:]
