# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PIV interpreter over keys in software."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone, TpmLockedOut
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._edge.piv import ATR, Application
from ansible_collections.hardbound.identity.plugins.module_utils._edge.piv.objects import FASC_N
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import CommandAPDU, ResponseAPDU
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import encode, parse_distinct, parse_one
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN, PUK, SoftCard
from ansible_collections.hardbound.identity.tests.unit.plugins.module_utils._edge.client import ShortClient
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

RSA = rsa.generate_private_key(65537, 2048, default_backend())
P256 = ec.generate_private_key(ec.SECP256R1(), default_backend())
P384 = ec.generate_private_key(ec.SECP384R1(), default_backend())
DIGEST = bytes(range(32))
AID = bytes.fromhex("A000000308000010000100")


def full_card() -> SoftCard:
    card = SoftCard()
    card.put(0x9A, KeyAlgorithm.ECC_P256, P256)
    card.put(0x9C, KeyAlgorithm.RSA_2048, RSA)
    card.put(0x9D, KeyAlgorithm.ECC_P384, P384)
    card.put(0x9E, KeyAlgorithm.ECC_P256, P256)
    card.put(0x95, KeyAlgorithm.RSA_2048, RSA)
    return card


class Client(ShortClient):
    def __init__(self, card: t.Optional[SoftCard] = None) -> None:
        super().__init__(card or full_card(), Application)

    def get(self, tag: int) -> ResponseAPDU:
        return self.send(0xCB, 0x3F, 0xFF, encode(0x5C, tag.to_bytes(3 if tag > 0xFF else 1, "big")))

    def verify(self, pin: bytes = PIN) -> int:
        return self.send(0x20, 0x00, 0x80, padded(pin)).status

    def state(self) -> int:
        return self.send(0x20, 0x00, 0x80).status

    def use(self, algorithm: int, slot: int, value: bytes, tag: int = 0x81) -> ResponseAPDU:
        response = self.send(0x87, algorithm, slot, encode(0x7C, encode(0x82), encode(tag, value)))
        if response.status != 0x9000:
            return response
        return ResponseAPDU(parse_one(parse_one(response.data, 0x7C), 0x82))

    def sign(self, algorithm: int = 0x11, slot: int = 0x9A) -> int:
        return self.use(algorithm, slot, DIGEST if algorithm == 0x11 else block()).status


def padded(secret: bytes) -> bytes:
    return secret.ljust(8, b"\xff")


def block() -> bytes:
    """A block padded for a PKCS#1 v1.5 signature: RFC 8017, clause 9.2."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
    return b"\x00\x01" + b"\xff" * (253 - len(info)) + b"\x00" + info


# Selection


@pytest.mark.parametrize("aid", ["A000000308", "A00000030800001000", "A000000308000010000100"])
def test_select_by_name_and_by_its_beginning(aid: str) -> None:
    response = Client().send(0xA4, 0x04, 0x00, bytes.fromhex(aid))
    properties = parse_distinct(parse_one(response.data, 0x61))
    assert properties[0x4F] == bytes.fromhex("000010000100")
    assert parse_one(properties[0x79], 0x4F) == bytes.fromhex("A000000308")


@pytest.mark.parametrize("aid", ["", "A0000003", "A0000003974254465900", "A000000308000010000101"])
def test_a_foreign_name_is_not_found_and_changes_nothing(aid: str) -> None:
    client = Client()
    client.verify()
    assert client.send(0xA4, 0x04, 0x00, bytes.fromhex(aid)).status == 0x6A82
    assert client.state() == 0x9000


def test_the_atr_adds_up() -> None:
    check = 0
    for byte in ATR[1:]:
        check ^= byte
    assert check == 0
    assert ATR[1] & 0x0F == len(ATR) - 4  # without TS, T0, TD1 and TCK


# Data objects


def test_discovery_stands_without_a_template() -> None:
    response = Client().get(0x7E)
    assert response.data.hex().upper() == "7E124F0BA0000003080000100001005F2F024000"


def test_the_chuid_carries_the_serial() -> None:
    client = Client()
    chuid = parse_distinct(parse_one(client.get(0x5FC102).data, 0x53))
    assert chuid[0x34] == client.card.serial
    assert list(chuid) == [0x30, 0x34, 0x35, 0x3E, 0xFE]


def test_two_cards_differ() -> None:
    for tag in (0x5FC102, 0x5FC107):
        assert Client(SoftCard(0)).get(tag) != Client(SoftCard(1)).get(tag)


def test_the_fasc_n_is_what_its_fields_encode_to() -> None:
    separator, fields = 0b1101, ["9999", "9999", "999999", "0", "1"]
    characters = [0b1011, *(c for field in fields for c in (*map(int, field), separator))]
    characters += [*map(int, "0000000000" + "3" + "0000" + "1"), 0b1111]
    check = 0
    for character in characters:
        check ^= character
    bits = "".join(odd_parity(character) for character in [*characters, check])
    assert int(bits, 2).to_bytes(25, "big") == FASC_N


def odd_parity(character: int) -> str:
    bits = f"{character:04b}"[::-1]
    return bits + str(1 - bits.count("1") % 2)


def test_the_capability_container_has_the_length_of_its_identifier() -> None:
    container = parse_distinct(parse_one(Client().get(0x5FC107).data, 0x53))
    assert len(container[0xF0]) == 21
    assert container[0xF5] == b"\x10"


def test_key_history_reaches_to_the_last_certificate() -> None:
    client = Client()
    assert history(client) == b"\x00"
    client.card.certificates[0x84] = b"certificate"
    assert history(client) == b"\x03"
    client.card.certificates[0x95] = b"certificate"
    assert history(client) == b"\x14"


def history(client: Client) -> bytes:
    return parse_distinct(parse_one(client.get(0x5FC10C).data, 0x53))[0xC1]


@pytest.mark.parametrize(("tag", "slot"), [(0x5FC105, 0x9A), (0x5FC101, 0x9E), (0x5FC10D, 0x82), (0x5FC120, 0x95)])
def test_a_certificate_is_read_whole(tag: int, slot: int) -> None:
    client = Client()
    assert client.get(tag).status == 0x6A82
    client.card.certificates[slot] = bytes(range(256)) * 5
    template = parse_distinct(parse_one(client.get(tag).data, 0x53))
    assert template == {0x70: bytes(range(256)) * 5, 0x71: b"\x00", 0xFE: b""}


def test_a_stored_object_comes_before_one_of_our_own() -> None:
    client = Client()
    client.card.objects[0x5FC102] = b"stored"
    assert parse_one(client.get(0x5FC102).data, 0x53) == b"stored"


def test_printed_information_takes_the_pin() -> None:
    client = Client()
    client.card.objects[0x5FC109] = b"printed"
    assert client.get(0x5FC109).status == 0x6982
    client.verify()
    assert parse_one(client.get(0x5FC109).data, 0x53) == b"printed"


@pytest.mark.parametrize("request_", ["", "5C", "5C007E", "5D017E", "5C017E5C017E"])
def test_a_malformed_tag_list_is_incorrect_data(request_: str) -> None:
    assert Client().send(0xCB, 0x3F, 0xFF, bytes.fromhex(request_)).status in (0x6A80, 0x6A82)


# PIN and PUK


def test_a_wrong_pin_counts_down_to_blocked() -> None:
    client = Client()
    assert [client.verify(b"000000") for _unused in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert client.verify() == 0x6983
    assert client.state() == 0x6983


def test_an_empty_verify_tells_the_state() -> None:
    client = Client()
    assert client.state() == 0x63C3
    client.verify()
    assert client.state() == 0x9000


def test_logout() -> None:
    client = Client()
    client.verify()
    assert client.send(0x20, 0xFF, 0x80).status == 0x9000
    assert client.state() == 0x63C3
    assert client.sign() == 0x6982


def test_a_wrong_pin_ends_an_earlier_verification() -> None:
    client = Client()
    client.verify()
    client.verify(b"000000")
    assert client.sign() == 0x6982


@pytest.mark.parametrize("data", [b"123456", b"123456789", padded(b"123456") + b"\xff"])
def test_a_pin_of_another_size_costs_no_try(data: bytes) -> None:
    client = Client()
    assert client.send(0x20, 0x00, 0x80, data).status == 0x6A80
    assert client.state() == 0x63C3


@pytest.mark.parametrize(("p1", "p2", "status"), [(0x01, 0x80, 0x6A86), (0x00, 0x00, 0x6A88), (0x00, 0x81, 0x6A88)])
def test_verify_of_something_else(p1: int, p2: int, status: int) -> None:
    assert Client().send(0x20, p1, p2, padded(PIN)).status == status


def test_change_pin_and_puk() -> None:
    client = Client()
    assert client.send(0x24, 0x00, 0x80, padded(PIN) + padded(b"654321")).status == 0x9000
    assert client.verify() == 0x63C2
    assert client.verify(b"654321") == 0x9000
    assert client.send(0x24, 0x00, 0x81, padded(PUK) + padded(b"12345678")).status == 0x9000
    assert client.send(0x24, 0x00, 0x81, padded(PUK) + padded(b"12345678")).status == 0x63C2


def test_whoever_changes_the_pin_has_given_it() -> None:
    """SP 800-73-4 part 2, clause 3.2.2: the security status is TRUE then, and FALSE after a wrong one."""
    client = Client()
    assert client.send(0x24, 0x00, 0x80, padded(PIN) + padded(b"654321")).status == 0x9000
    assert client.state() == 0x9000 and client.sign() == 0x9000
    assert client.send(0x24, 0x00, 0x80, padded(PIN) + padded(b"654321")).status == 0x63C2
    assert client.state() == 0x63C2 and client.sign() == 0x6982


def test_the_puk_leaves_a_verified_pin_alone() -> None:
    """Clause 3.2.3 says nothing of the security status; neither the right PUK nor a wrong one changes it."""
    client = Client()
    change, unblock = (0x24, 0x00, 0x81), (0x2C, 0x00, 0x80)
    for verify, state in ((lambda: None, 0x63C3), (client.verify, 0x9000)):
        verify()
        assert client.send(*change, padded(b"00000000") + padded(PUK)).status == 0x63C2
        assert client.send(*change, padded(PUK) + padded(PUK)).status == 0x9000
        assert client.send(*unblock, padded(b"00000000") + padded(PIN)).status == 0x63C2
        assert client.send(*unblock, padded(PUK) + padded(PIN)).status == 0x9000
        assert client.state() == state


@pytest.mark.parametrize("new", [b"123", b"", b"12\xff45678", b"1234\x005"])
def test_a_new_pin_that_breaks_the_rules_is_incorrect_data(new: bytes) -> None:
    client = Client()
    assert client.send(0x24, 0x00, 0x80, padded(PIN) + padded(new)).status == 0x6A80
    assert client.send(0x2C, 0x00, 0x80, padded(PUK) + padded(new)).status == 0x6A80
    assert client.verify() == 0x9000


def test_what_can_be_no_puk_costs_a_try_whatever_the_new_pin_is() -> None:
    """ykman blocks a PUK with empty ones before it resets a card."""
    client = Client()
    for status in (0x63C2, 0x63C1, 0x63C0, 0x6983):
        assert client.send(0x2C, 0x00, 0x80, padded(b"") + padded(b"")).status == status
    assert client.state() == 0x63C3


def test_the_puk_unblocks() -> None:
    client = Client()
    for _unused in range(3):
        client.verify(b"000000")
    assert client.send(0x2C, 0x00, 0x80, padded(b"00000000") + padded(b"111111")).status == 0x63C2
    assert client.send(0x2C, 0x00, 0x80, padded(PUK) + padded(b"111111")).status == 0x9000
    assert client.verify(b"111111") == 0x9000


def test_a_card_without_puk() -> None:
    client = Client(SoftCard(puk=None))
    assert client.send(0x2C, 0x00, 0x80, padded(PUK) + padded(b"111111")).status == 0x6A88
    assert client.send(0x24, 0x00, 0x81, padded(PUK) + padded(b"12345678")).status == 0x6A88
    assert client.send(0xF7, 0x00, 0x81).status == 0x6A88


def test_the_lockout_of_the_tpm_is_no_blocked_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(self: SoftCard, pin: bytes) -> None:
        raise TpmLockedOut("locked out")

    monkeypatch.setattr(SoftCard, "verify", verify)
    client = Client()
    assert client.verify() == 0x6400  # and not 6985, which a PIN that has to be changed has


@pytest.mark.parametrize("slot", [0x9A, 0x9E])
def test_a_pin_that_is_due_can_do_nothing_but_be_changed(slot: int) -> None:
    """It verifies, since programs verify before they change; and what never asks for the PIN goes on."""
    client = Client()
    client.card.objects[0x5FC109] = b"printed"
    client.card.due = "has expired"
    assert client.verify() == 0x9000
    assert client.use(0x11, slot, DIGEST).status == (0x6985 if slot == 0x9A else 0x9000)
    assert client.get(0x5FC109).status == 0x6985
    assert client.send(0x24, 0x00, 0x80, b"123456\xff\xff654321\xff\xff").status == 0x9000


# Keys


def test_sign_with_an_ec_key() -> None:
    client = Client()
    client.verify()
    signature = client.use(0x11, 0x9A, DIGEST).data
    P256.public_key().verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def test_sign_with_an_rsa_key() -> None:
    client = Client()
    client.verify()
    signature = client.use(0x07, 0x9C, block()).data
    RSA.public_key().verify(signature, DIGEST, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))


def test_decrypt_with_a_retired_key() -> None:
    client = Client()
    client.verify()
    encrypted = RSA.public_key().encrypt(b"secret", padding.PKCS1v15())
    assert client.use(0x07, 0x95, encrypted).data.endswith(b"\x00secret")


def test_agree_on_a_secret() -> None:
    client = Client()
    client.verify()
    peer = ec.generate_private_key(ec.SECP384R1(), default_backend())
    point = peer.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert client.use(0x14, 0x9D, point, 0x85).data == peer.exchange(ec.ECDH(), P384.public_key())


@pytest.mark.parametrize("point", [b"", b"\x04" + bytes(96), b"\x02" + bytes(96), b"\x04" + bytes(95)])
def test_a_point_off_the_curve_is_incorrect_data(point: bytes) -> None:
    client = Client()
    client.verify()
    assert client.use(0x14, 0x9D, point, 0x85).status == 0x6A80


def test_nothing_is_signed_without_the_pin() -> None:
    client = Client()
    assert [client.sign(0x11, 0x9A), client.sign(0x07, 0x9C), client.sign(0x07, 0x95)] == [0x6982] * 3


def test_the_signature_key_asks_before_each_signature() -> None:
    client = Client()
    client.verify()
    assert [client.sign(0x07, 0x9C), client.sign(0x07, 0x9C)] == [0x9000, 0x6982]
    client.verify()
    assert [client.sign(0x11, 0x9A), client.sign(0x07, 0x9C)] == [0x9000, 0x6982]


def test_a_failed_signature_uses_up_the_verification() -> None:
    client = Client()
    client.verify()
    assert client.use(0x07, 0x9C, b"short").status == 0x6A80
    assert client.sign(0x07, 0x9C) == 0x6982


def test_reading_between_pin_and_signature_is_allowed() -> None:
    client = Client()
    client.verify()
    client.get(0x7E)
    assert client.sign(0x07, 0x9C) == 0x9000


def test_the_card_authentication_key_never_asks() -> None:
    assert Client().sign(0x11, 0x9E) == 0x9000


def test_the_key_says_when_it_asks_not_the_slot() -> None:
    card = SoftCard()
    card.put(0x9A, KeyAlgorithm.ECC_P256, P256, PinUse.ALWAYS)
    client = Client(card)
    client.verify()
    assert [client.sign(), client.sign()] == [0x9000, 0x6982]


def test_a_reset_drops_the_pin() -> None:
    client = Client()
    client.verify()
    client.application.reset()
    assert client.state() == 0x63C3
    assert client.sign() == 0x6982
    assert client.sign(0x07, 0x9C) == 0x6982


@pytest.mark.parametrize(
    ("algorithm", "slot", "status"),
    [(0x07, 0x9A, 0x6A80), (0x14, 0x9A, 0x6A80), (0xFF, 0x9A, 0x6A80), (0x11, 0x82, 0x6A88), (0x11, 0x96, 0x6A88)],
)
def test_another_key_than_the_card_has(algorithm: int, slot: int, status: int) -> None:
    client = Client()
    client.verify()
    assert client.use(algorithm, slot, DIGEST).status == status


@pytest.mark.parametrize(
    "template", ["", "7C00", "7C028200", "7C0482008100", "7C0482018100", "7C06810141810142", "7C028000", "7C03850104"]
)
def test_a_template_that_asks_for_nothing_is_incorrect_data(template: str) -> None:
    client = Client()
    client.verify()
    assert client.send(0x87, 0x11, 0x9A, bytes.fromhex(template)).status == 0x6A80


def test_random_bytes_for_opensc() -> None:
    client = Client()
    answers = [client.send(0x87, 0x00, 0x9B, bytes.fromhex("7C028100")) for _unused in range(2)]
    assert len(parse_one(parse_one(answers[0].data, 0x7C), 0x81)) == 8
    assert answers[0] != answers[1]
    assert client.send(0x87, 0x03, 0x9B, bytes.fromhex("7C028100")).data[4:] == client.card.challenge.decrypted


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ((0xA4, 0x00, 0x00, AID), 0x6A86),
        ((0xA4, 0x04, 0x01, AID), 0x6A86),
        ((0xC0, 0x01, 0x00, b""), 0x6A86),
        ((0xC0, 0x00, 0x80, b""), 0x6A86),
        ((0x87, 0x11, 0x9F, bytes.fromhex("7C0482008100")), 0x6A88),
        ((0x87, 0x11, 0x00, bytes.fromhex("7C0482008100")), 0x6A88),
        ((0xCB, 0x3F, 0x00, bytes.fromhex("5C017E")), 0x6A86),
        ((0xF7, 0x01, 0x9A, b""), 0x6A86),
    ],
)
def test_parameters_that_no_command_has(command: t.Tuple[int, int, int, bytes], status: int) -> None:
    assert Client().send(*command).status == status


def test_a_refused_get_response_ends_the_answer() -> None:
    client = Client()
    client.card.objects[0x5FC106] = bytes(600)
    first = client.transmit(CommandAPDU(0x00, 0xCB, 0x3F, 0xFF, bytes.fromhex("5C035FC106"), 256))
    assert first.status == 0x6100
    assert client.transmit(CommandAPDU(0x00, 0xC0, 0x00, 0x01, le=256)).status == 0x6A86
    assert client.transmit(CommandAPDU(0x00, 0xC0, 0x00, 0x00, le=256)).status == 0x6985


# Yubico's extensions


def test_version_and_serial() -> None:
    client = Client()
    assert client.send(0xFD, 0x00, 0x00).data == bytes((5, 7, 0))
    assert client.send(0xF8, 0x00, 0x00).data == client.card.serial[:4]
    client.card.serial = bytes.fromhex("FF112233") + bytes(12)
    assert int.from_bytes(client.send(0xF8, 0x00, 0x00).data, "big", signed=True) > 0


def test_metadata_of_a_key() -> None:
    client = Client()
    rsa_key = parse_distinct(client.send(0xF7, 0x00, 0x9C).data)
    assert (rsa_key[1], rsa_key[2], rsa_key[3]) == (b"\x07", b"\x03\x01", b"\x01")
    numbers = RSA.public_key().public_numbers()
    assert parse_distinct(rsa_key[4]) == {0x81: numbers.n.to_bytes(256, "big"), 0x82: b"\x01\x00\x01"}
    point = P256.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert parse_distinct(client.send(0xF7, 0x00, 0x9A).data)[4] == encode(0x86, point)
    assert client.send(0xF7, 0x00, 0x82).status == 0x6A88


def test_a_key_that_piv_has_no_number_for_is_not_there() -> None:
    client = Client()
    client.card.add(0x82, KeyAlgorithm.ECC_P521)
    assert client.send(0xF7, 0x00, 0x82).status == 0x6A88
    client.verify()
    for number in KeyAlgorithm:
        asked = client.send(0x87, number.piv or 0x00, 0x82, encode(0x7C, encode(0x82, b""), encode(0x81, bytes(32))))
        assert asked.status in (0x6A80, 0x6A86) and not asked.data


def test_metadata_of_the_secrets() -> None:
    client = Client()
    client.verify(b"000000")
    assert parse_distinct(client.send(0xF7, 0x00, 0x80).data) == {1: b"\xff", 5: b"\x00", 6: b"\x03\x02"}
    assert parse_distinct(client.send(0xF7, 0x00, 0x81).data)[6] == b"\x03\x03"
    assert parse_distinct(client.send(0xF7, 0x00, 0x9B).data)[1] == b"\x03"


@pytest.mark.parametrize("ins", [0x47, 0xDB, 0xF6, 0xFE, 0xFF, 0xFA])
def test_management_takes_the_admin_key_even_with_the_pin(ins: int) -> None:
    client = Client()
    client.verify()
    assert client.send(ins, 0x3F, 0xFF, bytes.fromhex("5C035FC10553024142")).status == 0x6982
    assert client.card.objects == {}


@pytest.mark.parametrize("ins", [0x00, 0xF5, 0xE0, 0xB0])
def test_an_unknown_instruction(ins: int) -> None:
    assert Client().send(ins, 0x00, 0x00).status == 0x6D00


# Whatever comes


def test_a_failure_of_the_card_is_told_to_the_log_and_not_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def sign(self: SoftCard, slot: int, digest: bytes) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(SoftCard, "sign", sign)
    client = Client()
    client.verify()
    assert client.sign() == 0x6F00
    assert [type(failure) for failure in client.failures] == [ZeroDivisionError]


def test_a_card_that_is_gone_ends_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(self: SoftCard) -> t.NoReturn:
        raise CardGone("destroyed")

    monkeypatch.setattr(SoftCard, "keys", keys)
    with pytest.raises(CardGone):
        Client().sign()


INSTRUCTIONS = st.sampled_from(
    [0x20, 0x24, 0x2C, 0x47, 0x87, 0xA4, 0xC0, 0xCB, 0xDB, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFD, 0xFE, 0xFF]
)
PARAMETERS = st.sampled_from(
    [0x00, 0x03, 0x04, 0x05, 0x07, 0x11, 0x14, 0x16, 0x3F, 0x80, 0x81, 0x9A, 0x9B, 0x9C, 0x9D, 0xFF]
)
TEMPLATES = st.builds(
    lambda tag, value: encode(0x7C, b"\x82\x00", encode(tag, value)),
    st.sampled_from([0x80, 0x81, 0x82, 0x85]),
    st.binary(max_size=60) | st.sampled_from([DIGEST, block(), b"\x04" + bytes(64), bytes(256)]),
)
TAG_LISTS = st.builds(lambda tag: encode(0x5C, tag), st.binary(max_size=4))
SECRETS = st.sampled_from([padded(PIN), padded(PIN) + padded(b"654321"), padded(PUK) + padded(PIN)])
COMMANDS = st.builds(
    CommandAPDU,
    st.sampled_from([0x00, 0x00, 0x00, 0x10, 0x80]),
    INSTRUCTIONS,
    PARAMETERS,
    PARAMETERS,
    st.binary(max_size=200) | TEMPLATES | TAG_LISTS | SECRETS,
    st.none() | st.integers(1, 65536),
    st.just(True),
).map(CommandAPDU.encode)


@given(st.lists(st.binary(max_size=300) | COMMANDS, min_size=1, max_size=8))
def test_any_bytes_are_answered(commands: t.List[bytes]) -> None:
    client = Client()
    for raw in commands:
        response = client.application.transmit(raw)
        assert 2 <= len(response) <= 65535
    assert client.failures == []


@given(st.lists(COMMANDS, min_size=1, max_size=8))
def test_no_sequence_of_commands_signs_without_the_pin(commands: t.List[bytes]) -> None:
    """The attacker knows neither PIN nor PUK."""
    card = full_card()
    card._secrets = dict.fromkeys(card._secrets, b"\x00unknown")
    client = Client(card)
    for raw in commands:
        client.application.transmit(raw)
    assert client.sign() == 0x6982
    assert client.sign(0x07, 0x9C) == 0x6982
