# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the PIV edge lets the admin key do, and whom else it refuses."""

from __future__ import annotations

import gzip
import typing as t
import zlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._edge.piv import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import CommandAPDU, ResponseAPDU
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import (
    encode,
    parse_distinct,
    parse_one,
)
from ansible_collections.hardbound.identity.tests.support.soft_card import (
    ADMIN_KEY,
    PIN,
    SoftCard,
)
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

CIPHERS = {Cipher.TRIPLE_DES: 0x03, Cipher.AES_128: 0x08, Cipher.AES_192: 0x0A, Cipher.AES_256: 0x0C}
ASK_WITNESS, ASK_CHALLENGE = bytes.fromhex("7C028000"), bytes.fromhex("7C028100")
SCALAR = encode(0x06, (4711).to_bytes(32, "big"))


class Client:
    def __init__(self, card: t.Optional[SoftCard] = None) -> None:
        self.card = card or SoftCard()
        self.failures: t.List[Exception] = []
        self.application = Application(t.cast(t.Any, self.card), self.failures.append)

    def send(self, ins: int, p1: int, p2: int, data: bytes = b"") -> ResponseAPDU:
        command = CommandAPDU(0, ins, p1, p2, data, 65536, extended=True)
        return ResponseAPDU.parse(self.application.transmit(command.encode()))

    def ask(self, what: bytes, algorithm: int = 0x03) -> bytes:
        answer = parse_distinct(parse_one(self.send(0x87, algorithm, 0x9B, what).data, 0x7C))
        assert len(answer) == 1
        return next(iter(answer.values()))

    def respond(self, *objects: bytes, algorithm: int = 0x03) -> ResponseAPDU:
        return self.send(0x87, algorithm, 0x9B, encode(0x7C, *objects))

    def authenticate(self, key: AdminKey = ADMIN_KEY) -> int:
        algorithm = CIPHERS[key.cipher]
        challenge = self.ask(ASK_CHALLENGE, algorithm)
        return self.respond(encode(0x82, key.encrypt(challenge)), algorithm=algorithm).status

    def verify(self) -> int:
        return self.send(0x20, 0x00, 0x80, PIN.ljust(8, b"\xff")).status

    def put(self, tag: int, value: bytes) -> int:
        return self.send(0xDB, 0x3F, 0xFF, encode(0x5C, tag.to_bytes(3, "big")) + encode(0x53, value)).status

    def get(self, tag: int) -> bytes:
        return self.send(0xCB, 0x3F, 0xFF, encode(0x5C, tag.to_bytes(3, "big"))).data


@pytest.fixture
def client() -> Client:
    """A client that has authenticated."""
    client = Client()
    assert client.authenticate() == 0x9000
    return client


# Authentication


@pytest.mark.parametrize("cipher", list(Cipher))
def test_single_and_mutual_authentication(cipher: Cipher) -> None:
    key = AdminKey.random(cipher)
    client = Client(SoftCard(admin_key=key))
    assert client.authenticate(key) == 0x9000
    client.application.reset()
    assert not client.card.administered
    witness, mine = client.ask(ASK_WITNESS, CIPHERS[cipher]), bytes(range(cipher.block_size))
    answer = encode(0x80, key.decrypt(witness)), encode(0x81, mine), encode(0x82)
    response = client.respond(*answer, algorithm=CIPHERS[cipher])
    assert parse_one(parse_one(response.data, 0x7C), 0x82) == key.encrypt(mine)
    assert client.card.administered


def test_a_wrong_answer_ends_what_a_right_one_began(client: Client) -> None:
    client.ask(ASK_CHALLENGE)
    assert client.respond(encode(0x82, bytes(8))).status == 0x6982
    assert not client.card.administered


def test_an_answer_works_once(client: Client) -> None:
    answer = encode(0x82, ADMIN_KEY.encrypt(client.ask(ASK_CHALLENGE)))
    assert client.respond(answer).status == 0x9000
    assert client.respond(answer).status == 0x6985
    client.ask(ASK_CHALLENGE)
    assert client.respond(answer).status == 0x6982


def test_the_answer_to_the_one_question_is_none_to_the_other(client: Client) -> None:
    answer = ADMIN_KEY.decrypt(client.ask(ASK_WITNESS))
    assert client.respond(encode(0x82, answer)).status == 0x6A80
    client.ask(ASK_CHALLENGE)
    assert client.respond(encode(0x80, answer), encode(0x81, bytes(8))).status == 0x6A80


@pytest.mark.parametrize(
    ("algorithm", "template", "status"),
    [
        (0x08, ASK_WITNESS, 0x6A86),
        (0x11, ASK_WITNESS, 0x6A86),
        (0x03, encode(0x7C, encode(0x85)), 0x6A80),
        (0x03, encode(0x7C, encode(0x82, bytes(8))), 0x6985),
        (0x03, encode(0x7C), 0x6985),
        (0x03, b"\x7c", 0x6A80),
    ],
)
def test_other_templates(algorithm: int, template: bytes, status: int) -> None:
    assert Client().send(0x87, algorithm, 0x9B, template).status == status


def test_an_answer_of_another_size(client: Client) -> None:
    client.ask(ASK_CHALLENGE)
    assert client.respond(encode(0x82, bytes(16))).status == 0x6A80
    witness = client.ask(ASK_WITNESS)
    assert client.respond(encode(0x80, ADMIN_KEY.decrypt(witness)), encode(0x81, b"12")).status == 0x6A80


def test_a_card_without_admin_key() -> None:
    client = Client(SoftCard(admin_key=None))
    assert client.send(0x87, 0x03, 0x9B, ASK_WITNESS).status == 0x6A88
    assert parse_distinct(client.send(0xF7, 0x00, 0x9B).data) == {1: b"\x03", 2: b"\x00\x01", 5: b"\x00"}


def test_metadata_of_the_admin_key() -> None:
    key = AdminKey.random(Cipher.AES_192)
    assert parse_distinct(Client(SoftCard(admin_key=key)).send(0xF7, 0x00, 0x9B).data)[1] == b"\x0a"
    known = Client(SoftCard(admin_key=AdminKey.well_known()))
    assert parse_distinct(known.send(0xF7, 0x00, 0x9B).data)[5] == b"\x01"


COMMANDS = {
    "put data": (0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FC10653024142")),
    "generate": (0x47, 0x00, 0x9A, bytes.fromhex("AC03800111")),
    "import": (0xFE, 0x11, 0x9A, SCALAR),
    "delete": (0xF6, 0xFF, 0x9A, b""),
    "set admin key": (0xFF, 0xFF, 0xFF, b"\x03" + encode(0x9B, bytes(range(24)))),
    "set tries": (0xFA, 0x05, 0x05, b""),
    "reset PIN": (0x2C, 0x02, 0x80, b"654321\xff\xff"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_management_takes_the_admin_key_even_with_the_pin(command: t.Tuple[int, int, int, bytes]) -> None:
    client = Client(SoftCard(puk=None))
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    before = client.card.keys()[0x9A]
    client.verify()
    assert client.send(*command).status == 0x6982
    assert (client.card.keys()[0x9A], client.card.objects, client.card.admin_key) == (before, {}, ADMIN_KEY)
    client.authenticate()
    assert client.send(*command).status == 0x9000
    client.application.reset()
    client.verify()
    assert client.send(*command).status == 0x6982


@given(st.lists(st.tuples(st.sampled_from([0x80, 0x81, 0x82]), st.binary(max_size=17)), max_size=4))
def test_no_answers_of_a_stranger_authenticate(objects: t.List[t.Tuple[int, bytes]]) -> None:
    client = Client()
    for tag, value in objects:
        client.respond(encode(tag, value))
    client.respond(*(encode(tag, value) for tag, value in objects))
    assert not client.card.administered
    assert client.failures == []


# Objects


def test_objects_come_and_go(client: Client) -> None:
    assert client.put(0x5FC106, b"security") == 0x9000
    assert client.get(0x5FC106) == encode(0x53, b"security")
    assert client.put(0x5FC106, b"") == 0x9000
    assert client.get(0x5FC106) == b""


def test_a_protected_object(client: Client) -> None:
    assert client.put(0x5FC109, b"printed") == 0x9000
    assert client.send(0xCB, 0x3F, 0xFF, bytes.fromhex("5C035FC109")).status == 0x6982
    client.verify()
    assert client.get(0x5FC109) == encode(0x53, b"printed")


@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress, zlib.compress])
def test_a_certificate(client: Client, compress: t.Callable[[bytes], bytes]) -> None:
    private = client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    assert private is not None
    certificate = client.card.certify(0x9A)
    client.card.certificates.clear()
    packed = compress(certificate)
    info = b"\x00" if packed == certificate else b"\x01"
    assert client.put(0x5FC105, encode(0x70, packed) + encode(0x71, info) + encode(0xFE)) == 0x9000
    assert client.card.certificates[0x9A] == certificate
    assert client.get(0x5FC105) == encode(0x53, encode(0x70, packed) + encode(0x71, info) + encode(0xFE))
    assert client.put(0x5FC105, b"") == 0x9000
    assert client.get(0x5FC105) == b"" and client.card.objects == client.card.certificates == {}


def test_a_certificate_of_the_host_is_what_clients_see(client: Client) -> None:
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    first = client.card.certify(0x9A)
    assert client.put(0x5FC105, encode(0x70, gzip.compress(first)) + encode(0x71, b"\x01")) == 0x9000
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    second = client.card.certify(0x9A)
    assert client.get(0x5FC105) == encode(0x53, encode(0x70, second) + encode(0x71, b"\x00") + encode(0xFE))
    client.card.store_certificate(0x9A, None)
    assert client.get(0x5FC105) == b""


def test_a_bare_public_key_stands_where_its_certificate_will(client: Client) -> None:
    """GnuPG puts it there after generating a key: app-piv.c."""
    bare = encode(0x80, b"\x11") + encode(0x7F49, encode(0x86, b"\x04" + bytes(64)))
    assert client.put(0x5FC105, bare) == 0x9000
    assert client.get(0x5FC105) == encode(0x53, bare) and client.card.certificates == {}
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    certificate = client.card.certify(0x9A)
    wrapped = encode(0x70, certificate) + encode(0x71, b"\x00") + encode(0xFE)
    assert client.get(0x5FC105) == encode(0x53, wrapped)
    assert client.put(0x5FC105, wrapped) == 0x9000
    assert client.card.certificates == {0x9A: certificate} and client.card.objects == {}


@pytest.mark.parametrize("tag", [0x5F0000, 0x5FC205, 0x5FFFFF])
def test_objects_of_ones_own(client: Client, tag: int) -> None:
    assert client.put(tag, b"own") == 0x9000
    assert client.get(tag) == encode(0x53, b"own")


def test_data_objects_and_certificates_share_the_cards_room(client: Client) -> None:
    objects = range(0x5FFF10, 0x5FFF15)
    assert [client.put(tag, bytes(30_000)) for tag in objects] == [0x9000] * 4 + [0x6A84]
    certificate = encode(0x70, bytes(20_000)) + encode(0x71, b"\0") + encode(0xFE)
    assert client.put(0x5FC105, certificate) == 0x6A84
    assert client.put(objects[0], b"") == 0x9000 and client.put(0x5FC105, certificate) == 0x9000
    assert client.failures == []


@pytest.mark.parametrize(
    ("p1", "data", "status"),
    [
        (0x3F, encode(0x5C, b"\x7e") + encode(0x53, b"x"), 0x6A81),
        (0x3F, bytes.fromhex("7E124F0BA0000003080000100001005F2F024000"), 0x6A81),
        (0x3F, encode(0x7F61, bytes.fromhex("020100")), 0x6A81),
        (0x3F, encode(0x7E, b"") + encode(0x53, b"x"), 0x6A80),
        (0x3F, b"", 0x6A80),
        (0x3F, encode(0x5C, b"\x60\x00\x00") + encode(0x53, b"x"), 0x6A82),
        (0x3F, encode(0x5C, b"\x5f\xc1") + encode(0x53, b"x"), 0x6A82),
        (0x3F, encode(0x5C, b"\x5f\xc1\x05"), 0x6A80),
        (0x3F, encode(0x53, b"x"), 0x6A80),
        (0x3F, encode(0x5C, b"\x5f\xc1\x05") + encode(0x53, b"x"), 0x6A80),
        (0x3F, encode(0x5C, b"\x5f\xc1\x05") + encode(0x53, encode(0x71, b"\x00")), 0x6A80),
        (0x3F, encode(0x5C, b"\x5f\xc1\x05") + encode(0x53, encode(0x70, b"no gzip") + encode(0x71, b"\x01")), 0x6A80),
        (0x00, encode(0x5C, b"\x5f\xc1\x06") + encode(0x53, b"x"), 0x6A86),
    ],
)
def test_put_data_that_no_card_takes(client: Client, p1: int, data: bytes, status: int) -> None:
    assert client.send(0xDB, p1, 0xFF, data).status == status
    assert client.card.objects == {}


def test_a_certificate_that_would_fill_the_memory(client: Client) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert client.put(0x5FC105, encode(0x70, bomb) + encode(0x71, b"\x01")) == 0x6A80


# Keys


@pytest.mark.parametrize(
    ("template", "algorithm", "pin"),
    [
        ("AC03800111", "ecc_p256", "once"),
        ("AC06800114AA0103", "ecc_p384", "always"),
        ("AC03800107", "rsa_2048", "once"),
    ],
)
def test_generate(client: Client, template: str, algorithm: str, pin: str) -> None:
    response = client.send(0x47, 0x00, 0x9A, bytes.fromhex(template))
    key = client.card.keys()[0x9A]
    assert (key.algorithm.value, key.pin.value, key.imported) == (algorithm, pin, False)
    parts = parse_distinct(parse_one(response.data, 0x7F49))
    assert set(parts) == ({0x81, 0x82} if key.algorithm.is_rsa else {0x86})
    assert parse_one(parse_distinct(client.send(0xF7, 0x00, 0x9A).data)[4], 0x86) == parts[0x86] if 0x86 in parts else 1


@pytest.mark.parametrize(
    ("slot", "template", "status"),
    [
        (0x9A, "AC03800106", 0x6A80),  # RSA-1024
        (0x9A, "AC038001E0", 0x6A80),  # Ed25519
        (0x9A, "AC00", 0x6A80),
        (0x9A, "AC0680011181010 3", 0x6A80),  # another exponent
        (0x9A, "AC06800111AA0109", 0x6A80),
        (0x9A, "AC06800111AB0102", 0x6A81),  # a touch
        (0x9A, "AC06800111AC0101", 0x6A80),
        (0x9A, "AC03800116", 0x6A81),  # RSA-4096, which this TPM does not make
        (0x9B, "AC03800111", 0x6A86),
        (0xF9, "AC03800111", 0x6A86),
        (0x9A, "", 0x6A80),
    ],
)
def test_a_key_that_is_not_made(client: Client, slot: int, template: str, status: int) -> None:
    assert client.send(0x47, 0x00, slot, bytes.fromhex(template.replace(" ", ""))).status == status
    assert client.card.keys() == {}


def rsa_parts(private: rsa.RSAPrivateKey) -> bytes:
    numbers = private.private_numbers()
    parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return b"".join(encode(tag, part.to_bytes(128, "big")) for tag, part in enumerate(parts, 1))


RSA = rsa.generate_private_key(65537, 2048)


def test_import(client: Client) -> None:
    assert client.send(0xFE, 0x07, 0x9D, rsa_parts(RSA)).status == 0x9000
    assert client.send(0xFE, 0x11, 0x9A, SCALAR + bytes.fromhex("AA0103")).status == 0x9000
    assert [client.card.keys()[slot].imported for slot in (0x9A, 0x9D)] == [True, True]
    assert parse_distinct(client.send(0xF7, 0x00, 0x9A).data)[3] == b"\x02"
    public = ec.derive_private_key(4711, ec.SECP256R1()).public_key().public_numbers()
    point = parse_one(parse_distinct(client.send(0xF7, 0x00, 0x9A).data)[4], 0x86)
    assert point[1:33] == public.x.to_bytes(32, "big")


@pytest.mark.parametrize(
    ("algorithm", "slot", "data", "status"),
    [
        (0x11, 0x9A, encode(0x06, bytes(32)), 0x6A80),
        (0x11, 0x9A, encode(0x06, b"\xff" * 32), 0x6A80),
        (0x11, 0x9A, rsa_parts(RSA), 0x6A80),
        (0x07, 0x9A, SCALAR, 0x6A80),
        (0x05, 0x9A, rsa_parts(RSA), 0x6A80),
        (0x07, 0x9A, encode(0x01, b"\x04") + rsa_parts(RSA)[131:], 0x6A80),
        (0x07, 0x9A, rsa_parts(RSA)[:-2], 0x6A80),
        (0x07, 0x9A, rsa_parts(rsa.generate_private_key(3, 2048)), 0x6A80),
        (0x07, 0x9A, rsa_parts(RSA)[:-128] + bytes(128), 0x6A80),
        (0x07, 0x9A, encode(0x01, b"\xff" * 8000) + encode(0x02, b"\xff" * 8000) + rsa_parts(RSA)[262:], 0x6A80),
        (0x07, 0x9A, b"", 0x6A80),
        (0xE0, 0x9A, encode(0x07, bytes(32)), 0x6A86),
        (0x11, 0xF9, SCALAR, 0x6A86),
        (0x11, 0x9A, SCALAR + bytes.fromhex("AB0102"), 0x6A81),
    ],
)
def test_a_key_that_is_not_imported(client: Client, algorithm: int, slot: int, data: bytes, status: int) -> None:
    assert client.send(0xFE, algorithm, slot, data).status == status
    assert client.card.keys() == {}
    assert client.failures == []


def test_a_key_is_deleted_and_not_moved(client: Client) -> None:
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    assert client.send(0xF6, 0x82, 0x9A).status == 0x6A81
    assert client.send(0xF6, 0xFF, 0x9B).status == 0x6A86
    assert client.send(0xF6, 0xFF, 0x9C).status == 0x6A88
    assert client.send(0xF6, 0xFF, 0x9A).status == 0x9000
    assert client.card.keys() == {}


# Secrets


def test_the_admin_key_changes(client: Client) -> None:
    new = AdminKey(Cipher.AES_192, bytes(range(24)))
    assert client.send(0xFF, 0xFF, 0xFF, b"\x0a" + encode(0x9B, new.value)).status == 0x9000
    assert client.card.admin_key == new
    assert client.send(0x87, 0x03, 0x9B, ASK_CHALLENGE).status == 0x6A86
    assert client.authenticate(new) == 0x9000


@pytest.mark.parametrize(
    ("p1", "p2", "data", "status"),
    [
        (0xFF, 0xFE, b"\x03" + encode(0x9B, bytes(24)), 0x6A81),
        (0x00, 0xFF, b"\x03" + encode(0x9B, bytes(24)), 0x6A86),
        (0xFF, 0xFF, b"\x03" + encode(0x9B, bytes(23)), 0x6A80),
        (0xFF, 0xFF, b"\x11" + encode(0x9B, bytes(24)), 0x6A80),
        (0xFF, 0xFF, b"\x03" + encode(0x9C, bytes(24)), 0x6A80),
        (0xFF, 0xFF, b"", 0x6A80),
        (0xFF, 0xFF, b"\x03" + encode(0x9B, bytes(24)), 0x6A80),
        (0xFF, 0xFF, b"\x03" + encode(0x9B, bytes(range(8)) * 3), 0x6A80),
    ],
)
def test_an_admin_key_that_no_card_takes(client: Client, p1: int, p2: int, data: bytes, status: int) -> None:
    assert client.send(0xFF, p1, p2, data).status == status
    assert client.card.admin_key == ADMIN_KEY


def test_tries_take_the_pin_too(client: Client) -> None:
    assert client.send(0xFA, 0x07, 0x08).status == 0x6982
    client.verify()
    assert client.send(0xFA, 0x07, 0x08).status == 0x9000
    assert client.card.set == (7, 8)


def test_a_new_pin_of_the_administrators() -> None:
    client = Client(SoftCard(puk=None))
    client.authenticate()
    assert client.send(0x2C, 0x02, 0x80, b"12\xff\xff\xff\xff\xff\xff").status == 0x6A80
    assert client.send(0x2C, 0x02, 0x80, b"654321\xff\xff").status == 0x9000
    assert client.verify() == 0x63C2


def test_a_card_with_a_puk_gets_its_new_pin_from_that(client: Client) -> None:
    assert client.send(0x2C, 0x02, 0x80, b"654321\xff\xff").status == 0x6A81
    assert client.verify() == 0x9000


def test_a_reset_of_the_card_is_refused(client: Client) -> None:
    client.verify()
    assert client.send(0xFB, 0x00, 0x00).status == 0x6A81
    block(client)
    assert client.send(0xFB, 0x00, 0x00).status == 0x6A81
    assert client.send(0x20, 0x00, 0x80).status == 0x6983


def block(client: Client) -> None:
    for _unused in range(3):
        client.send(0x20, 0x00, 0x80, b"000000\xff\xff")
        client.send(0x24, 0x00, 0x81, b"0" * 16)


def test_a_card_that_may_be_made_anew_is_once_it_is_blocked(client: Client) -> None:
    client.card.card_reset = True
    client.card.add(0x9A, KeyAlgorithm.ECC_P256)
    assert client.send(0xFB, 0x00, 0x00).status == 0x6985
    for _unused in range(3):
        client.send(0x20, 0x00, 0x80, b"000000\xff\xff")
    assert client.send(0xFB, 0x00, 0x00).status == 0x6985  # the PUK has tries left
    block(client)
    assert client.send(0xFB, 0x01, 0x00).status == 0x6A86
    assert client.send(0xFB, 0x00, 0x00).status == 0x9000
    assert client.card.keys() == {} and client.verify() == 0x9000
    assert client.authenticate(AdminKey.well_known()) == 0x9000
