# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a folder of Python files up to date in one step: one connection for all of them.

Standard input is JSON: {"write": {path: text}, "remove": [path]}, paths relative to the folder.
Prints what it does, a line a file. With --check it only prints.
"""

from __future__ import annotations

import json
import os
import sys


def write(path: str, text: str) -> None:
    """A reader sees the old file or the new one, never half of it."""
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    os.replace(path + ".new", path)


def main(folder: str, dry: bool) -> None:
    """Write first, so that a program that starts meanwhile misses nothing."""
    os.umask(0o022)
    job = json.load(sys.stdin)
    for path, text in sorted(job["write"].items()):
        print("write", path)
        if not dry:
            write(os.path.join(folder, path), text)
    for path in sorted(job["remove"]):
        print("remove", path)
        if not dry:
            os.unlink(os.path.join(folder, path))


main(sys.argv[1], "--check" in sys.argv[2:])
