# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of readers, as pcscd 1.9.9 makes them (``src/readerfactory.c``, ``src/configfile.l``)."""

from __future__ import annotations

import typing as t

SLOTS = 2  # of one driver file: vsmartcard-vpcd 3.3 as Debian builds it

_LONGEST_NAME = 121  # bytes: MAX_READERNAME without " 00 00" and the final NUL
_SEPARATOR = ", "
_LONGEST_OF_PAIR = (_LONGEST_NAME - len(_SEPARATOR)) // SLOTS

Cards = t.Mapping[int, str]
"""Names of cards by number."""


def reader_name(number: int, cards: Cards) -> str:
    """Returns the name under which programs see the reader that holds a card."""
    return f"{friendly_names(cards)[number // SLOTS]} 00 {number % SLOTS:02X}"


def friendly_names(cards: Cards) -> t.Dict[int, str]:
    """Returns the names of the readers by pair: those of their cards, told apart where they would be the same."""
    names: t.Dict[int, str] = {}
    for pair in sorted({number // SLOTS for number in cards}):
        name = _joined([cards[number] for number in sorted(cards) if number // SLOTS == pair])
        while name in names.values():
            suffix = f" ({pair})"
            name = _cut(name, _LONGEST_NAME - len(suffix)) + suffix
        names[pair] = name
    return names


def _joined(names: t.Sequence[str]) -> str:
    longest = _LONGEST_NAME if len(names) == 1 else _LONGEST_OF_PAIR
    return _SEPARATOR.join(_cut(_speakable(name), longest) for name in names)


def _speakable(name: str) -> str:
    """Replaces what a quoted string of reader.conf can't hold: it knows no escapes."""
    return "".join(character if character.isprintable() else "?" for character in name.replace('"', "'")) or "?"


def _cut(name: str, longest: int) -> str:
    """Cuts to a number of bytes, and between characters."""
    return name.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")
