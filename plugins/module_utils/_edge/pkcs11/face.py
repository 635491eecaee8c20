# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PKCS#11 face of a host: its socket, and what outlives a restart of the card service."""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import socket
import stat
import typing as t

from ..._card.host import CardHost
from ..._errors import StateError
from .cards import Directory, UserCards
from .handed_down import Keeper, take
from .listener import Listener
from .sign_in import SignInCards

_EVERYBODY = 0o666
"""To connect, a program has to write; what it may see, SO_PEERCRED decides. SSSD is root without CAP_DAC_OVERRIDE."""
_BACKLOG = 128


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
        directory = Directory(host, self._root_uses)
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
        _make_way(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listening.bind(path)
        os.chmod(path, _EVERYBODY)
        listening.listen(_BACKLOG)
        self._made.append(path)
        return listening

    def stop(self) -> None:
        """Lets go of all connections. What systemd keeps goes on with the next process."""
        for listener in self._listeners:
            listener.release()
        for path in self._made:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _make_way(path: str) -> None:
    """Removes the socket that a process before has left behind.

    :raises StateError: if somebody listens there, or something else has this name
    """
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise StateError(f"{path} is there and is no socket", "remove it, or choose another path")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise StateError(f"another program listens at {path}", "end it, or choose another path")
