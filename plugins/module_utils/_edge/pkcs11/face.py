# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PKCS#11 face of a host: its socket, and what outlives a restart of the card service."""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import socket
import typing as t

from ..._card.face import Face
from ..._card.host import CardHost
from ..directory import Directory, UserCards
from ..unix_socket import listen
from .handed_down import Keeper, take
from .listener import Listener
from .sign_in import SignInCards


class Pkcs11Face:
    """:param path: of the socket, where systemd has made none; empty for no face without systemd's
    :param root_uses: whether root uses everybody's cards
    :param sign_in: of the socket of programs that sign users in; empty for none
    """

    def __init__(self, path: str, root_uses: bool, sign_in: str = "") -> None:
        self._path = path
        self._root_uses = root_uses
        self._sign_in = sign_in
        self._listeners: t.List[Listener] = []
        self._made: t.List[str] = []

    def start(self, host: CardHost, selector: selectors.BaseSelector, failed: t.Callable[[Exception], None]) -> None:
        """Listens, and goes on with the connections of the process before.

        :raises StateError: if a socket's place is taken
        """
        handed_down = take()
        directory = Directory(host, self._root_uses, (Face.PKCS11,))
        listening = handed_down.listener or self._make(self._path)
        if listening is not None:
            users = Listener(listening, functools.partial(UserCards, directory), selector, failed, Keeper())
            for connection, offered in handed_down.connections:
                users.adopt(connection, offered)
            self._listeners.append(users)
        asked = self._make(self._sign_in)
        if asked is not None:
            # Such a program lives for a moment: nobody keeps its connection.
            cards = functools.partial(SignInCards.of, directory)
            self._listeners.append(Listener(asked, cards, selector, failed, Keeper("")))

    def _make(self, path: str) -> t.Optional[socket.socket]:
        if not path:
            return None
        listening = listen(path)
        self._made.append(path)
        return listening

    def stop(self) -> None:
        """Lets go of all connections. What systemd keeps goes on with the next process."""
        for listener in self._listeners:
            listener.release()
        for path in self._made:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
