# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's words, made harmless before they reach a terminal, a log or a page.

A host may say anything: sequences that move a terminal's cursor, letters that turn the direction of a line, millions
of them, lists within lists.
"""

from __future__ import annotations

import typing as t

LONGEST_SENTENCE = 2000
"""Characters that one host may add to a message."""
LONGEST_TEXT = 16384
_MOST_VALUES = 4000
_DEEPEST = 12
_CUT = " ..."
_KEPT = frozenset("\n\t")


def sentence(words: t.Any, most: int = LONGEST_SENTENCE) -> str:
    """Returns words in one line, without control characters; empty if it is no text."""
    return " ".join(text(words, most).split()) if isinstance(words, str) else ""


def text(words: str, most: int = LONGEST_TEXT) -> str:
    """Returns text in which nothing but line ends and tabs controls anything, cut where it is too long."""
    cut = words[:most]
    shown = cut if cut.isprintable() else "".join(map(_shown, cut))
    return shown + _CUT if len(words) > most else shown


def _shown(character: str) -> str:
    """Control and format characters, halves of pairs, and spaces of other kinds, become a question mark."""
    return character if character.isprintable() or character in _KEPT else "?"


def sentences(values: t.Any, most: int = 50) -> t.List[str]:
    """Returns the texts of a list, each in one line, as many as a host may add."""
    said = values[:most] if isinstance(values, (list, tuple)) else ()
    return list(filter(None, (sentence(_of_warning(each)) for each in said)))


def _of_warning(value: t.Any) -> t.Any:
    """Ansible from 2.19 on makes an object of a module's warning."""
    return getattr(getattr(value, "event", None), "msg", value)


def plain(value: t.Any) -> t.Any:
    """Returns what a JSON document says, cleaned, in bounds: what lies too deep or is too much is left out."""
    return _Copy().of(value, _DEEPEST)


def plain_object(value: t.Any, longest: int = LONGEST_TEXT) -> t.Dict[str, t.Any]:
    """Returns the same of an object; an empty one for anything else."""
    found = _Copy(longest).of(value, _DEEPEST)
    return found if isinstance(found, dict) else {}


class _Copy:
    def __init__(self, longest: int = LONGEST_TEXT) -> None:
        self._left = _MOST_VALUES
        self._longest = longest

    def of(self, value: t.Any, depth: int) -> t.Any:
        self._left -= 1
        if depth == 0 or self._left < 0:
            return None
        if isinstance(value, str):
            return text(str(value), self._longest)
        if value is None or isinstance(value, (bool, int, float)):
            return value if not isinstance(value, int) or abs(value) < 1 << 64 else None
        if isinstance(value, t.Mapping):
            return {text(str(name), 255): self.of(each, depth - 1) for name, each in self._some(value.items())}
        return [self.of(each, depth - 1) for each in self._some(value)] if isinstance(value, (list, tuple)) else None

    def _some(self, values: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
        for each in values:
            if self._left <= 0:
                return
            yield each
