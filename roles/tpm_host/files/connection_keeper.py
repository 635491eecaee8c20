# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the card service where there is no systemd, and keeps its socket and connections while it restarts.

It does for its child what systemd does for a service with a file descriptor store: sd_listen_fds(3),
sd_pid_notify_with_fds(3). SIGHUP restarts the child, SIGTERM ends both.

    connection_keeper.py SOCKET COMMAND...
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import os
import select
import selectors
import signal
import socket
import sys
import time
import typing as t

_LISTENER = "hardbound-pkcs11"
_FIRST = 3  # SD_LISTEN_FDS_START
_MOST = 768
_PAUSE = 1.0  # seconds between two starts
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Keeper:
    """:param path: of the socket for programs
    :param command: that starts the service
    """

    def __init__(self, path: str, command: t.Sequence[str]) -> None:
        self._command = command
        self._listener = _bound(path, socket.SOCK_STREAM, 0o666)
        self._listener.listen(128)
        self._address = f"{path}.keep"
        self._store = _bound(self._address, socket.SOCK_DGRAM, 0o600)
        self._store.setblocking(False)
        self._kept: t.Dict[int, str] = {}
        self._child = 0
        self._started = 0.0
        self._ending = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._store, selectors.EVENT_READ, self._take)

    def run(self) -> int:
        """Keeps the child running until it is told to end."""
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        receiver.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_unused: None)
        self._selector.register(receiver, selectors.EVENT_READ, lambda: self._on_signals(receiver.recv(99)))
        while not self._ending or self._child:
            if not self._child and not self._ending and time.monotonic() >= self._started + _PAUSE:
                self._start()
            for key, _events in self._selector.select(_PAUSE):
                key.data()
            self._forget_closed()
        return 0

    def _start(self) -> None:
        self._started = time.monotonic()
        given = [(self._listener.fileno(), _LISTENER), *self._kept.items()]
        keeper = os.getpid()
        self._child = os.fork()
        if not self._child:
            _become(keeper, self._command, given, self._address)

    def _on_signals(self, numbers: bytes) -> None:
        if {signal.SIGTERM, signal.SIGINT} & set(numbers):
            self._ending = True
        if self._child and set(numbers) - {signal.SIGCHLD}:
            os.kill(self._child, signal.SIGTERM)
        if self._child and os.waitpid(self._child, os.WNOHANG)[0]:
            self._child = 0

    def _take(self) -> None:
        """Takes a connection that the service wants to be kept."""
        message, rights, _flags, _address = self._store.recvmsg(1024, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
        numbers = [number for _level, _kind, data in rights for number in array.array("i", data)]
        fields = dict(line.partition("=")[::2] for line in message.decode().split("\n"))
        for number in numbers:
            if len(self._kept) < _MOST and "FDSTORE" in fields:
                self._kept[number] = fields.get("FDNAME", "stored")
            else:
                os.close(number)

    def _forget_closed(self) -> None:
        """Lets go of connections that the program has closed, or the service."""
        for number in [each for each in self._kept if _is_closed(each)]:
            del self._kept[number]
            os.close(number)


def _is_closed(number: int) -> bool:
    poll = select.poll()
    poll.register(number, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _number, events in poll.poll(0))


def _bound(path: str, kind: int, mode: int) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    bound = socket.socket(socket.AF_UNIX, kind)
    bound.bind(path)
    os.chmod(path, mode)
    return bound


def _end_with(keeper: int) -> None:
    """Has the kernel end this process, a fork, when the keeper is killed: the next one's service needs its sockets."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != keeper:
        os._exit(1)


def _become(keeper: int, command: t.Sequence[str], given: t.Sequence[t.Tuple[int, str]], address: str) -> t.NoReturn:
    """Makes this process, a fork, the service. What it is given lies from file descriptor 3 on."""
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    _end_with(keeper)
    beyond = _FIRST + len(given)
    far = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, beyond) for number, _name in given]
    for place, number in enumerate(far, _FIRST):
        os.dup2(number, place)
    names = ":".join(name for _number, name in given)
    told = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(given)), "LISTEN_FDNAMES": names}
    os.execvpe(command[0], list(command), {**os.environ, **told, "NOTIFY_SOCKET": address})  # noqa: S606


if __name__ == "__main__":
    sys.exit(Keeper(sys.argv[1], sys.argv[2:]).run())
