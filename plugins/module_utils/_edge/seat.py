# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card in its reader: the interpreter of its edge behind a connection to pcscd."""

from __future__ import annotations

import logging
import selectors
import typing as t
from pathlib import Path

from .._card.edge import Edge
from .._card.errors import CardGone
from . import gids, piv
from .application import Application
from .card import Card
from .fault import describe
from .vpcd import SlotConnection

_log = logging.getLogger("hardbound")

_APPLICATIONS: t.Mapping[Edge, t.Type[Application]] = {Edge.PIV: piv.Application, Edge.GIDS: gids.Application}

_BAN = 1.0  # seconds without reader for a card of which a program has made the reader wait; then twice as long
_LONGEST_BAN = 64.0
_FORGIVEN_AFTER = 120.0  # seconds


class Seat:
    """One card of the store and its place in a reader.

    :param present: the file that stands while the card is in its reader
    """

    def __init__(self, number: int, stamp: object, card: Card, address: t.Tuple[str, int], present: Path) -> None:
        self.number = number
        self.stamp = stamp
        self.card = card
        self.connection: t.Optional[SlotConnection] = None
        self.connects_at = 0.0
        self._ban = _BAN
        self._application = _APPLICATIONS[card.edge](card, self._failed)
        self._address = address
        self._present = present

    def connect(self) -> None:
        """:raises ReaderGone: if the reader is not there"""
        self.connection = SlotConnection(self._address)

    def serve(self, events: int) -> int:
        """Does what the reader waits for. Returns how many commands were answered.

        :raises ReaderGone: if the reader has gone
        :raises CardGone: if the card has
        """
        connection = self.connection
        if connection is None:
            return 0
        seen, commands = connection.seen, connection.commands
        if events & selectors.EVENT_WRITE:
            connection.on_writable()
        if events & selectors.EVENT_READ:
            connection.on_readable(self)
        if connection.seen and not seen:
            self._present.touch()
            _log.info("card %04d is in its reader", self.number)
        return connection.commands - commands

    def ban(self, now: float) -> None:
        """Keeps the card out of its reader for a while, and the longer, the sooner it happens again."""
        if now > self.connects_at + _FORGIVEN_AFTER:
            self._ban = _BAN
        self.connects_at = now + self._ban
        self._ban = min(2 * self._ban, _LONGEST_BAN)

    @property
    def serial(self) -> bytes:
        """Another one once the card was made anew in its reader."""
        return self.card.serial

    @property
    def silent_at(self) -> t.Optional[float]:
        """When a reader that has said nothing more waits in vain, if it has to say something."""
        return self.connection.silent_at if self.connection else None

    def disconnect(self) -> None:
        """Takes the card out of its reader, and its PIN's state with it."""
        if self.connection is None:
            return
        self._present.unlink(missing_ok=True)
        self.connection.close()
        self.connection = None
        self.reset()

    @property
    def atr(self) -> bytes:
        return self._application.atr

    def transmit(self, raw: bytes) -> bytes:
        return self._application.transmit(raw)

    def reset(self) -> None:
        try:
            self._application.reset()
        except CardGone:
            raise
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        _log.error("card %04d: %s", self.number, describe(error))
