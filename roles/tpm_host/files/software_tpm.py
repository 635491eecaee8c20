# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a software TPM, and shuts it down in order.

A TPM that loses its power without TPM2_Shutdown counts that towards its dictionary attack limit
(TPM 2.0 Part 1, "Non-orderly Restarts"), and swtpm before 0.8 sends none.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

SHUTDOWN_CLEAR = bytes.fromhex("8001 0000000c 00000145 0000")  # TPM2_Shutdown, Part 3 section 9.4
BUSY_SECONDS = 5.0  # another client may hold the one connection that swtpm serves
PR_SET_PDEATHSIG = 1  # prctl(2)
LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Has the kernel end this process when its parent does. A swtpm that is left over keeps the state from the next."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(program: str, state: str, path: str) -> subprocess.Popen[bytes]:
    """swtpm as a child. Members of its group reach both sockets: the TCTI library wants the control channel too."""
    for leftover in (path, path + ".ctrl"):
        if os.path.lexists(leftover):
            os.unlink(leftover)
    return subprocess.Popen(  # noqa: S603 - program and paths from the unit
        [
            *(program, "socket", "--tpm2", "--tpmstate", "dir=" + state),
            *("--server", f"type=unixio,path={path},mode=0660"),
            *("--ctrl", f"type=unixio,path={path}.ctrl,mode=0660"),
            *("--flags", "not-need-init,startup-clear"),
        ],
        preexec_fn=end_with_parent,
    )


def shut_down(path: str) -> None:
    """Send TPM2_Shutdown(CLEAR)."""
    with socket.socket(socket.AF_UNIX) as tpm:
        tpm.settimeout(BUSY_SECONDS)
        tpm.connect(path)
        tpm.sendall(SHUTDOWN_CLEAR)
        tpm.recv(4096)


def ready(path: str, swtpm: subprocess.Popen[bytes]) -> None:
    """Wait for the socket, then tell systemd, if it asked (sd_notify(3))."""
    while not os.path.exists(path) and swtpm.poll() is None:
        time.sleep(0.02)
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(b"READY=1", address.replace("@", "\0", 1) if address[0] == "@" else address)


def main() -> int:
    """Until a signal comes, or swtpm ends by itself."""
    parser = argparse.ArgumentParser(description="Run a software TPM on a Unix socket.")
    parser.add_argument("--program", required=True, help="path of swtpm")
    parser.add_argument("--state", required=True, help="folder that swtpm_setup filled")
    parser.add_argument("--socket", required=True, help="path of the socket")
    options = parser.parse_args()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        try:
            shut_down(options.socket)
        except OSError as error:
            print(f"The TPM was not shut down in order: {error}", file=sys.stderr)
        swtpm.terminate()

    swtpm = start(options.program, options.state, options.socket)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ready(options.socket, swtpm)
    status = swtpm.wait()
    return status if status >= 0 else 128 - status  # as a shell reports a signal


sys.exit(main())
