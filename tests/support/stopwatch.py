# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM that tells how many commands it had, and how long it took for them."""

from __future__ import annotations

import pathlib
import socket
import time

from ansible_collections.hardbound.identity.tests.support.relay import Relay, read_message


class Stopwatch(Relay):
    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        self.seconds = 0.0
        super().__init__(tpm, relay)

    def reset(self) -> None:
        self.commands = 0
        self.seconds = 0.0

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
