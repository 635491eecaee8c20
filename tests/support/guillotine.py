# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM that kills the process at its other end before or after its n-th command."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import typing as t

from ansible_collections.hardbound.identity.tests.support.relay import Relay, read_message


class Guillotine(Relay):
    def __init__(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        self._victim: t.Optional[int] = None
        self._deadly = -1
        self._after = False
        super().__init__(tpm, relay)

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
