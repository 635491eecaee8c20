# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the command hardbound-card from the folder that this file lies in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hardbound_identity._command.program import main

_PATIENCE = 10  # seconds


def notify(summary: str, text: str) -> bool:
    """Shows a text on the desktop. Tells whether there is one."""
    program = shutil.which("notify-send")
    if program is None:
        return False
    command = [program, "--app-name=hardbound-card", "--icon=auth-smartcard", "--urgency=critical", summary, text]
    try:
        done = subprocess.run(command, check=False, timeout=_PATIENCE, capture_output=True)  # noqa: S603 - ours
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], notify))
