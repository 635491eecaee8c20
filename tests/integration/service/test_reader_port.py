# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that waits for its reader must not take the reader's port."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

# The kernel has few more ports to give than readers have, so a client soon gets the one that it asks for.
PROGRAM = """
import pathlib, socket, subprocess
from ansible_collections.hardbound.identity.plugins.module_utils._edge.vpcd import ReaderGone, SlotConnection
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("35964 36000")

def met_itself(connect):
    for _try in range(2000):
        try:
            connection = connect()
        except (ReaderGone, OSError):
            continue
        try:
            if connection.getpeername() == connection.getsockname():
                return True
        except OSError:
            pass
        finally:
            connection.close()
    return False

print(met_itself(lambda: socket.create_connection(("127.0.0.1", 35964))))
print(met_itself(lambda: SlotConnection(("127.0.0.1", 35964)).socket))
"""


def test_a_card_never_connects_to_itself():
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and ip, to have ports of its own")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.split() == ["True", "False"], done.stdout + done.stderr
