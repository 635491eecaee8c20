# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets of the card service that everybody may connect to. Who is there, :mod:`.peer` tells."""

from __future__ import annotations

import logging
import os
import socket
import stat
import typing as t

from .._errors import StateError

_log = logging.getLogger("hardbound")

_EVERYBODY = 0o666
"""To connect, a program has to write; what it may see, SO_PEERCRED decides. SSSD is root without CAP_DAC_OVERRIDE."""
_BACKLOG = 128


def listen(path: str) -> socket.socket:
    """Returns a socket that listens, in the place of one that a process before has left behind.

    :raises StateError: if somebody listens there, or something else has this name
    """
    _make_way(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listening.bind(path)
    os.chmod(path, _EVERYBODY)
    listening.listen(_BACKLOG)
    return listening


Admit = t.Callable[[socket.socket], None]


def accept(listening: socket.socket, admit: Admit) -> None:
    """Takes one new connection, if there is one, and has it admitted."""
    try:
        connection, _address = listening.accept()
    except OSError as error:
        _log.debug("no connection: %s", error)
    else:
        admit_or_close(connection, admit)


def admit_or_close(connection: socket.socket, admit: Admit) -> None:
    """Has a connection admitted. One whose other end has gone already is closed."""
    try:
        admit(connection)
    except OSError as error:
        _log.debug("a program has gone before it was known: %s", error)
        connection.close()


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
