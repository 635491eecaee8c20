# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a screen, which lays a page out, runs its scripts, and says what it then is."""

from __future__ import annotations

import subprocess
import tempfile

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
SETTLED = "--virtual-time-budget=10000"


def shown(url: str, *options: str) -> str:
    """Returns the page as HTML.

    :param options: :data:`SETTLED` lets timers and events run out first, in a time that is not the clock's
    """
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", *OPTIONS, *options, f"--user-data-dir={profile}", "--dump-dom", url]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return run.stdout
