# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need is in ``tests/support``: no test runs because another file imported it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

import pytest

TESTS = Path(__file__).parents[1]


def imported_tests(source: str) -> Iterator[str]:
    """The modules with tests or fixtures that a file imports."""
    for node in ast.walk(ast.parse(source)):
        found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        yield from (name for name in found if name.split(".")[-1].startswith("test_") or name.endswith("conftest"))


def test_no_test_imports_another() -> None:
    found = {str(file.relative_to(TESTS)): list(imported_tests(file.read_text())) for file in TESTS.rglob("*.py")}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source", ["from .test_pin import PIN", "import tests.unit.conftest", "from conftest import x"]
)
def test_an_import_of_a_test_is_noticed(source: str) -> None:
    assert list(imported_tests(source))
