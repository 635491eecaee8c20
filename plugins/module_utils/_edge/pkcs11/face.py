# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PKCS#11 face of a host: its socket, and what outlives a restart of the card service."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import stat
import typing as t

from ..._card.host import CardHost
from ..._errors import StateError
from .cards import Directory
from .handed_down import Keeper, take
from .listener import Listener

_EVERYBODY = 0o666  # to connect, a program has to write; what it may see, SO_PEERCRED decides
_BACKLOG = 128


class Pkcs11Face:
    """:param path: of the socket, where systemd has made none; empty for no face without systemd's
    :param root_uses: whether root uses everybody's cards
    """

    def __init__(self, path: str, root_uses: bool) -> None:
        self._path = path
        self._root_uses = root_uses
        self._listener: t.Optional[Listener] = None
        self._made = False

    def start(self, host: CardHost, selector: selectors.BaseSelector, failed: t.Callable[[Exception], None]) -> None:
        """Listens, and goes on with the connections of the process before.

        :raises StateError: if the socket's place is taken
        """
        handed_down = take()
        listening = handed_down.listener or self._make()
        if listening is None:
            return
        directory = Directory(host, self._root_uses)
        self._listener = Listener(listening, directory, selector, failed, Keeper())
        for connection, offered in handed_down.connections:
            self._listener.adopt(connection, offered)

    def _make(self) -> t.Optional[socket.socket]:
        if not self._path:
            return None
        _make_way(self._path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listening.bind(self._path)
        os.chmod(self._path, _EVERYBODY)
        listening.listen(_BACKLOG)
        self._made = True
        return listening

    def stop(self) -> None:
        """Lets go of all connections. What systemd keeps goes on with the next process."""
        if self._listener is None:
            return
        self._listener.release()
        if self._made:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


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
