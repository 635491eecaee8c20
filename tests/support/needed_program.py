# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the host that a test can't do without."""

from __future__ import annotations

import shutil
import typing as t

import pytest


def needs(*programs: str) -> None:
    """Skips the test where a program is missing, and says which."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")


@pytest.fixture(scope="session")
def need_program() -> t.Callable[[str], str]:
    """Finds a program, or skips the test and says which one is missing."""

    def find(name: str, *places: str) -> str:
        found = shutil.which(name, path=":".join((*places, "/usr/sbin", "/usr/bin", "/bin")))
        if not found:
            pytest.skip(f"needs {name}")
        return str(found)

    return find
