# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An authenticator behind a pair of sockets, in the place of /dev/uhid, and a program's end of it."""

from __future__ import annotations

import socket
import threading
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.hid import PACKET, HidDevice


class SettableClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class PluggedIn:
    """Answers packets in a thread of its own until it is left."""

    def __init__(self, authenticator: Authenticator, now: t.Callable[[], float]) -> None:
        self.authenticator = authenticator
        self._ours, self.program = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.program.settimeout(30)
        self.device = HidDevice(authenticator, self._send, now)
        self._thread = threading.Thread(target=self._serve)

    def _send(self, packet: bytes) -> None:
        self._ours.send(packet)

    def _serve(self) -> None:
        while True:
            packet = self._ours.recv(PACKET)
            if not packet:
                return
            self.device.receive(packet)

    def __enter__(self) -> PluggedIn:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.program.close()
        self._thread.join()
        self._ours.close()

    # What python-fido2 asks of a connection.

    def read_packet(self) -> bytes:
        return self.program.recv(PACKET)

    def write_packet(self, data: bytes) -> None:
        self.program.send(data)

    def close(self) -> None:
        pass
