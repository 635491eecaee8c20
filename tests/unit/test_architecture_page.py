# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walks and lists of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

import pytest

COLLECTION = Path(__file__).parents[2]
PAGE = (COLLECTION / "docs/architecture.md").read_text()
HOST_ROOM = re.compile(r"_(?:card|edge|encoding|hello|task|tpm)/")


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading, without their heads."""
    part = PAGE.split(f"\n{heading}\n", 1)[1]
    part = re.split(r"\n##+ ", part, maxsplit=1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def names(path: Path) -> Iterator[str]:
    """What a file defines: functions, classes, and their methods as ``Class.method``."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef))


def code(word: str) -> set[str]:
    """The files of code that name the word."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    files = (each for folder in ("plugins", "roles") for each in (COLLECTION / folder).rglob("*"))
    return {
        str(each.relative_to(COLLECTION))
        for each in files
        if each.suffix in (".py", ".yml", ".j2") and pattern.search(each.read_text())
    }


@pytest.mark.parametrize("walk", ["### One APDU", "### One task", "### One enrolment"])
def test_a_walk_enters_files_that_are_there_and_meets_who_is_named(walk: str) -> None:
    steps = rows(walk)
    assert len(steps) >= 5
    for file, who, _what in steps:
        (path,) = quoted(file)
        found = COLLECTION / "plugins" / ("module_utils" if HOST_ROOM.match(path) else "") / path
        assert found.is_file(), path
        assert quoted(who) and set(quoted(who)) <= set(names(found)), path


@pytest.mark.parametrize(("kind", "word", "files"), [pytest.param(*row, id=row[0]) for row in rows("## What to touch")])
def test_what_to_touch_is_where_it_is(kind: str, word: str, files: str) -> None:
    (looked_for,) = quoted(word)
    assert code(looked_for) == set(quoted(files)), f"the row {kind} of docs/architecture.md is not as the code is"


def test_every_kind_of_addition_has_a_row() -> None:
    kinds = {row[0] for row in rows("## What to touch")}
    cards = {"Card option", "Card option that the TPM holds"}
    assert kinds == {"Algorithm", "Edge", "Profile", "Setting", "Target", *cards}
    for path in quoted(PAGE.split("A distribution is one file", 1)[1].split("\n\n", 1)[0]):
        assert (COLLECTION / path).is_file(), path


def test_the_glossary_explains_words_that_the_code_uses() -> None:
    files = [*(COLLECTION / "plugins").rglob("*.py"), COLLECTION / "tests/unit/test_architecture.py"]
    said = "\n".join(each.read_text().lower() for each in files)
    unused = [word for word, _meaning in rows("## House words") if word.lower() not in said]
    assert not unused and len(rows("## House words")) >= 10
