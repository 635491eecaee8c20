# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cards of a host in one slot, as SSSD's p11_child gets them: the test is that program."""

from __future__ import annotations

import os
import selectors
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import FIRST_CONTAINER
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.peer import Peer
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11 import sign_in
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.face import Pkcs11Face
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.program import Program
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import (
    Cka,
    ObjectClass,
    Rv,
    User,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_table import OneCard, Table
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import Client, Mechanism
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ALICE_S, BOB_S, WRONG = PIN, b"bob's 12", b"00000000"
ECDSA = Mechanism(0x1041)
DIGEST = bytes(range(32))
PRIVATE = (Cka.CLASS, int(ObjectClass.PRIVATE_KEY))
CERTIFICATE = (Cka.CLASS, int(ObjectClass.CERTIFICATE))


def owned(number: int, pin: bytes = PIN, edge: Edge = Edge.PIV) -> OneCard:
    """Returns a card with a key to sign in with, and one that is none."""
    card = OneCard(number, edge=edge)
    if edge is Edge.PIV:
        card.add(0x9A, KeyAlgorithm.ECC_P256)
        card.certify(0x9A)
        card.add(0x9D, KeyAlgorithm.ECC_P256)
        card.certify(0x9D)
    card.verify(PIN)
    card.change(Reference.PIN, PIN, pin)
    card.logout()
    return card


class Everybody:
    """The cards of a host."""

    def __init__(self, *cards: OneCard) -> None:
        self.cards = {card.number: card for card in cards}

    def usable(self, peer: Peer) -> t.Sequence[int]:
        assert peer.uid == 0
        return sorted(self.cards)

    def open(self, number: int) -> t.Any:
        if self.cards[number].gone:
            raise CardGone("it is gone")
        return self.cards[number]


def program(everybody: Everybody) -> Client:
    """Returns p11_child, connected."""
    cards = sign_in.SignInCards.of(t.cast(t.Any, everybody), Peer(0, frozenset()))
    assert cards is not None
    table = Table()
    table.program = Program(cards, 2, table.failures.append)
    table.client.initialize()
    return table.client


@pytest.fixture
def alice() -> OneCard:
    return owned(0)


@pytest.fixture
def bob() -> OneCard:
    return owned(1, BOB_S)


@pytest.fixture
def both(alice: OneCard, bob: OneCard) -> Client:
    return program(Everybody(alice, bob))


def tries(card: OneCard) -> int:
    return card.tries(Reference.PIN).left


def logged_in(client: Client, pin: bytes) -> int:
    session = client.open(0)
    client.call("C_Login", session, User.USER, pin)
    return session


def key(client: Client, session: int, place: int) -> int:
    (found,) = client.find(session, PRIVATE, (Cka.ID, bytes((place,))))
    return found


def test_there_is_one_slot_with_everybody_s_certificates(both: Client, alice: OneCard, bob: OneCard) -> None:
    assert both.call("C_GetSlotList", True, 8)[0] == [0]
    session = both.open(0)
    found = both.find(session, CERTIFICATE)
    assert len(found) == 2, "those of 9A, and none of 9D"
    wanted = [alice.certificates[0x9A], bob.certificates[0x9A]]
    assert [both.attribute(session, each, Cka.VALUE) for each in found] == wanted


@pytest.mark.parametrize(("place", "pin"), [(0, ALICE_S), (1, BOB_S)])
def test_each_signs_with_their_own_card(both: Client, alice: OneCard, bob: OneCard, place: int, pin: bytes) -> None:
    card, other = (alice, bob) if place == 0 else (bob, alice)
    session = logged_in(both, pin)
    signature = both.sign(session, ECDSA, key(both, session, place), DIGEST)
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    public: ec.EllipticCurvePublicKey = card._private[0x9A].public_key()
    public.verify(der, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    assert card.verified and not other.verified, "the PIN went to one card"
    assert tries(alice) == tries(bob) == 3


@pytest.mark.parametrize("pin", [WRONG, BOB_S])
def test_a_wrong_pin_costs_its_owner_one_try_and_others_none(
    both: Client, alice: OneCard, bob: OneCard, pin: bytes
) -> None:
    session = logged_in(both, pin)
    both.call("C_SignInit", session, ECDSA, key(both, session, 0))
    assert both.rv("C_Sign", session, DIGEST, 0) is Rv.OK, "the size costs nothing"
    assert both.rv("C_Sign", session, DIGEST, 64) is Rv.PIN_INCORRECT
    assert (tries(alice), tries(bob)) == (2, 3)
    assert not alice.verified and not bob.verified


def test_a_password_in_the_place_of_a_pin_costs_no_try(both: Client, alice: OneCard) -> None:
    session = logged_in(both, b"a password of alice")
    both.call("C_SignInit", session, ECDSA, key(both, session, 0))
    assert both.rv("C_Sign", session, DIGEST, 64) is Rv.PIN_INCORRECT
    assert tries(alice) == 3


def test_a_card_that_is_alone_judges_the_pin_at_once(alice: OneCard) -> None:
    client = program(Everybody(alice))
    session = client.open(0)
    assert client.rv("C_Login", session, User.USER, WRONG) is Rv.PIN_INCORRECT
    assert tries(alice) == 2
    client.call("C_Login", session, User.USER, ALICE_S)
    assert len(client.sign(session, ECDSA, key(client, session, 0), DIGEST)) == 64


def test_a_pin_that_has_to_be_changed_signs_nobody_in(both: Client, alice: OneCard) -> None:
    alice.due = "has to be changed"
    session = logged_in(both, ALICE_S)
    both.call("C_SignInit", session, ECDSA, key(both, session, 0))
    assert both.rv("C_Sign", session, DIGEST, 64) is Rv.PIN_EXPIRED


def test_the_login_of_one_program_is_nothing_to_the_next(both: Client, alice: OneCard) -> None:
    session = logged_in(both, ALICE_S)
    both.sign(session, ECDSA, key(both, session, 0), DIGEST)
    both.call("C_CloseSession", session)
    assert not alice.verified
    again = both.open(0)
    assert both.find(again, PRIVATE) == [], "private keys are shown after a login alone"


@pytest.mark.parametrize(
    "call",
    [
        ("C_SetPIN", ALICE_S, BOB_S),
        ("C_Login", User.SO, b"12345678"),
        ("C_CreateObject", []),
        ("C_GenerateRandom", 1 << 20),
    ],
    ids=lambda call: call[0],
)
def test_nothing_else_is_done_there(alice: OneCard, bob: OneCard, call: t.Any) -> None:
    client = program(Everybody(alice, bob))
    session = client.open(0, writable=True) if call[0] != "C_GenerateRandom" else client.open(0)
    if call[0] == "C_CreateObject":
        client.call("C_Login", session, User.USER, ALICE_S)
    assert client.rv(call[0], session, *call[1:]) not in (Rv.OK, Rv.DEVICE_ERROR)
    assert (tries(alice), tries(bob)) == (3, 3)


def test_no_card_no_slot(alice: OneCard) -> None:
    assert program(Everybody()).call("C_GetSlotList", True, 8)[0] == []
    client = program(Everybody(alice))
    alice.gone = True
    assert client.rv("C_OpenSession", 0, 4) is Rv.SLOT_ID_INVALID, "its file went a moment ago"


def test_keys_beyond_the_last_place_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    card = OneCard(0, edge=Edge.GIDS)
    for slot in range(FIRST_CONTAINER, FIRST_CONTAINER + 30):
        card.add(slot, KeyAlgorithm.ECC_P256)
        card.certify(slot)
    client = program(Everybody(card, owned(1)))
    assert len(client.find(client.open(0), CERTIFICATE)) == 30
    assert "31 certificates to sign in with: 30 are shown" in caplog.text


def test_root_alone_is_listened_to(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    everybody = t.cast(t.Any, Everybody(owned(0)))
    assert sign_in.SignInCards.of(everybody, Peer(1000, frozenset((0,)))) is None
    selector, path = selectors.DefaultSelector(), str(tmp_path / "sign-in")
    face = Pkcs11Face("", True, path)
    face.start(everybody, selector, lambda _error: None)
    assert os.stat(path).st_mode & 0o777 == 0o666, "SSSD is root without the right to write everywhere"
    face.stop()
    assert not os.path.exists(path)
