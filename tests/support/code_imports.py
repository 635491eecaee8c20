# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of ``plugins/``, and what each of them imports."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
PLUGINS = COLLECTION / "plugins"
PACKAGE = "ansible_collections.hardbound.identity.plugins"


class Import:
    """One import statement, resolved to an absolute name."""

    def __init__(self, file: Path, line: int, name: str) -> None:
        self.file = file
        self.line = line
        self.name = name

    def __str__(self) -> str:
        return f"{self.file.relative_to(COLLECTION)}:{self.line} imports {self.name}"

    @property
    def top(self) -> str:
        return self.name.split(".")[0]

    @property
    def place(self) -> tuple[str, str] | None:
        """``module_utils`` or the like, and the room, for what is imported from this collection."""
        if not self.name.startswith(PACKAGE + "."):
            return None
        side, _dot, rest = self.name[len(PACKAGE) + 1 :].partition(".")
        return side, rest.split(".")[0]


def files(folder: str) -> list[Path]:
    """All Python files of ``plugins/<folder>``, or the one file of that name."""
    path = PLUGINS / folder
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports(file: Path, source: str | None = None) -> t.Iterator[Import]:
    """Every import of a file, also those within functions and for type checkers alone."""
    package = [*PACKAGE.split("."), *file.relative_to(PLUGINS).parent.parts]
    for node in ast.walk(ast.parse(file.read_text() if source is None else source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            for alias in node.names:
                yield Import(file, node.lineno, ".".join([*base, *filter(None, [node.module]), alias.name]))


def modules_of(found: Import) -> t.Iterator[Path]:
    """The files of this collection that an import runs: the module and the packages that hold it."""
    path = PLUGINS
    for part in found.name[len(PACKAGE) + 1 :].split(".") if found.place else ():
        path = path / part
        yield from (each for each in (path / "__init__.py", path.with_suffix(".py")) if each.is_file())


def reach(start: list[Path]) -> set[Path]:
    """The files that some files import, directly or through others."""
    seen: set[Path] = set()
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(module for found in imports(file) for module in modules_of(found))
    return seen


def graph(folder: Path) -> dict[Path, set[Path]]:
    """What each file of a folder imports of the others, also within functions and for type checkers alone.

    The packages that hold a file don't count: Python has run them before.
    """
    return {
        file: {
            module
            for found in imports(file)
            for module in modules_of(found)
            if not (module.name == "__init__.py" and module.parent in file.parents)
        }
        for file in folder.rglob("*.py")
    }


def circles(graph: dict[Path, set[Path]]) -> list[list[str]]:
    """The groups of files that import one another, directly or through others."""
    left = dict(graph)
    while free := [file for file, imported in left.items() if not imported & left.keys()]:
        for file in free:
            del left[file]
    reached = {file: _reached(left, file) for file in left}
    groups = {frozenset(other for other in reached[file] if file in reached[other]) for file in left}
    return sorted(sorted(file.name for file in group) for group in groups if group)


def _reached(graph: dict[Path, set[Path]], start: Path) -> set[Path]:
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] & graph.keys() - seen
        seen |= new
        waiting.extend(new)
    return seen
