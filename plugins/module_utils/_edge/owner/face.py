# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket where owners ask about their cards, and who is connected there. It never waits for a program."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import time
import typing as t
from pathlib import Path

from ..._card.face import Face
from ..._card.host import CardHost
from ..._encoding.owner_call import LONGEST_QUESTION, MessageError, read_line, write_line
from ..directory import Directory, UserCards
from ..peer import Peer, peer_of
from ..unix_socket import accept, listen
from .calls import OwnerCalls
from .view import ReaderSight

_log = logging.getLogger("hardbound")

MOST = 64
"""Connections of all users together."""
MOST_OF_USER = 8
"""Connections of one user."""
PATIENCE = 10.0
"""Seconds that somebody may take to ask, and to take the answer."""

Answer = t.Callable[[bytes], bytes]


class OwnerFace:
    """:param path: of the socket; empty for none
    :param run: folder that tells which cards are in their readers
    """

    def __init__(self, path: str, run: Path) -> None:
        self._path = path
        self._run = run
        self._desk: t.Optional[_Desk] = None

    def start(self, host: CardHost, selector: selectors.BaseSelector, failed: t.Callable[[Exception], None]) -> None:
        """:raises StateError: if the socket's place is taken"""
        if not self._path:
            return
        # Root has no business with the cards of others: what it may do, it does with Ansible.
        directory, readers = Directory(host, False, tuple(Face)), ReaderSight(host, self._run)

        def calls(peer: Peer) -> OwnerCalls:
            return OwnerCalls(UserCards(directory, peer), readers, failed)

        self._desk = _Desk(listen(self._path), selector, calls)

    @property
    def due(self) -> t.List[float]:
        """When somebody who is connected has taken too long."""
        return self._desk.due if self._desk else []

    def tidy(self, now: float) -> None:
        """Ends the connections of those who have taken too long."""
        if self._desk:
            self._desk.tidy(now)

    def stop(self) -> None:
        """Ends all connections, and the socket."""
        if self._desk:
            self._desk.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


class _Desk:
    """The socket, and who is connected there, the oldest first."""

    def __init__(
        self, listening: socket.socket, selector: selectors.BaseSelector, calls: t.Callable[[Peer], OwnerCalls]
    ) -> None:
        self._listening = listening
        self._selector = selector
        self._calls = calls
        self._callers: t.List[_Caller] = []
        listening.setblocking(False)
        selector.register(listening, selectors.EVENT_READ, self)

    @property
    def due(self) -> t.List[float]:
        return [caller.ends_at for caller in self._callers[:1]]

    def tidy(self, now: float) -> None:
        for caller in [each for each in self._callers if now >= each.ends_at]:
            self.drop(caller)

    def serve(self, _events: int) -> int:
        """Takes one new connection."""
        accept(self._listening, self._admit)
        return 0

    def _admit(self, connection: socket.socket) -> None:
        """Whoever has too many connections loses the oldest; where all places are taken, there is none."""
        peer = peer_of(connection)
        of_user = [each for each in self._callers if each.peer.uid == peer.uid]
        if len(of_user) >= MOST_OF_USER:
            self.drop(of_user[0])
        if len(self._callers) >= MOST:
            _log.warning("user %d met with all connections of owners in use", peer.uid)
            connection.close()
            return
        calls = self._calls(peer)
        caller = _Caller(self, connection, peer, lambda line: _answered(calls, line))
        self._selector.register(connection, selectors.EVENT_READ, caller)
        self._callers.append(caller)

    def await_taking(self, caller: _Caller) -> None:
        """Listens no more, and waits until an answer is taken."""
        self._selector.modify(caller.socket, selectors.EVENT_WRITE, caller)

    def drop(self, caller: _Caller) -> None:
        """Ends a connection."""
        self._callers.remove(caller)
        self._selector.unregister(caller.socket)
        caller.socket.close()

    def close(self) -> None:
        for caller in list(self._callers):
            self.drop(caller)
        self._selector.unregister(self._listening)
        self._listening.close()


def _answered(calls: OwnerCalls, line: bytes) -> bytes:
    """:raises MessageError: for a line that asks nothing"""
    return write_line(calls.answer(read_line(line)))


class _Caller:
    """One connection: a line comes in, a line goes out, and that is all."""

    def __init__(self, desk: _Desk, connection: socket.socket, peer: Peer, answer: Answer) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.peer = peer
        self.ends_at = time.monotonic() + PATIENCE
        self._desk = desk
        self._answer = answer
        self._line = b""
        self._unsent: t.Optional[bytes] = None

    def serve(self, _events: int) -> int:
        """Goes on with what there is. Returns how many questions were answered."""
        try:
            answered = 0 if self._unsent is not None else self._listen()
            if self._unsent is not None:
                self._tell()
        except BlockingIOError:
            return 0
        except (OSError, MessageError) as error:
            _log.debug("user %d has said nothing: %s", self.peer.uid, error)
            self._desk.drop(self)
            return 0
        return answered

    def _listen(self) -> int:
        """:raises MessageError: if no line is to come"""
        data = self.socket.recv(LONGEST_QUESTION)
        self._line += data
        line, end, _more = self._line.partition(b"\n")
        if end:
            self._unsent = self._answer(line)
            self._desk.await_taking(self)
            return 1
        if not data or len(self._line) >= LONGEST_QUESTION:
            raise MessageError("the line has no end")
        return 0

    def _tell(self) -> None:
        unsent = t.cast(bytes, self._unsent)
        self._unsent = unsent[self.socket.send(unsent, socket.MSG_NOSIGNAL) :]
        if not self._unsent:
            self._desk.drop(self)
