# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards in software that one user has, and a program of PKCS#11 at the table with them."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.program import Program
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import Cka, ObjectClass
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_frame import Frames
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import Client
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard

PRIVATE = (Cka.CLASS, int(ObjectClass.PRIVATE_KEY))


class OneCard(SoftCard):
    """A card that this face shows."""

    def __init__(self, number: int = 0, **options: t.Any) -> None:
        super().__init__(number, **options)
        self.faces = (Face.PKCS11,)
        self.gone = False

    @property
    def shortest_pin(self) -> int:
        if self.gone:
            raise CardGone("it is gone")
        return super().shortest_pin


class Cards:
    """The cards of one user."""

    def __init__(self, *cards: OneCard) -> None:
        self.cards = {card.number: card for card in cards}

    def usable(self) -> t.Sequence[int]:
        return sorted(self.cards)

    def may_use(self, number: int) -> bool:
        return number in self.cards

    def open(self, number: int) -> t.Any:
        return self.cards[number]


class Table:
    """A program and the module that it talks to."""

    def __init__(self, *cards: OneCard, version: int = 2, initialize: bool = True) -> None:
        self.cards = Cards(*cards)
        self.failures: t.List[Exception] = []
        self.program = Program(self.cards, version, self.failures.append)
        self.client = Client(self.exchange, version)
        if initialize:
            self.client.initialize()

    def exchange(self, frame: bytes) -> bytes:
        frames = Frames()
        frames.feed(frame)
        request = frames.next()
        assert request is not None
        return self.program.respond(request)


def private(client: Client, session: int, identifier: int) -> int:
    (found,) = client.find(session, PRIVATE, (Cka.ID, bytes((identifier,))))
    return found
