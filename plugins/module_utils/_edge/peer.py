# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of a socket, as the kernel says: unix(7), SO_PEERCRED and SO_PEERGROUPS.

The program says nothing of it, so there is nothing to forge. Its groups are those that it had when it connected.
"""

from __future__ import annotations

import array
import errno
import grp
import os
import pwd
import socket
import struct
import time
import typing as t
from dataclasses import dataclass

_SO_PEERGROUPS = getattr(socket, "SO_PEERGROUPS", 59)
_CREDENTIALS = struct.Struct("3i")
_ROOM = 1024
"""Bytes that Python lets the kernel fill: 256 groups."""
_REMEMBERED = 30.0
"""Seconds for which a name's number is remembered: the directory that knows it may be a server far away."""

ROOT = 0


@dataclass(frozen=True)
class Peer:
    uid: int
    gids: t.FrozenSet[int]


def peer_of(connection: socket.socket) -> Peer:
    """:raises OSError: if the other end has gone already"""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(uid, frozenset((gid, *_groups(connection, uid, gid))))


def _groups(connection: socket.socket, uid: int, gid: int) -> t.Iterable[int]:
    """Of a user with more groups than there is room for, those that the host's databases know."""
    try:
        return array.array("I", connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _ROOM))
    except OSError as error:
        if error.errno != errno.ERANGE:
            raise
    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return ()


class Names:
    """The numbers of users and groups. A name that nobody has has none."""

    def __init__(self) -> None:
        self._known: t.Dict[t.Tuple[str, str], t.Tuple[float, t.Optional[int]]] = {}

    def uid(self, name: str) -> t.Optional[int]:
        return self._look_up("user", name, lambda: pwd.getpwnam(name).pw_uid)

    def gid(self, name: str) -> t.Optional[int]:
        return self._look_up("group", name, lambda: grp.getgrnam(name).gr_gid)

    def _look_up(self, kind: str, name: str, look: t.Callable[[], int]) -> t.Optional[int]:
        now = time.monotonic()
        due, number = self._known.get((kind, name), (0.0, None))
        if name and now >= due:
            try:
                number = look()
            except KeyError:
                number = None
            self._known[kind, name] = (now + _REMEMBERED, number)
        return number
