# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that users read, and what the fenced blocks of these hold."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml

COLLECTION = Path(__file__).parents[2]
PAGES = sorted(
    [
        COLLECTION / "README.md",
        *COLLECTION.glob("docs/*.md"),
        *COLLECTION.glob("roles/*/README.md"),
        COLLECTION / "extensions/molecule/README.md",
        COLLECTION / "tests/machine/README.md",
    ]
)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, the first of which YAML would drop without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> t.Dict[t.Hashable, t.Any]:
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        if len(set(keys)) < len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def relative(page: Path) -> str:
    return str(page.relative_to(COLLECTION))


def without_blocks(text: str) -> str:
    """What is left of a page when its fenced blocks are taken out."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> t.Iterator[t.Tuple[str, str]]:
    """Yields the fenced blocks in a language, each with its place."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 1
            yield f"{relative(page)}:{line}", found[1]


def yaml_blocks() -> t.Iterator[t.Tuple[str, t.Any]]:
    """Yields what the blocks in YAML say, each with its place.

    :raises ValueError: a block is not YAML, or a key stands twice in it
    """
    for where, text in blocks("yaml"):
        try:
            yield where, yaml.load(text, _Loader)
        except yaml.YAMLError as error:
            raise ValueError(f"{where}: {error}") from error
