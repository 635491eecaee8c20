# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes away what the role laid, in one step: one connection for all of it.

Standard input is JSON: {"paths": [path], "folders": [path]}. A path goes with all that is in it, a folder only if
nothing is in it then. Prints JSON: the paths that are there. With --check nothing is taken away.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import typing as t


def remove(path: str) -> None:
    """A link goes, and not what it leads to. What stood in a folder that went before is gone already."""
    if not os.path.lexists(path):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def remove_empty(folders: t.Sequence[str]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def main(dry: bool) -> None:
    job = json.load(sys.stdin)
    there = [path for path in job["paths"] if os.path.lexists(path)]
    if not dry:
        for path in there:
            remove(path)
        remove_empty(job["folders"])
    sys.stdout.write(json.dumps(there) + "\n")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
