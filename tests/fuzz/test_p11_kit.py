# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that p11-kit's programs ask answers any requests, none by a failure, and its card works afterwards."""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import (
    Cka,
    Rv,
    User,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_frame import Frame, Frames
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_mechanism import MechanismType
from ansible_collections.hardbound.identity.tests.fuzz.mutation import feed
from ansible_collections.hardbound.identity.tests.fuzz.ready_card import ReadyCard
from ansible_collections.hardbound.identity.tests.support.card_table import (
    OneCard,
    Table,
    private,
)
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import HANDSHAKE, Mechanism, framed, request
from ansible_collections.hardbound.identity.tests.support.soft_card import ADMIN_KEY, PIN, PUK

M = MechanismType
_PLACEHOLDER = (0x5E55105E55105E55).to_bytes(8, "big")
"""Stands for a session's handle, which is another each time."""
_SESSION = int.from_bytes(_PLACEHOLDER, "big")
_REQUESTS = 100
"""Requests that one program makes."""


class FuzzedCard(ReadyCard, OneCard):
    """A card that the module shows."""


def requests() -> t.List[bytes]:
    """Each call that a card serves, as a program would make it."""
    key, rsa_key, digest = 0x9A * 8 + 3, 0x9D * 8 + 3, bytes(range(32))
    point = FuzzedCard().add(0x9A, KeyAlgorithm.ECC_P256).public_key().public_numbers()
    there = b"\4" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    p256 = bytes.fromhex("06082a8648ce3d030107")
    certificate = FuzzedCard()
    certificate.add(0x9A, KeyAlgorithm.ECC_P256)
    calls: t.Sequence[t.Tuple[t.Any, ...]] = (
        ("C_Initialize", HANDSHAKE, 0, b"\0"),
        ("C_GetInfo",),
        ("C_GetSlotList", 1, 9),
        ("C_GetSlotInfo", 0),
        ("C_GetTokenInfo", 0),
        ("C_GetMechanismList", 0, 99),
        ("C_GetMechanismInfo", 0, M.ECDSA),
        ("C_OpenSession", 0, 6),
        ("C_GetSessionInfo", _SESSION),
        ("C_Login", _SESSION, User.USER, PIN),
        ("C_Login", _SESSION, User.CONTEXT_SPECIFIC, PIN),
        ("C_Login", _SESSION, User.SO, PUK),
        ("C_Login", _SESSION, User.SO, ADMIN_KEY.value.hex().encode()),
        ("C_Logout", _SESSION),
        ("C_SetPIN", _SESSION, PIN, PIN),
        ("C_InitPIN", _SESSION, PIN),
        ("C_FindObjectsInit", _SESSION, [(Cka.CLASS, 3), (Cka.TOKEN, True), (Cka.ID, b"\1")]),
        ("C_FindObjects", _SESSION, 9),
        ("C_FindObjectsFinal", _SESSION),
        ("C_GetAttributeValue", _SESSION, key, [(Cka.LABEL, 99), (Cka.VALUE, 0), (Cka.EC_PARAMS, 9)]),
        ("C_SignInit", _SESSION, Mechanism(M.ECDSA), key),
        ("C_SignInit", _SESSION, Mechanism(M.RSA_PKCS_PSS, (0x250, 2, 32)), rsa_key),
        ("C_Sign", _SESSION, digest, 256),
        ("C_SignUpdate", _SESSION, digest),
        ("C_SignFinal", _SESSION, 256),
        ("C_DecryptInit", _SESSION, Mechanism(M.RSA_PKCS_OAEP, (0x250, 2, 1, b"label")), rsa_key),
        ("C_Decrypt", _SESSION, bytes(256), 256),
        ("C_DeriveKey", _SESSION, Mechanism(M.ECDH1_DERIVE, (1, b"", there)), key, [(Cka.VALUE_LEN, 16)]),
        ("C_GenerateKeyPair", _SESSION, Mechanism(M.EC_KEY_PAIR_GEN), [(Cka.EC_PARAMS, p256)], [(Cka.ID, b"\5")]),
        ("C_CreateObject", _SESSION, [(Cka.CLASS, 1), (Cka.TOKEN, True), (Cka.VALUE, certificate.certify(0x9A))]),
        ("C_DestroyObject", _SESSION, key),
        ("C_GenerateRandom", _SESSION, 32),
        ("C_SessionCancel", _SESSION, 1 << 11),
        ("C_CloseSession", _SESSION),
        ("C_CloseAllSessions", 0),
        ("C_Finalize",),
    )
    return [request(name, arguments, 2) for name, *arguments in calls]


class Programs:
    """Programs that come, make requests and go."""

    def __init__(self) -> None:
        self._made = 0
        self._start()

    def _start(self) -> None:
        card = FuzzedCard()
        card.add(0x9A, KeyAlgorithm.ECC_P256)
        card.add(0x9D, KeyAlgorithm.RSA_2048)
        card.certify(0x9A)
        self.table = Table(card)
        self._session = self.table.client.open(0)
        self.table.client.call("C_Login", self._session, User.USER, PIN)

    def take(self, body: bytes) -> None:
        self._made += 1
        if self._made % _REQUESTS == 0:
            self.table.program.end()
            self._start()
        answer = self.table.program.respond(Frame(16, body.replace(_PLACEHOLDER, self._session.to_bytes(8, "big"))))
        assert answer[:12] == struct.pack(">III", 16, 0, len(answer) - 12)
        assert self.table.failures == []


def test_any_requests_are_answered() -> None:
    programs = Programs()
    feed("p11-kit requests", requests(), programs.take)
    programs._start()
    client = programs.table.client
    session = client.open(0)
    assert len(client.sign(session, Mechanism(M.ECDSA), private(client, session, 1), bytes(32))) == 64


def test_any_stream_is_frames() -> None:
    """However bytes are cut, no more is kept than of one frame."""
    frames = Frames()

    def take(data: bytes) -> None:
        frames.feed(data)
        while frames.next():
            pass
        assert len(frames._buffer) <= 2 * (1 << 16) + 12

    feed("p11-kit frames", [framed(each) for each in requests()], take)


def test_the_failures_that_the_fuzzer_looks_for_are_seen() -> None:
    """A card that fails is noticed: the test above can fail."""
    table = Table(FuzzedCard())

    def broken() -> t.NoReturn:
        raise ZeroDivisionError

    table.cards.usable = broken  # type: ignore[method-assign]
    assert table.client.rv("C_GetSlotList", 1, 9) is Rv.DEVICE_ERROR
    assert [type(each) for each in table.failures] == [ZeroDivisionError]
