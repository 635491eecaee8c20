# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM that tells how many commands it had, and how long it took for them."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import time

from ansible_collections.hardbound.identity.tests.integration.card.guillotine import read_message


class Stopwatch:
    """:param tpm: the TPM's socket; the relay's own is beside it"""

    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        self._tpm = tpm
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(relay))
        self._listener.listen()
        pathlib.Path(f"{relay}.ctrl").symlink_to(f"{tpm}.ctrl")
        self.tcti = f"swtpm:path={relay}"
        self.reset()
        threading.Thread(target=self._serve, daemon=True).start()

    def reset(self) -> None:
        self.commands = 0
        self.seconds = 0.0

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                client, _unused = self._listener.accept()
                with client, socket.socket(socket.AF_UNIX) as tpm:
                    tpm.connect(str(self._tpm))
                    while self._relay(client, tpm):
                        pass

    def _relay(self, client: socket.socket, tpm: socket.socket) -> bool:
        command = read_message(client)
        if command is None:
            return False
        began = time.perf_counter()
        tpm.sendall(command)
        response = read_message(tpm)
        self.seconds += time.perf_counter() - began
        self.commands += 1
        client.sendall(response or b"")
        return True
