# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""fprintd with libfprint's own virtual reader, on which a test puts fingers."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

import pexpect
import pytest
from ansible_collections.hardbound.identity.tests.support.surroundings import Bus, Inside
from ansible_collections.hardbound.identity.tests.support.waiting import until

_PROGRAM = "/usr/libexec/fprintd"
_MODULE = "/usr/lib/x86_64-linux-gnu/security/pam_fprintd.so"
_POLKIT = "org.freedesktop.PolicyKit1"


class FingerprintReader:
    """:param bus: of the computer. Polkit's stand-in there lets everybody enrol"""

    def __init__(self, computer: Inside, bus: Bus) -> None:
        for needed in (_PROGRAM, _MODULE):
            if not Path(needed).exists():
                pytest.skip(f"needs {needed}, as in Debian's fprintd and libpam-fprintd")
        self._computer = computer
        self._socket = computer.folder / "finger"
        computer.run("mkdir", "-p", "/var/lib/fprint")
        computer.run("mount", "-t", "tmpfs", "tmpfs", "/var/lib/fprint")
        bus.stand_in("polkitd", _POLKIT)
        authority = f"/{_POLKIT.replace('.', '/')}/Authority"
        bus.call(_POLKIT, authority, "org.freedesktop.DBus.Mock.AllowUnknown", "b", "true")
        told = [f"FP_VIRTUAL_DEVICE={self._socket}", "FP_DRIVERS_ALLOWLIST=virtual_device"]
        command = ["env", *told, "STATE_DIRECTORY=/var/lib/fprint", _PROGRAM, "--no-timeout"]
        self.daemon = bus.start(*command, awaited="net.reactivated.Fprint")

    def put(self, finger: str) -> None:
        """Puts a finger on the reader."""
        until(self._socket.exists, "nobody asks for a finger")
        with socket.socket(socket.AF_UNIX) as reader:
            reader.connect(str(self._socket))
            reader.sendall(f"SCAN {finger}".encode())

    def enrol(self, user: str, finger: str) -> None:
        command = self._computer._inside("fprintd-enroll", "--finger", "right-index-finger", user)
        terminal: t.Any = pexpect.spawn(command[0], command[1:], encoding="utf-8", timeout=30)
        terminal.expect("Enrolling")
        self.put(finger)
        while terminal.expect(["enroll-stage-passed", "enroll-completed"]) == 0:
            self.put(finger)
        terminal.expect(pexpect.EOF)
