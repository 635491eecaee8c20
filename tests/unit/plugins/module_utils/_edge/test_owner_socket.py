# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket where owners ask about their cards: real sockets, cards in software, and callers who mean no good."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyUser, WantedPasskey
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import Due
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.owner import face as face_module
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.fields import encoded
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.owner_call import LONGEST_QUESTION, bytes_of
from ansible_collections.hardbound.identity.tests.support.owner_desk import OwnerDesk, SoftHost
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN, PUK
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

DIGEST = hashlib.sha256(b"a message").digest()


@pytest.fixture
def host() -> SoftHost:
    host = SoftHost()
    host.put()
    host.put(1, "Card of Bob", owner="nobody")
    return host


@pytest.fixture
def desk(host: SoftHost) -> t.Iterator[OwnerDesk]:
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        desk = OwnerDesk(host, Path(folder))
        yield desk
        desk.stop()
        assert desk.failures == []


def tries(host: SoftHost, number: int = 0, reference: Reference = Reference.PIN) -> int:
    return host.cards[number].tries(reference).left


def test_an_owner_sees_the_own_card_and_no_other(desk: OwnerDesk) -> None:
    (card,) = desk.ask("cards")["answer"]
    assert card["name"] == "Card of Alice"
    assert card["tries"] == {"pin": {"left": 3, "of": 3}, "puk": {"left": 3, "of": 3}}
    assert [(key["slot"], key["id"], key["pin"]) for key in card["keys"]] == [
        ("authentication", "01", "once"),
        ("key_management", "03", "once"),
    ]


def test_a_pin_that_has_to_be_changed_is_told_to_its_owner_and_without_the_tpm(
    host: SoftHost, desk: OwnerDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.ask("due")["answer"] == []
    card = host.cards[0]
    card.pin_must_change = True
    host.put(1, "Card of somebody else", owner="nobody").pin_must_change = True

    def no_tpm(_self: object, _reference: Reference) -> t.NoReturn:
        raise AssertionError("somebody waits at a prompt")

    monkeypatch.setattr(type(card), "tries", no_tpm)
    due = {"card": 0, "name": "Card of Alice", "pin_due": "must be changed before its first use"}
    assert desk.ask("due")["answer"] == [due]


def test_nobody_does_anything_with_another_s_card(host: SoftHost, desk: OwnerDesk) -> None:
    pin, puk = PIN.decode(), PUK.decode()
    for call in (
        {"call": "change_pin", "pin": "000000", "new_pin": "654321"},
        {"call": "unblock", "puk": "00000000", "new_pin": "654321"},
        {"call": "unblock", "puk": puk, "new_pin": "654321"},
        {"call": "sign", "pin": pin, "slot": "authentication", "digest": encoded(DIGEST)},
        {"call": "passkeys", "pin": pin},
        {"call": "remove_passkey", "pin": pin, "passkey": encoded(bytes(32))},
    ):
        foreign = desk.ask(**{**call, "card": 1})
        missing = desk.ask(**{**call, "card": 7})
        assert foreign["fault"] == "no_card"
        assert foreign == missing, "whether there is such a card is nobody else's business"
    assert (tries(host, 1), tries(host, 1, Reference.PUK)) == (3, 3)


@pytest.mark.parametrize("faces", [(Face.PCSC,), (Face.PKCS11,), (Face.PCSC, Face.PKCS11)])
def test_a_card_with_any_face_is_there(host: SoftHost, desk: OwnerDesk, faces: t.Sequence[Face]) -> None:
    host.cards[0].faces = tuple(faces)
    (card,) = desk.ask("cards")["answer"]
    assert card["faces"] == [face.value for face in faces]
    assert (card["reader"] == "Card of Alice 00 00") is (Face.PCSC in faces)
    assert card["in_reader"] is False
    (desk.run / "0000.present").touch()
    (card,) = desk.ask("cards")["answer"]
    assert card["in_reader"] is (Face.PCSC in faces)


def test_a_pin_is_changed_and_the_rule_is_named_that_a_new_one_breaks(host: SoftHost, desk: OwnerDesk) -> None:
    short = desk.ask("change_pin", card=0, pin=PIN.decode(), new_pin="123")
    assert short["fault"] == "rule"
    assert "shorter than the 6 characters that the PIN policy asks for" in short["message"]
    assert desk.ask("change_pin", card=0, pin=PIN.decode(), new_pin="654321") == {"answer": None}
    wrong = desk.ask("change_pin", card=0, pin=PIN.decode(), new_pin="654322")
    assert (wrong["fault"], wrong["left"]) == ("wrong", 2)
    assert not host.cards[0].verified, "no login outlives its question"


def test_a_blocked_pin_is_given_anew_with_the_puk(host: SoftHost, desk: OwnerDesk) -> None:
    for _each in range(3):
        desk.ask("change_pin", card=0, pin="000000", new_pin="654321")
    assert desk.ask("change_pin", card=0, pin=PIN.decode(), new_pin="654321")["fault"] == "blocked"
    assert desk.ask("unblock", card=0, puk="00000000", new_pin="654321")["fault"] == "wrong"
    assert desk.ask("unblock", card=0, puk=PUK.decode(), new_pin="654321") == {"answer": None}
    assert tries(host) == 3


def test_passkeys_are_told_and_removed_for_the_pin_alone(host: SoftHost, desk: OwnerDesk) -> None:
    card = host.cards[0]
    card.verify(PIN)
    kept, gone = (card.passkeys.make(_wanted(rp)) for rp in ("kept.example", "gone.example"))
    card.logout()
    question = {"card": 0, "passkey": encoded(gone.identifier)}
    for call in ("passkeys", "remove_passkey"):
        assert desk.ask(call, pin="000000", **question)["fault"] == "wrong"
    assert len(card.passkeys.listed()) == 2
    assert desk.ask("remove_passkey", pin=PIN.decode(), **question) == {"answer": None}
    assert desk.ask("remove_passkey", pin=PIN.decode(), **question)["fault"] == "card"
    (told,) = desk.ask("passkeys", pin=PIN.decode(), card=0)["answer"]
    assert (bytes_of(told["passkey"]), told["rp"], told["user"]) == (kept.identifier, "kept.example", "alice")
    assert not card.verified, "no login outlives its question"


def test_a_pin_that_has_to_be_changed_opens_no_list_of_passkeys(host: SoftHost, desk: OwnerDesk) -> None:
    host.cards[0].due = Due.MUST_CHANGE.value
    assert desk.ask("passkeys", pin=PIN.decode(), card=0)["fault"] == "due"


def _wanted(rp: str) -> WantedPasskey:
    return WantedPasskey(rp, PasskeyUser(b"1", "alice", "Alice"), discoverable=True)


@pytest.mark.parametrize("secret", ["", "123456789", "x" * 200])
def test_what_no_card_can_have_costs_no_try(host: SoftHost, desk: OwnerDesk, secret: str) -> None:
    for question in ({"call": "change_pin", "pin": secret}, {"call": "unblock", "puk": secret}):
        assert desk.ask(card=0, new_pin="654321", **question)["fault"] == "rule"
    assert (tries(host), tries(host, 0, Reference.PUK)) == (3, 3)


def test_each_kind_of_key_signs(host: SoftHost, desk: OwnerDesk) -> None:
    made = {
        slot: bytes_of(desk.ask("sign", card=0, slot=slot, pin=PIN.decode(), digest=encoded(DIGEST))["answer"])
        for slot in ("authentication", "key_management")
    }
    prehashed, private = utils.Prehashed(hashes.SHA256()), host.cards[0]._private
    private[0x9A].public_key().verify(made["authentication"], DIGEST, ec.ECDSA(prehashed))
    private[0x9D].public_key().verify(made["key_management"], DIGEST, padding.PKCS1v15(), prehashed)
    assert not host.cards[0].verified


def test_a_wrong_pin_costs_one_try_and_signs_nothing(host: SoftHost, desk: OwnerDesk) -> None:
    answer = desk.ask("sign", card=0, slot="authentication", pin="000000", digest=encoded(DIGEST))
    assert (answer["fault"], answer["left"]) == ("wrong", 2)


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ({"call": "format"}, "question"),
        ({}, "question"),
        ({"call": ["cards"]}, "question"),
        ({"call": "sign", "card": True, "slot": "authentication"}, "no_card"),
        ({"call": "sign", "card": 0, "slot": "authentication", "pin": 5, "digest": encoded(DIGEST)}, "question"),
        ({"call": "sign", "card": 0, "slot": "authentication", "pin": "123456", "digest": "?"}, "question"),
        ({"call": "sign", "card": 0, "slot": "authentication", "pin": "123456", "digest": "AAAA"}, "question"),
        ({"call": "sign", "card": 0, "slot": "signature", "pin": "123456", "digest": encoded(DIGEST)}, "card"),
        ({"call": "sign", "card": 0, "slot": "9A"}, "rule"),
        ({"call": "change_pin", "card": 0, "pin": "123456"}, "question"),
    ],
)
def test_an_odd_question_is_refused_and_costs_no_try(
    host: SoftHost, desk: OwnerDesk, question: t.Mapping[str, t.Any], fault: str
) -> None:
    answer = json.loads(desk.send(json.dumps(question).encode() + b"\n"))
    assert answer["fault"] == fault
    assert "123456" not in answer["message"]
    assert tries(host) == 3


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b"nonsense\n", b"[" * 2000 + b"\n", b"\xff\n", b"x" * LONGEST_QUESTION]
)
def test_what_is_no_question_ends_its_connection_and_nothing_else(desk: OwnerDesk, line: bytes) -> None:
    assert desk.send(line) == b""
    assert "answer" in desk.ask("cards")


def test_whoever_says_nothing_loses_the_place(desk: OwnerDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_module, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.settimeout(20)
        silent.connect(desk.path)
        silent.sendall(b'{"call":')
        assert silent.recv(1) == b"", "closed by the service"


def test_many_connections_of_one_user_take_no_place_of_a_new_one(desk: OwnerDesk) -> None:
    kept = []
    for _each in range(2 * face_module.MOST_OF_USER):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(desk.path)
        kept.append(connection)
    assert "answer" in desk.ask("cards")
    assert kept[0].recv(1) == b"", "the oldest went"
    for connection in kept:
        connection.close()


def test_a_card_of_nobody_is_root_s_and_root_sees_no_other(host: SoftHost, desk: OwnerDesk) -> None:
    host.owners[0] = ""
    names = [card["name"] for card in desk.ask("cards")["answer"]]

    assert names == (["Card of Alice"] if os.getuid() == 0 else [])
