# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets one program at a time through to a TPM that no resource manager guards.

Two lock files: whoever holds the first has the TPM; whoever waits shares the second, so that the
one who has it can see that it is wanted and let go between two commands.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time

from .._files import open_lock
from .errors import TpmUnreachable

PATIENCE = 180.0
"""Seconds to wait for another program: longer than a TPM may take for the slowest command, an RSA key's making."""
_PAUSE = 0.002
_COURTESY = 1.0


class Turnstile:
    """:param folder: where the lock files are, the same for all programs that share the TPM"""

    def __init__(self, folder: str, place: str) -> None:
        self._place = place
        stem = os.path.join(folder, "tpm-" + hashlib.sha256(place.encode()).hexdigest()[:8])
        self._lock = open_lock(stem + ".lock")
        self._waiting = open_lock(stem + ".waiting")

    def acquire(self, polite: bool) -> None:
        """Waits for the TPM. A polite program lets those go first who already wait.

        :raises TpmUnreachable: if another program keeps it longer than PATIENCE
        """
        if polite:
            courtesy = time.monotonic() + _COURTESY
            while self.wanted() and time.monotonic() < courtesy:
                time.sleep(_PAUSE)
        fcntl.flock(self._waiting, fcntl.LOCK_SH)
        try:
            self._wait()
        finally:
            fcntl.flock(self._waiting, fcntl.LOCK_UN)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() > deadline:
                raise TpmUnreachable(
                    f"another program has kept the TPM at {self._place} busy", "stop it, or run the task again"
                )
            time.sleep(_PAUSE)

    def wanted(self) -> bool:
        """Whether another program waits. Two system calls."""
        try:
            fcntl.flock(self._waiting, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._waiting, fcntl.LOCK_UN)
        return False

    def release(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._lock)
        os.close(self._waiting)
