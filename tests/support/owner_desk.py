# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards in software, and the socket where their owners ask, served by a thread as the card service serves it."""

from __future__ import annotations

import os
import pwd
import selectors
import socket
import time
import types
import typing as t
from pathlib import Path

from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import State
from ansible_collections.hardbound.identity.plugins.module_utils._edge.owner.face import OwnerFace
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.owner_call import read_line, write_line
from ansible_collections.hardbound.identity.tests.support.selector_thread import SelectorThread
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard
from ansible_collections.hardbound.identity.tests.support.soft_passkeys import SoftPasskeys

ME = pwd.getpwuid(os.getuid()).pw_name


class OwnedCard(SoftCard):
    """Has passkeys, too."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.passkeys = SoftPasskeys(t.cast(t.Any, self))


class SoftHost:
    """A store whose cards are in memory."""

    def __init__(self) -> None:
        self.cards: t.Dict[int, OwnedCard] = {}
        self.owners: t.Dict[int, str] = {}

    def put(
        self, number: int = 0, name: str = "Card of Alice", owner: str = ME, faces: t.Sequence[Face] = (Face.PKCS11,)
    ) -> OwnedCard:
        card = OwnedCard(number)
        card.name, card.faces = name, tuple(faces)
        card.add(0x9A, KeyAlgorithm.ECC_P256)
        card.add(0x9D, KeyAlgorithm.RSA_2048)
        card.certify(0x9A)
        self.cards[number], self.owners[number] = card, owner
        return card

    def numbers(self) -> t.Mapping[int, object]:
        return dict.fromkeys(self.cards, 1)

    def stamp(self, number: int) -> t.Optional[int]:
        return 1 if number in self.cards else None

    def record(self, number: int) -> t.Any:
        card = self.cards[number]
        return types.SimpleNamespace(
            number=number,
            name=card.name,
            owner=self.owners[number],
            group="",
            presented=True,
            faces=card.faces,
            state=State.READY,
            has_reader=Face.PCSC in card.faces,
        )

    def open(self, number: int) -> t.Any:
        if number not in self.cards:
            raise CardGone("no such card")
        return self.cards[number]


class OwnerDesk:
    """The socket, in a folder that also says which cards are in their readers."""

    def __init__(self, host: SoftHost, folder: Path) -> None:
        self.path = str(folder / "owners")
        self.run = folder
        self.failures: t.List[Exception] = []
        self._face = OwnerFace(self.path, folder)
        self._selector = selectors.DefaultSelector()
        self._face.start(t.cast(t.Any, host), self._selector, self.failures.append)
        self._thread = SelectorThread(self._selector, lambda: self._face.due, lambda: self._face.tidy(time.monotonic()))

    def stop(self) -> None:
        self._thread.stop()
        self._face.stop()
        self._thread.close()

    def ask(self, call: str, **said: t.Any) -> t.Mapping[str, t.Any]:
        return read_line(self.send(write_line({"call": call, **said})))

    def send(self, data: bytes) -> bytes:
        """Returns what comes until the service closes the connection."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(self.path)
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))
