# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the files of a package that programs run: what their entry points import, and what that imports, and so on.

Prints JSON: {path within the package: SHA-256}. Imports within functions count, those for type checkers alone don't.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "hardbound_identity"
"""What the entry point calls the folder."""


def statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that a run may come to."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for each in node.orelse:
                yield from statements(ast.Module([each], []))
        else:
            yield from statements(node)


def names(file: Path, package: list[str]) -> Iterator[list[str]]:
    """What a file imports, absolute, as lists of names."""
    for node in statements(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        else:
            above = package[: len(package) - node.level + 1] if node.level else []
            module = above + (node.module.split(".") if node.module else [])
            yield from ([*module, alias.name] for alias in node.names)


def modules(name: list[str], folder: Path) -> Iterator[Path]:
    """The files that the import of a name runs: the module, and the packages that hold it."""
    path = folder
    for part in name[1:] if name[0] == PACKAGE else ():
        path = path / part
        yield from (each for each in (path / "__init__.py", path.with_suffix(".py")) if each.is_file())


def reached(entries: list[Path], folder: Path) -> set[Path]:
    """The files of the folder that entry points import, directly or through others."""
    found: set[Path] = set()
    waiting = [(entry, [PACKAGE]) for entry in entries]
    while waiting:
        file, package = waiting.pop()
        new = {each for name in names(file, package) for each in modules(name, folder)} - found
        found |= new
        waiting += [(each, [PACKAGE, *each.relative_to(folder).parent.parts]) for each in new]
    return found


def main(*arguments: str) -> None:
    """:param arguments: the entry points, and the folder"""
    *entries, root = map(Path, arguments)
    files = sorted(reached(entries, root))
    sums = {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    print(json.dumps(sums))


main(*sys.argv[1:])
