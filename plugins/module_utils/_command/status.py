# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``status``: what there is to know of the caller's cards."""

from __future__ import annotations

import datetime
import typing as t

from .._encoding.owner_call import Message
from .certificate import Lists, state_of

_FACES = {"pkcs11": "p11-kit"}


def told(card: Message, lists: Lists) -> Message:
    """Returns a card as programs read it."""
    return {**card, "keys": [_key(key, lists) for key in card["keys"]]}


def _key(key: Message, lists: Lists) -> Message:
    state = state_of(key, lists)
    return {**key, "certificate": {"der": key["certificate"], **state.told()}} if state else key


def lines(card: Message, lists: Lists, now: datetime.datetime) -> t.Iterator[str]:
    """Returns a card as people read it."""
    yield f"{card['name']} (card {card['card']}, {card['edge'].upper()})"
    yield _line("seen by", ", ".join(_face(card, face) for face in card["faces"]))
    yield _line("PIN", f"{_tries(card, 'pin')}; {pin_life(card)}")
    yield _line("PUK", _tries(card, "puk"))
    for key in card["keys"]:
        yield _line(key["slot"], f"{key['algorithm']}; {_certificate(key, lists, now)}")


def _line(what: str, said: str) -> str:
    return f"  {what:<20} {said}"


def _face(card: Message, face: str) -> str:
    if face != "pcsc":
        return _FACES.get(face, face)
    return f"reader {card['reader']!r}" + ("" if card["in_reader"] else ", which the card is NOT in")


def _tries(card: Message, secret: str) -> str:
    if card["tpm"]:
        return f"not known: {card['tpm']}"
    tries = card["tries"].get(secret)
    if tries is None:
        return "none"
    return f"{tries['left']} of {tries['of']} tries left" if tries["left"] else "BLOCKED"


def pin_life(card: Message) -> str:
    """Returns until when a PIN is good."""
    if card["pin_due"]:
        return str(card["pin_due"])
    if card["pin_expires_at"] is None:
        return "does not expire"
    return f"expires on {datetime.datetime.fromtimestamp(card['pin_expires_at']):%Y-%m-%d}"


def _certificate(key: Message, lists: Lists, now: datetime.datetime) -> str:
    state = state_of(key, lists)
    return state.said(now) if state else "no certificate"
