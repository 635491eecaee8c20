# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``change-pin``: a new PIN for a card. The same is asked at a sign-in, where a PIN has to be changed."""

from __future__ import annotations

import typing as t

from .._encoding.owner_call import Message
from .exit_code import CommandError, ExitCode
from .service import CardService
from .terminal import NothingGiven, Terminal

REMEDY = "change it with: hardbound-card change-pin"
_ROUNDS = 3
_TYPED_ANEW = (ExitCode.RULE, ExitCode.USAGE)
"""What costs no try, and is mended by typing something else."""


def why_due(card: Message) -> str:
    """Returns the begin of a sentence that says why the PIN of a card has to be changed."""
    return f"The PIN of {card['name']} {card['pin_due']}"


def change(card: Message, service: CardService, terminal: Terminal) -> None:
    """Asks for the PIN and for a new one.

    :raises CommandError: for a wrong PIN, or a new one that breaks a rule, which is named
    """
    pin = terminal.ask(f"PIN of {card['name']}")
    service.change_pin(card["card"], pin, terminal.ask_new("PIN"))
    terminal.tell({"changed": card["name"]}, [f"The PIN of {card['name']} is changed."])


def change_due(cards: t.Iterable[Message], service: CardService, terminal: Terminal) -> None:
    """Has somebody who signs in change each PIN that is due. What goes wrong is said, and nobody is kept out."""
    for card in cards:
        terminal.tell({}, [f"{why_due(card)}. Change it here, or press Enter to leave it."])
        try:
            _change_in_rounds(card, service, terminal)
        except NothingGiven:
            terminal.tell({}, [f"The PIN of {card['name']} stays: {REMEDY}"])
        except CommandError as error:
            terminal.tell({}, [str(error)])


def _change_in_rounds(card: Message, service: CardService, terminal: Terminal) -> None:
    """:raises CommandError: for what cost a try or can't be mended here, or in the last round"""
    for left in reversed(range(_ROUNDS)):
        try:
            return change(card, service, terminal)
        except NothingGiven:
            raise
        except CommandError as error:
            if error.code not in _TYPED_ANEW or not left:
                raise
            terminal.tell({}, [str(error)])
    return None
