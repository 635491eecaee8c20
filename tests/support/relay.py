# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM, which sees each command and its response as a whole."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import typing as t

_HEADER = 10


class Relay:
    """:param tpm: the TPM's socket; the relay's own is beside it"""

    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        self._tpm = tpm
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(relay))
        self._listener.listen()
        pathlib.Path(f"{relay}.ctrl").symlink_to(f"{tpm}.ctrl")
        self.tcti = f"swtpm:path={relay}"
        self.commands = 0
        self._idle = threading.Event()
        self._idle.set()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def is_idle(self) -> bool:
        """Whether no program is connected."""
        return self._idle.is_set()

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
        """Passes on one command and its response. Returns whether the connection goes on."""
        raise NotImplementedError


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
