# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An authenticator answers any requests and any packets, none by a failure, and its card works afterwards."""

from __future__ import annotations

import typing as t

import pytest

pytest.importorskip("cbor2", reason="needs cbor2, as in Debian's python3-cbor2")

from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2 import cbor
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.hid import HidCommand, HidDevice, packets
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.pin_protocol import PinProtocolTwo
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.pin_token import PinToken
from ansible_collections.hardbound.identity.tests.fuzz.mutation import COUNT, feed
from ansible_collections.hardbound.identity.tests.support.soft_passkeys import SoftPasskeyCard

RP, HASH = "corp.example", bytes(range(32))
_REQUESTS = 200
"""Requests that one card gets."""
_INFO = b"\x04"


class ForgivingCard(SoftPasskeyCard):
    """One whose tries never end, so that what is behind the PIN is met too."""

    def logout(self) -> None:
        self.due = ""

    def _check(self, reference: t.Any, secret: bytes) -> None:
        pass


class GoodToken(PinToken):
    """One that is always good, whatever a MAC says."""

    def check(self, *_given: object) -> None:
        self.user_present = True


def requests() -> t.List[bytes]:
    """Each command, as a client would send it."""
    agreement = PinProtocolTwo().public
    credential = {"id": bytes(32), "type": "public-key"}
    secret = {1: agreement, 2: bytes(48), 3: bytes(32), 4: 2}
    extensions = {"credBlob": b"x", "credProtect": 2, "hmac-secret": True, "largeBlobKey": True, "minPinLength": True}
    user, algorithms = {"id": b"id", "name": "alice"}, [{"alg": -7, "type": "public-key"}]
    made = {1: HASH, 2: {"id": RP}, 3: user, 4: algorithms}
    asked: t.Sequence[t.Tuple[int, t.Any]] = (
        (0x01, {**made, 8: bytes(32), 9: 2}),
        (0x01, {**made, 5: [credential], 6: extensions, 7: {"rk": True}, 8: bytes(32), 9: 2, 11: ["none", "packed"]}),
        (0x02, {1: RP, 2: HASH, 6: bytes(32), 7: 2}),
        (0x02, {1: RP, 2: HASH, 3: [credential], 4: {"hmac-secret": secret, "credBlob": True}, 5: {"up": False}}),
        (0x02, {1: RP, 2: HASH, 4: {"hmac-secret": secret, "largeBlobKey": True}, 6: bytes(32), 7: 2}),
        (0x04, None),
        (0x06, {1: 2, 2: 1}),
        (0x06, {1: 1, 2: 2}),
        (0x06, {1: 2, 2: 3, 3: agreement, 4: bytes(32), 5: bytes(80)}),
        (0x06, {1: 2, 2: 4, 3: agreement, 4: bytes(32), 5: bytes(80), 6: bytes(32)}),
        (0x06, {1: 1, 2: 5, 3: agreement, 6: bytes(16)}),
        (0x06, {1: 2, 2: 9, 3: agreement, 6: bytes(32), 9: 0x37, 10: RP}),
        (0x07, None),
        (0x08, None),
        (0x0A, {1: 1, 3: 2, 4: bytes(32)}),
        (0x0A, {1: 2, 3: 2, 4: bytes(32)}),
        (0x0A, {1: 3}),
        (0x0A, {1: 4, 2: {1: HASH}, 3: 2, 4: bytes(32)}),
        (0x0A, {1: 6, 2: {2: credential}, 3: 2, 4: bytes(32)}),
        (0x0A, {1: 7, 2: {2: credential, 3: user}, 3: 2, 4: bytes(32)}),
        (0x0B, None),
        (0x0C, {1: 100, 3: 0}),
        (0x0C, {2: bytes(17), 3: 0, 4: 17, 5: bytes(32), 6: 2}),
        (0x0C, {2: bytes(17), 3: 17, 5: bytes(32), 6: 2}),
        (0x0D, {1: 2, 3: 2, 4: bytes(32)}),
        (0x0D, {1: 3, 2: {1: 6, 2: [RP], 3: False}, 3: 2, 4: bytes(32)}),
    )
    return [bytes((command,)) + (b"" if given is None else cbor.encode(given)) for command, given in asked]


TOKENS = [bytes.fromhex(each) for each in ("a10102", "81", "84", "f4", "f5", "f6", "9f", "ff", "5820", "62726b", "20")]


class Fuzzed:
    """Takes requests until its card has had enough of them, and then those of another card."""

    def __init__(self, anybody: bool) -> None:
        self._anybody = anybody
        self._left = 0
        self.done: t.Set[int] = set()
        """Commands that it has carried out."""

    def take(self, request: bytes) -> None:
        if not self._left:
            self._renew()
        self._left -= 1
        answer = self.authenticator.transmit(request, 1)
        assert answer and (len(answer) == 1 or cbor.decode(answer[1:]) is not None)
        assert self.errors == [], request.hex()
        if not answer[0]:
            self.done.add(request[0])

    def _renew(self) -> None:
        self._left, self.errors = _REQUESTS, t.cast("list[Exception]", [])
        self.card = SoftPasskeyCard() if self._anybody else ForgivingCard()
        self.authenticator = Authenticator(self.card, self.errors.append)
        if not self._anybody:
            self.card.verify(b"")
            self.authenticator._state.token = GoodToken(lambda: 0.0)
        assert self.authenticator.transmit(_INFO)[0] == 0


@pytest.mark.parametrize("anybody", [True, False])
def test_requests(anybody: bool) -> None:
    """As any program sends them, and as one that has a token."""
    fuzzed = Fuzzed(anybody)
    feed(f"CTAP {anybody}", requests(), fuzzed.take, COUNT // 2, TOKENS)
    everybodys = {0x04, 0x06, 0x0B, 0x0C}
    assert fuzzed.done >= (everybodys if anybody else {*everybodys, 0x01, 0x02, 0x0A, 0x0D})


def test_cbor() -> None:
    """What is read is written the same way again, so nothing is read in two ways."""

    def take(data: bytes) -> None:
        try:
            value = cbor.decode(data)
        except cbor.CborError:
            return
        assert cbor.encode(value) == data

    feed("CTAP's CBOR", [each[1:] for each in requests() if each[1:]], take, COUNT, TOKENS)


def test_packets() -> None:
    """Several to a device, which then still gives a channel."""
    seeds = [b"".join(packets(1, HidCommand.CBOR, request)) for request in requests()]
    seeds += [next(packets(channel, HidCommand.INIT, bytes(8))) for channel in (1, 0xFFFFFFFF)]
    sent: t.List[bytes] = []

    class Echo:
        def transmit(self, request: bytes, channel: int, present: bool) -> bytes:
            return b"\0" + request

    device = HidDevice(Echo(), sent.append, pause=lambda _seconds: None)

    def take(data: bytes) -> None:
        sent.clear()
        for start in range(0, len(data), 64):
            device.receive(data[start : start + 64])
        assert all(len(each) == 64 for each in sent)
        sent.clear()
        device.receive(next(packets(0xFFFFFFFF, HidCommand.INIT, b"12345678")))
        assert sent and sent[-1][7:15] == b"12345678"

    feed("CTAPHID", seeds, take, COUNT // 10)
