# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one program has: the cards that it may use, and its sessions with them."""

from __future__ import annotations

import contextlib
import typing as t

from ..._card.errors import CardGone
from ..card import Card
from .fault import CallRefused
from .reference import Rv
from .session import Session, Sessions
from .token import Token


class Cards(t.Protocol):
    """The cards that a program may use. Who that is, the other end of the connection decides."""

    def usable(self) -> t.Sequence[int]:
        """Returns the numbers of the cards, as they are now."""

    def may_use(self, number: int) -> bool:
        """Whether a card is among them, now."""

    def open(self, number: int) -> Card:
        """:raises CardGone: if there is no such card"""


class Context:
    """:param initialized: whether the program has said C_Initialize; one that outlived a restart of the service has"""

    def __init__(self, cards: Cards, initialized: bool = False) -> None:
        self.initialized = initialized
        self.sessions = Sessions()
        self._cards = cards
        self._tokens: t.Dict[int, Token] = {}

    def slots(self) -> t.List[int]:
        """Returns the slots that the program has. What is no longer among them is closed."""
        usable = list(self._cards.usable())
        for number in set(self._tokens) - set(usable):
            self.drop(self._tokens[number])
        return usable

    def token(self, slot: int) -> Token:
        """:raises CallRefused: if the program has no such slot"""
        if not self._cards.may_use(slot):
            raise CallRefused(Rv.SLOT_ID_INVALID)
        if slot not in self._tokens:
            try:
                self._tokens[slot] = Token(slot, self._cards.open(slot))
            except CardGone:
                raise CallRefused(Rv.SLOT_ID_INVALID) from None
        return self._tokens[slot]

    def session(self, handle: int) -> Session:
        """:raises CallRefused: if the program has no such session, or may no longer use its card"""
        session = self.sessions.get(handle)
        if not self._cards.may_use(session.token.number):
            self.drop(session.token)
            raise CallRefused(Rv.DEVICE_REMOVED)
        return session

    def drop(self, token: Token) -> None:
        """Ends what the program had with a card that is no more, or no more theirs."""
        self.sessions.close_all(token)
        self._tokens.pop(token.number, None)
        with contextlib.suppress(CardGone):
            token.close()

    def end(self) -> None:
        """Ends everything."""
        for token in list(self._tokens.values()):
            self.drop(token)
