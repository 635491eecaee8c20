# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ATTEST, and slot F9, which holds the certificate of who signed what it answers with."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.piv import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import ResponseAPDU
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import encode
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard
from ansible_collections.hardbound.identity.tests.unit.plugins.module_utils._edge.client import ShortClient

ATTESTATION, ISSUER = b"\x30\x82\x02\xbc" + bytes(700), b"\x30\x82\x02\x58" + bytes(600)
WRAPPED = encode(0x53, encode(0x70, ISSUER) + b"\x71\x01\x00\xfe\x00")


@pytest.fixture
def client() -> ShortClient:
    """A program before a card that was enrolled with one key, and got another beside it."""
    card = SoftCard()
    for slot in (0x9A, 0x82):
        card.add(slot, KeyAlgorithm.ECC_P256)
    card.attest(0x9A, ATTESTATION, ISSUER)
    return ShortClient(card, Application)


def attest(client: ShortClient, slot: int, p2: int = 0x00) -> ResponseAPDU:
    return client.send(0xF9, slot, p2)


def read_issuer(client: ShortClient) -> ResponseAPDU:
    return client.send(0xCB, 0x3F, 0xFF, bytes.fromhex("5C035FFF01"))


def test_an_attested_key_needs_nobody_to_log_in(client: ShortClient) -> None:
    assert attest(client, 0x9A) == ResponseAPDU(ATTESTATION, 0x9000)
    assert read_issuer(client) == ResponseAPDU(WRAPPED, 0x9000)


@pytest.mark.parametrize(
    ("slot", "p2", "status"),
    [
        (0x82, 0x00, 0x6A80),  # a key that no enrolment has seen
        (0x9C, 0x00, 0x6A88),
        (0xF9, 0x00, 0x6A88),
        (0x9B, 0x00, 0x6A88),
        (0x80, 0x00, 0x6A88),
        (0x00, 0x00, 0x6A88),
        (0x9A, 0x01, 0x6A86),
    ],
)
def test_nothing_else_is_attested(client: ShortClient, slot: int, p2: int, status: int) -> None:
    assert attest(client, slot, p2) == ResponseAPDU(b"", status)
    assert client.failures == []


def test_a_key_that_takes_the_place_of_another_is_not_attested(client: ShortClient) -> None:
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    assert attest(client, 0x9A).status == 0x6A80
    client.card.remove_key(0x9A)
    assert attest(client, 0x9A).status == 0x6A88


def test_a_card_that_was_never_enrolled_has_no_issuer() -> None:
    assert read_issuer(ShortClient(SoftCard(), Application)).status == 0x6A82


def test_the_administrator_does_not_write_the_issuer(client: ShortClient) -> None:
    client.card.administered = True
    assert client.send(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FFF01") + WRAPPED).status == 0x6A81
    assert client.send(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FFF015300")).status == 0x6A81
    assert read_issuer(client).data == WRAPPED
