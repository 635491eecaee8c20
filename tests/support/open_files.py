# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that this process holds open."""

from __future__ import annotations

import contextlib
import os
import typing as t


def open_below(folder: t.Union[str, os.PathLike[str]]) -> t.List[str]:
    """Returns the open files in a folder, one as often as it is open."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # The one of the list itself is gone by now.
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [each for each in found if each.startswith(os.path.join(os.path.realpath(folder), ""))]
