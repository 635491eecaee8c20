# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the owner of a card learns of it without its PIN."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ..._card.errors import CardGone
from ..._card.face import Face
from ..._card.host import CardHost
from ..._card.key import Key, slot_name
from ..._card.passkey import Passkey
from ..._card.record import Record, presented
from ..._card.secret import Reference
from ..._encoding.fields import encoded
from ..._encoding.owner_call import Message
from ..._errors import HardboundError
from ..card import Card
from ..pkcs11.attributes import identifier
from ..reader_name import reader_name


class ReaderSight:
    """The readers of a host, and which of them hold their cards.

    :param run: folder for ``NNNN.present``
    """

    def __init__(self, host: CardHost, run: Path) -> None:
        self._host = host
        self._run = run

    def name(self, number: int) -> str:
        """Returns the name under which programs see the reader of a card that has one."""
        return reader_name(number, presented(self._records()))

    def holds(self, number: int) -> bool:
        """Whether pcscd has asked the card for something, so that programs find it there."""
        return (self._run / f"{number:04d}.present").exists()

    def _records(self) -> t.Iterator[Record]:
        for number in self._host.numbers():
            try:
                yield self._host.record(number)
            except CardGone:
                continue


def view(card: Card, readers: ReaderSight) -> Message:
    """Returns what there is to know of a card."""
    has_reader = Face.PCSC in card.faces
    return {
        "card": card.number,
        "name": card.name,
        "edge": card.edge.value,
        "serial": card.serial.hex(),
        "faces": [face.value for face in card.faces],
        "reader": readers.name(card.number) if has_reader else None,
        "in_reader": has_reader and readers.holds(card.number),
        **_tries(card),
        "pin_due": card.pin_due.value if card.pin_due else None,
        "pin_must_change": card.pin_must_change,
        "pin_expires_at": card.pin_expires_at,
        "keys": [_key(card, key) for _slot, key in sorted(card.keys().items())],
    }


def passkey_view(passkey: Passkey) -> Message:
    """Returns what there is to know of a discoverable passkey."""
    user = passkey.user
    return {
        "passkey": encoded(passkey.identifier),
        "rp": passkey.rp,
        "user": (user.name or user.display_name) if user else "",
        "made_at": passkey.made_at,
    }


def _tries(card: Card) -> Message:
    """Returns the tries that are left. A TPM that is away hides them, and nothing else."""
    found: t.Dict[str, t.Any] = {"tries": {}, "tpm": None}
    for reference in (Reference.PIN, Reference.PUK):
        if card.has(reference):
            try:
                tries = card.tries(reference)
            except HardboundError as error:
                return {"tries": {}, "tpm": str(error)}
            found["tries"][reference.value] = {"left": tries.left, "of": tries.limit}
    return found


def _key(card: Card, key: Key) -> Message:
    certificate = card.certificate(key.slot)
    return {
        "slot": slot_name(key.slot),
        "id": identifier(key.slot).hex(),
        "algorithm": key.algorithm.value,
        "pin": key.pin.value,
        "public": encoded(key.public),
        "certificate": encoded(certificate) if certificate else None,
    }
