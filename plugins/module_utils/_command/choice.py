# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the caller's cards is meant."""

from __future__ import annotations

import typing as t

from .._encoding.owner_call import Message
from .exit_code import CommandError, ExitCode


def chosen(cards: t.Sequence[Message], named: t.Optional[str]) -> t.List[Message]:
    """Returns the cards of a name or number; all without one.

    :raises CommandError: if there is none
    """
    if not cards:
        raise CommandError(ExitCode.NO_CARD, "You have no card on this computer: ask your administrator for one.")
    found = those_named(cards, named)
    if not found:
        raise CommandError(ExitCode.NO_CARD, f"You have no card {named!r}: choose {_names(cards)}.")
    return found


def those_named(cards: t.Sequence[Message], named: t.Optional[str]) -> t.List[Message]:
    """Returns the cards of a name or number, which may be none; all without one."""
    return [card for card in cards if named is None or named in (card["name"], str(card["card"]))]


def the_one(cards: t.Sequence[Message], named: t.Optional[str]) -> Message:
    """:raises CommandError: if there is none, or there are several"""
    found = chosen(cards, named)
    if len(found) > 1:
        raise CommandError(ExitCode.NO_CARD, f"You have several cards: choose one with --card: {_names(found)}.")
    return found[0]


def _names(cards: t.Iterable[Message]) -> str:
    return ", ".join(f"{card['name']} ({card['card']})" for card in cards)
