# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``status``: what there is to know of the caller's cards."""

from __future__ import annotations

import datetime
import typing as t

from .._encoding.owner_call import Message
from .certificate import CertificateState, Lists, state_of

_FACES = {"pkcs11": "p11-kit"}


def told(card: Message, lists: Lists) -> Message:
    """Returns a card as programs read it."""
    return {**card, "keys": [_key(key, state_of(key, lists)) for key in card["keys"]]}


def _key(key: Message, state: t.Optional[CertificateState]) -> Message:
    if state is None:
        return key
    about = {
        "subject": state.subject,
        "begins": state.begins.isoformat(),
        "ends": state.ends.isoformat(),
        "revoked": state.revoked,
        "fits": state.fits,
    }
    return {**key, "certificate": {"der": key["certificate"], **about}}


def lines(card: Message, lists: Lists, now: datetime.datetime) -> t.Iterator[str]:
    """Returns a card as people read it."""
    yield f"{card['name']} (card {card['card']}, {card['edge'].upper()})"
    yield _line("seen by", ", ".join(_face(card, face) for face in card["faces"]))
    yield _line("PIN", f"{_tries(card, 'pin')}; {pin_life(card)}")
    yield _line("PUK", _tries(card, "puk"))
    for key in card["keys"]:
        yield _line(key["slot"], f"{key['algorithm']}; {_certificate(state_of(key, lists), now)}")


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


def _certificate(state: t.Optional[CertificateState], now: datetime.datetime) -> str:
    if state is None:
        return "no certificate"
    revoked = {True: "REVOKED", False: "not revoked", None: "whether it was revoked is not known here"}[state.revoked]
    ends = f"ENDED on {state.ends:%Y-%m-%d}" if now >= state.ends else f"ends on {state.ends:%Y-%m-%d}"
    return f"{state.subject}, {ends}, {revoked}" + ("" if state.fits else ", and is for ANOTHER KEY")
