# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where users' sessions wait to be asked whether somebody is there: a Unix socket, and JSON in lines.

A session is asked with ``{"ask": 7, "card": ..., "purpose": ..., "relying_party": ...}``, answers with
``{"answer": 7, "yes": true}``, and is told with ``{"end": 7}`` that nobody waits any more. A card's owner alone is
asked, as the kernel knows who has connected, and alone can answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import typing as t

from ..logind import is_at_seat
from ..peer import Names, peer_of
from ..unix_socket import accept, listen
from .presence import AskedForPresence, PresenceQuestion

_MOST = 64
_MOST_OF_USER = 4
_LONGEST_LINE = 256
"""Bytes of an answer."""


class PresenceDesk:
    """:param path: of the socket; empty where nobody is asked
    :param at_seat: whether a user has a session that is in front at a seat of this computer
    """

    def __init__(self, path: str, at_seat: t.Callable[[int], bool] = is_at_seat) -> None:
        self._path = path
        self._at_seat = at_seat
        self._names = Names()
        self._sessions: t.List[_Session] = []
        self._numbers = 0

    def start(self, selector: selectors.BaseSelector) -> None:
        """:raises StateError: if the socket's place is taken"""
        self._selector = selector
        if self._path:
            self._listening = listen(self._path)
            self._listening.setblocking(False)
            selector.register(self._listening, selectors.EVENT_READ, self)

    def serve(self, _events: int) -> int:
        """Takes one session that waits to be asked. One over a limit is closed at once."""
        accept(self._listening, self._admit)
        return 0

    def _admit(self, connection: socket.socket) -> None:
        uid = peer_of(connection).uid
        if len(self._sessions) >= _MOST:
            self._make_room()
        if len(self._sessions) >= _MOST or sum(each.uid == uid for each in self._sessions) >= _MOST_OF_USER:
            connection.close()
            return
        connection.setblocking(False)
        session = _Session(connection, uid, self._gone)
        self._sessions.append(session)
        self._selector.register(connection, selectors.EVENT_READ, session)

    def _make_room(self) -> None:
        """Ends a session of somebody who is not at the seat, whom nobody asks: one user may be many, by the numbers
        that user_namespaces(7) give each. A session that meant to wait comes again."""
        away = next((each for each in self._sessions if not self._at_seat(each.uid)), None)
        if away is not None:
            away.end()

    def _gone(self, session: _Session) -> None:
        self._sessions.remove(session)
        self._selector.unregister(session.connection)
        session.connection.close()

    def ask(self, question: PresenceQuestion) -> t.Optional[AskedForPresence]:
        """Asks all sessions of the card's owner. The first answer counts."""
        uid = self._names.uid(question.owner)
        if uid is None or not self._at_seat(uid):
            return None
        self._numbers += 1
        asked = _Asked(self._numbers, [each for each in self._sessions if each.uid == uid])
        asked.tell(question)
        return asked if asked.sessions else None

    def stop(self) -> None:
        for session in list(self._sessions):
            self._gone(session)
        if self._path:
            self._selector.unregister(self._listening)
            self._listening.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


class _Asked:
    """:param sessions: those that may answer, until they have gone"""

    def __init__(self, number: int, sessions: t.List[_Session]) -> None:
        self.number = number
        self.sessions = sessions
        self._answer: t.Optional[bool] = None

    def tell(self, question: PresenceQuestion) -> None:
        said = {"card": question.card, "purpose": question.purpose.value, "relying_party": question.rp}
        for session in list(self.sessions):
            session.open[self.number] = self
            session.say({"ask": self.number, **said})

    @property
    def answer(self) -> t.Optional[bool]:
        """A question whose sessions have all gone is answered with no."""
        return self._answer if self.sessions or self._answer is not None else False

    def settle(self, yes: bool) -> None:
        self._answer = yes
        self.withdraw()

    def withdraw(self) -> None:
        for session in list(self.sessions):
            if session.open.pop(self.number, None):
                session.say({"end": self.number})


class _Session:
    """A program in a user's session that shows questions.

    :param gone: told once it is not there any more
    """

    def __init__(self, connection: socket.socket, uid: int, gone: t.Callable[[_Session], None]) -> None:
        self.connection = connection
        self.uid = uid
        self.open: t.Dict[int, _Asked] = {}
        self._gone = gone
        self._read = b""
        self._ended = False

    def say(self, message: t.Mapping[str, t.Any]) -> None:
        """A session that does not read is one that shows nothing."""
        line = json.dumps(message).encode() + b"\n"
        try:
            whole = self.connection.send(line) == len(line)
        except OSError:
            whole = False
        if not whole:
            self.end()

    def serve(self, _events: int) -> int:
        try:
            data = self.connection.recv(4096)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        *lines, self._read = (self._read + data).split(b"\n")
        sound = bool(data) and len(self._read) <= _LONGEST_LINE and all(self._hear(line) for line in lines)
        if not sound:
            self.end()
        return 0

    def _hear(self, line: bytes) -> bool:
        """Returns whether a line is an answer, to a question of this session or to one that is over."""
        try:
            said = json.loads(line)
            number, yes = said["answer"], said["yes"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        if not isinstance(number, int) or not isinstance(yes, bool):
            return False
        asked = self.open.get(number)
        if asked is not None:
            asked.settle(yes)
        return True

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        for asked in self.open.values():
            asked.sessions.remove(self)
        self.open.clear()
        self._gone(self)
