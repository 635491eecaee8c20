# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One meaning a name: two classes of ``plugins/`` with the same name are the same noun, seen from two places."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugins"

SHARED = {
    "ActionModule": "what Ansible calls the class of an action plugin",
    "AdminAuthentication": "one for each interpreter of APDUs",
    "Application": "the base of the interpreters of APDUs, and each of them",
    "Card": "a card in use, and the protocol of what edges may ask of it",
    "FilterModule": "what Ansible calls the class of filters",
    "Instruction": "one table for each interpreter of APDUs",
    "ModuleDocFragment": "what Ansible calls the class of texts that modules share",
    "Tpm": "a TPM, and the protocol of it for the file that it imports itself",
}
"""The names that several classes have, and what all of them are."""


def classes(file: Path) -> set[str]:
    """The names of a file's classes that others can import."""
    found = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef))
    return {node.name for node in found if not node.name.startswith("_")}


def test_a_name_has_one_meaning() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for file in PLUGINS.rglob("*.py"):
        for name in classes(file):
            homes[name].append(file.name)
    assert {name for name, places in homes.items() if len(places) > 1} == SHARED.keys(), homes
