# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts pcscd on a socket that is closed to others until its access list stands.

pcscd takes a listening socket from whoever starts it (sd_listen_fds(3)), as it does under systemd.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

RUN = "/run/pcscd"
SOCKET = RUN + "/pcscd.comm"
FIRST_PASSED_FD = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)


def listen(mode: int) -> socket.socket:
    """A listening socket with these file permissions from its first moment on."""
    os.makedirs(RUN, 0o755, exist_ok=True)
    if os.path.lexists(SOCKET):
        os.unlink(SOCKET)
    before = os.umask(0o777 & ~mode)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    os.umask(before)
    listener.listen(128)
    return listener


def main(pcscd: str, *access: str) -> None:
    """Where a program sets the access list only root may connect before it ran. Else polkit decides, inside pcscd."""
    listener = listen(0o600 if access else 0o666)
    if access:
        subprocess.run(access, check=True)  # noqa: S603 - named by the supervisor's configuration
    os.dup2(listener.fileno(), FIRST_PASSED_FD)
    os.set_inheritable(FIRST_PASSED_FD, True)  # dup2 leaves the mark as it is if the number is right already
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execv(pcscd, ["pcscd", "--foreground"])  # noqa: S606


main(*sys.argv[1:])
