# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM's access broker, a resource manager, on a message bus of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t

from ansible_collections.hardbound.identity.tests.support.waiting import until

PROGRAMS = ("tpm2-abrmd", "dbus-daemon", "dbus-send")
TCTI = "tabrmd:bus_type=session"
_NAME = "com.intel.tss2.Tabrmd"


@contextlib.contextmanager
def access_broker(tcti: str) -> t.Iterator[t.Dict[str, str]]:
    """Puts a broker before a TPM, and yields what a program's environment needs to reach it by :data:`TCTI`."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    )
    assert bus.stdout is not None
    reach = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
    root = ["--allow-root"] if os.geteuid() == 0 else []
    daemon = subprocess.Popen(
        ["tpm2-abrmd", "--session", "--flush-all", f"--tcti={tcti}", *root],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **reach},
    )
    try:
        _await_name(reach)
        yield reach
    finally:
        for process in (daemon, bus):
            process.terminate()
            process.wait()


def _await_name(reach: t.Mapping[str, str]) -> None:
    question = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]
    question += ["org.freedesktop.DBus.NameHasOwner", f"string:{_NAME}"]
    until(lambda: "boolean true" in _output(question, reach), "tpm2-abrmd did not start")


def _output(command: t.Sequence[str], environment: t.Mapping[str, str]) -> str:
    merged = {**os.environ, **environment}
    return subprocess.run(command, env=merged, capture_output=True, text=True, check=False).stdout
