# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text file of the host that fits its cards, and is gone where it would say nothing."""

from __future__ import annotations

from dataclasses import dataclass

from .._files import remove_durably, write_atomically
from .._spine import Plan

_PUBLIC = 0o644


@dataclass(frozen=True)
class HostFile:
    """:param title: what it is called in a plan"""

    path: str
    title: str

    def read(self) -> str:
        """Returns what is there; the empty string if nothing is."""
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def plan(self, wanted: str, current: str) -> Plan[str]:
        """Compares. Pure. The one step is the text to write."""
        steps = () if wanted == current else (wanted,)
        return Plan(steps, {self.title: current}, {self.title: wanted}, self.title)

    def apply(self, changes: Plan[str]) -> None:
        """Writes the file, or removes one that would say nothing.

        :raises OSError: if the file can't be written
        """
        for text in changes.steps:
            if text:
                write_atomically(self.path, text.encode(errors="surrogateescape"), _PUBLIC)
            else:
                remove_durably(self.path)
