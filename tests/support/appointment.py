# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that have come so far wait for the test, which sees to more than one of them at once.

A program writes a file, and waits for the same name with ``.seen``: :func:`keep`, or as much in a script.
"""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.hardbound.identity.tests.support.waiting import until

PATIENCE = 120.0
"""Seconds. The others may be slow."""


def keep(place: pathlib.Path) -> None:
    """Says that this program has come so far, and goes on when the test has seen it."""
    place.touch()
    until(place.with_name(f"{place.name}.seen").exists, f"nobody came to {place}", PATIENCE)


class Appointments:
    """Those of the same name in several programs, each with a folder of its own."""

    def __init__(self, *folders: pathlib.Path) -> None:
        self._folders = folders

    def meet(self, name: str, see: t.Callable[[], None]) -> None:
        """Waits until all programs are there, looks, and lets them go on."""
        for folder in self._folders:
            until((folder / name).exists, f"{folder} did not come to {name}", PATIENCE)
        see()
        for folder in self._folders:
            (folder / f"{name}.seen").touch()
