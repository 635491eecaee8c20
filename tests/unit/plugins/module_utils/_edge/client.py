# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that talks to a card application in short APDUs, as it does over a reader without extended length."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._edge.application import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import CommandAPDU, ResponseAPDU
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard


class ShortClient:
    """:param application: kind of application that the card has"""

    def __init__(self, card: SoftCard, application: t.Type[Application]) -> None:
        self.card = card
        self.failures: t.List[Exception] = []
        self.application = application(t.cast(t.Any, card), self.failures.append)

    def send(self, ins: int, p1: int, p2: int, data: bytes = b"") -> ResponseAPDU:
        """Chains what is long, and fetches the rest of a long answer."""
        while len(data) > 255:
            part, data = data[:255], data[255:]
            assert self.transmit(CommandAPDU(0x10, ins, p1, p2, part)).status == 0x9000
        response = self.transmit(CommandAPDU(0x00, ins, p1, p2, data, 256))
        answer = response.data
        while response.status >> 8 == 0x61:
            response = self.transmit(CommandAPDU(0x00, 0xC0, 0x00, 0x00, le=256))
            answer += response.data
        return ResponseAPDU(answer, response.status)

    def transmit(self, command: CommandAPDU) -> ResponseAPDU:
        return ResponseAPDU.parse(self.application.transmit(command.encode()))
