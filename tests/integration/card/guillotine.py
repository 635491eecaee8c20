# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM that kills the process at its other end before or after its n-th command."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import threading
import typing as t

_HEADER = 10


class Guillotine:
    """:param tpm: the TPM's socket; the relay's own is beside it"""

    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        self._tpm = tpm
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(relay))
        self._listener.listen()
        pathlib.Path(f"{relay}.ctrl").symlink_to(f"{tpm}.ctrl")
        self.tcti = f"swtpm:path={relay}"
        self.commands = 0
        self._victim: t.Optional[int] = None
        self._deadly = -1
        self._after = False
        self._idle = threading.Event()
        self._idle.set()
        threading.Thread(target=self._serve, daemon=True).start()

    def run(self, action: t.Callable[[], None], deadly: int = -1, after: bool = False) -> bool:
        """Runs the action in a process that dies at its ``deadly``-th command, counted from 0.

        :param after: kill it once the TPM has done the command, and before it learns of that
        :returns: whether the process died
        """
        self.commands, self._deadly, self._after = 0, deadly, after
        self._victim = None
        self._idle.wait()  # A connection that is open would live on in the new process.
        go, ready = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(go, 1)
            status = 1
            try:
                action()
                status = 0
            finally:
                os._exit(status)
        self._victim = pid
        os.write(ready, b"x")
        _unused, status = os.waitpid(pid, 0)
        self._victim = None
        os.close(go)
        os.close(ready)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the action failed by itself"
        return os.WIFSIGNALED(status)

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                client, _unused = self._listener.accept()
                self._idle.clear()
                with client, socket.socket(socket.AF_UNIX) as tpm:
                    tpm.connect(str(self._tpm))
                    while self._relay(client, tpm):
                        pass
            self._idle.set()

    def _relay(self, client: socket.socket, tpm: socket.socket) -> bool:
        command = read_message(client)
        if command is None:
            return False
        falls = self._victim is not None and self.commands == self._deadly
        self.commands += 1
        if falls and not self._after:
            return self._fall()
        tpm.sendall(command)
        response = read_message(tpm)
        if falls:
            return self._fall()
        client.sendall(response or b"")
        return True

    def _fall(self) -> bool:
        assert self._victim is not None
        os.kill(self._victim, signal.SIGKILL)
        return False


def read_message(connection: socket.socket) -> t.Optional[bytes]:
    """Returns a TPM command or response as a whole, or None at the end of the connection."""
    data = b""
    size = _HEADER
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
        if len(data) >= _HEADER:
            size = int.from_bytes(data[2:6], "big")
    return data
