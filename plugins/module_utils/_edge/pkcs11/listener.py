# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket that all programs of a host reach, and their connections.

Everybody may connect; what somebody sees there, :mod:`..directory` decides. So there are limits for each user, before
anything is read.
"""

from __future__ import annotations

import logging
import resource
import selectors
import socket
import typing as t

from ..._errors import HardboundError
from ..peer import Peer, peer_of
from ..unix_socket import accept, admit_or_close
from .connection import Connection, Disconnected
from .context import Cards
from .handed_down import Keeper
from .program import Program

_log = logging.getLogger("hardbound")

MOST = 768
"""Connections of all users together: three quarters of the 1024 files that a service may open, or of fewer."""
MOST_OF_USER = 256
"""Connections of one user: a third of these. As many have all those together who own no card: one user may be many,
by the 65536 numbers that user_namespaces(7) gives each, and none of these owns a card."""


class Listener:
    """:param listening: a Unix socket that listens
    :param cards: those of whoever is at the other end; None for somebody who is not listened to
    :param selector: watches the socket and all connections; an event's data has a method ``serve``
    :param failed: told of errors that are no answers
    :param keeper: holds connections while the service restarts
    """

    def __init__(
        self,
        listening: socket.socket,
        cards: t.Callable[[Peer], t.Optional[Cards]],
        selector: selectors.BaseSelector,
        failed: t.Callable[[Exception], None],
        keeper: Keeper,
    ) -> None:
        self._listening = listening
        self._cards = cards
        self._selector = selector
        self._failed = failed
        self._keeper = keeper
        self._served: t.Set[_Served] = set()
        self._most = _most()
        listening.setblocking(False)
        selector.register(listening, selectors.EVENT_READ, self)

    def serve(self, _events: int) -> int:
        """Takes one new connection. One that is over a limit is closed at once: the program has no cards then."""
        accept(self._listening, self._admit)
        return 0

    def adopt(self, connection: socket.socket, offered: t.Optional[int] = None) -> None:
        """Serves a connection. One whose other end has gone already is closed.

        :param offered: the version that the program had offered to the process before this one
        """
        admit_or_close(connection, lambda kept: self._admit(kept, offered))

    def _admit(self, connection: socket.socket, offered: t.Optional[int] = None) -> None:
        peer = peer_of(connection)
        cards = self._cards(peer)
        if cards is None:
            _log.warning("user %d has no business at this socket", peer.uid)
            connection.close()
            return
        served = _Served(self, connection, peer, cards, offered)
        if self._is_one_too_many(served):
            _log.warning("user %d has too many connections: one more was refused", peer.uid)
            connection.close()
            return
        self._selector.register(connection, selectors.EVENT_READ, served)
        self._served.add(served)

    def _is_one_too_many(self, served: _Served) -> bool:
        own = sum(each.peer.uid == served.peer.uid for each in self._served)
        strangers = sum(each.is_stranger for each in self._served) if served.is_stranger else 0
        return len(self._served) >= self._most or max(own, strangers) >= min(MOST_OF_USER, self._most // 3)

    def program(self, served: _Served, offered: int) -> Program:
        """Returns an interpreter for a program, once it has said which version it speaks."""
        if not served.resumed:
            self._keeper.keep(served.connection.socket, offered)
        return Program(served.cards, offered, self._failed, served.resumed)

    def watch(self, served: _Served) -> None:
        """Listens to a program, or waits until it takes its answer."""
        if served.is_awaited is not served.connection.wants_to_write:
            served.is_awaited = served.connection.wants_to_write
            events = selectors.EVENT_WRITE if served.is_awaited else selectors.EVENT_READ
            self._selector.modify(served.connection.socket, events, served)

    def drop(self, served: _Served) -> None:
        """Ends a connection, and what its program had opened."""
        self._let_go(served, served.connection.close)

    def release(self) -> None:
        """Ends what all programs had opened, and leaves their connections to whoever keeps a copy."""
        for served in list(self._served):
            self._let_go(served, served.connection.release)
        self._selector.unregister(self._listening)
        self._listening.close()

    def _let_go(self, served: _Served, how: t.Callable[[], None]) -> None:
        self._served.discard(served)
        self._selector.unregister(served.connection.socket)
        try:
            how()
        except Exception as error:
            self._failed(error)


def _most() -> int:
    """Connections that leave room for other files: one that can't be taken would wake the service without end."""
    files, _never = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, files // 4 * 3)


def _has_any(cards: Cards) -> bool:
    """Where the store can't be read, nobody has. Whoever asks for cards is told why."""
    try:
        return bool(cards.usable())
    except HardboundError:
        return False


class _Served:
    """One connection, and whose it is."""

    def __init__(
        self, listener: Listener, connection: socket.socket, peer: Peer, cards: Cards, offered: t.Optional[int]
    ) -> None:
        self.peer = peer
        self.cards = cards
        self.is_stranger = not _has_any(cards)
        """Whether no card was theirs when they came."""
        self.resumed = offered is not None
        """Whether the connection began with a process before this one."""
        self.is_awaited = False
        """Whether the selector waits until the program takes its answer, instead of listening to it."""
        self._listener = listener
        self.connection = Connection(connection, lambda version: listener.program(self, version), offered)

    def serve(self, events: int) -> int:
        connection, answered = self.connection, 0
        try:
            if events & selectors.EVENT_WRITE:
                connection.on_writable()
            if events & selectors.EVENT_READ and not connection.wants_to_write:
                answered = connection.on_readable()
        except Disconnected as error:
            _log.debug("a program has gone: %s", error)
            self._listener.drop(self)
        else:
            self._listener.watch(self)
        return answered
