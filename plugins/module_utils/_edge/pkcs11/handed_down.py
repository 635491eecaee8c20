# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd keeps while the card service restarts: its socket, and the connections of programs.

p11-kit's side of a connection writes without a guard against SIGPIPE, so a program whose connection ends is killed at
its next call. So systemd gets a copy of each connection, and gives them to the next process: sd_listen_fds(3),
sd_pid_notify_with_fds(3). It lets go of those that the program has closed.
"""

from __future__ import annotations

import array
import logging
import os
import re
import socket
import typing as t

_log = logging.getLogger("hardbound")

LISTENER = "hardbound-pkcs11"
"""FileDescriptorName of the socket unit."""
_CONNECTION = re.compile(r"pkcs11-(\d{1,3})")
_FIRST = 3  # SD_LISTEN_FDS_START
_PATIENCE = 1.0
"""Seconds for systemd to take what its socket has no room for: the kernel queues a few messages only."""


class HandedDown(t.NamedTuple):
    """:param listener: the socket that listens; None where systemd made none
    :param connections: those of the process before, each with the version that its program offered
    """

    listener: t.Optional[socket.socket]
    connections: t.Sequence[t.Tuple[socket.socket, int]]


def take(environment: t.Optional[t.MutableMapping[str, str]] = None) -> HandedDown:
    """Returns what systemd has given to this process. A second look finds nothing.

    :param environment: that of the process if None
    """
    environment = os.environ if environment is None else environment
    if environment.pop("LISTEN_PID", "") != str(os.getpid()):
        return HandedDown(None, ())
    count = int(environment.pop("LISTEN_FDS", "0"))
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    listener, connections = None, []
    for number, name in zip(range(_FIRST, _FIRST + count), names):
        os.set_inheritable(number, False)
        match = _CONNECTION.fullmatch(name)
        if name == LISTENER:
            listener = socket.socket(fileno=number)
        elif match:
            connections.append((socket.socket(fileno=number), int(match[1])))
        else:
            _log.warning("systemd gave a file descriptor named %r, which is not known here", name)
            os.close(number)
    return HandedDown(listener, connections)


class Keeper:
    """Gives connections to systemd, where it runs the service."""

    def __init__(self, address: str = os.environ.get("NOTIFY_SOCKET", "")) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def keep(self, connection: socket.socket, offered: int) -> None:
        """Has a copy of a connection kept. Where nobody keeps it, it ends with this process."""
        if not self._address:
            return
        message = f"FDSTORE=1\nFDNAME=pkcs11-{offered}".encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connection.fileno()]))]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            try:
                notify.settimeout(_PATIENCE)
                notify.sendmsg([message], rights, 0, self._address)
            except OSError as error:
                _log.warning("systemd does not keep a connection: %s", error)
