# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions whether somebody is there: a card may want its owner to say so, beside the PIN."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass


class PresencePurpose(str, enum.Enum):
    """What a program wants that asks whether somebody is there."""

    MAKE = "make"
    """A passkey."""
    USE = "use"
    """A passkey that there is."""
    CHOOSE = "choose"
    """This device, of several."""
    RESET = "reset"
    """A card that is made anew."""


@dataclass(frozen=True)
class PresenceQuestion:
    """:param owner: the name of whoever is asked
    :param card: the card's name
    :param rp: relying party id; empty where there is none
    """

    owner: str
    card: str
    purpose: PresencePurpose
    rp: str = ""


class PresenceNeeded(Exception):
    """A request goes on once somebody has said to be there: it is to be given anew then."""

    def __init__(self, question: PresenceQuestion) -> None:
        super().__init__(question.purpose.value)
        self.question = question


class AskedForPresence(t.Protocol):
    """A question that somebody was asked."""

    @property
    def answer(self) -> t.Optional[bool]:
        """None until it was answered."""

    def withdraw(self) -> None:
        """Nobody wants an answer any more."""


Ask = t.Callable[[PresenceQuestion], t.Optional[AskedForPresence]]
"""Asks; returns None where nobody is there who could be asked."""


def ask_nobody(_question: PresenceQuestion) -> t.Optional[AskedForPresence]:
    return None
