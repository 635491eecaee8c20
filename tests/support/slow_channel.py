# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between a virtual machine and its software TPM: each command is held up for a while, by its kind.

QEMU has one connection to swtpm, for control, and hands over the socket of commands there (swtpm's CMD_SET_DATAFD).
Here both get a socket of ours instead.
"""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import time
import typing as t

from ansible_collections.hardbound.identity.tests.support.relay import read_message

_CHUNK = 4096


class SlowChannel:
    """Takes one QEMU.

    :param tpm: where swtpm listens for control
    :param relay: where QEMU connects
    :param kind: tells the kind of a command
    """

    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path, kind: t.Callable[[bytes], str]) -> None:
        self.delays: t.Mapping[str, float] = {}
        """Seconds by which the TPM takes longer for each kind."""
        self._kind = kind
        self._tpm = socket.socket(socket.AF_UNIX)
        self._tpm.connect(str(tpm))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(relay))
        self._listener.listen()
        _begin(self._control)

    def _control(self) -> None:
        qemu, _unused = self._listener.accept()
        _begin(_copy, self._tpm, qemu)
        while True:
            data, handed_over, _flags, _sender = socket.recv_fds(qemu, _CHUNK, 1)
            if not data:
                return
            if not handed_over:
                self._tpm.sendall(data)
                continue
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._tpm, [data], [theirs.fileno()])
            _begin(self._relay, socket.socket(fileno=handed_over[0]), ours)

    def _relay(self, qemu: socket.socket, tpm: socket.socket) -> None:
        while True:
            command = read_message(qemu)
            if command is None:
                return
            tpm.sendall(command)
            response = read_message(tpm)
            time.sleep(self.delays.get(self._kind(command), 0.0))
            qemu.sendall(response or b"")


def _begin(work: t.Callable[..., None], *arguments: t.Any) -> None:
    def run() -> None:
        with contextlib.suppress(OSError):  # who was at the other end has ended
            work(*arguments)

    threading.Thread(target=run, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    while True:
        data = source.recv(_CHUNK)
        if not data:
            return
        target.sendall(data)
