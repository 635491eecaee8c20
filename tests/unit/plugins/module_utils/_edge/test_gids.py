# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GIDS interpreter over keys in software."""

from __future__ import annotations

import os
import struct
import typing as t
import zlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._edge.gids import ATR, Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import CommandAPDU, ResponseAPDU
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import (
    encode,
    parse,
    parse_distinct,
    parse_one,
)
from ansible_collections.hardbound.identity.tests.support.soft_card import (
    ADMIN_KEY,
    PIN,
    PUK,
    SoftCard,
)
from ansible_collections.hardbound.identity.tests.unit.plugins.module_utils._edge.client import ShortClient
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

FIRST = rsa.generate_private_key(65537, 2048, default_backend())
SECOND = rsa.generate_private_key(65537, 2048, default_backend())
OTHER = AdminKey(Cipher.TRIPLE_DES, bytes(range(24)))
INFO = bytes.fromhex("3031300d060960864801650304020105000420") + bytes(range(32))
MASTER, KEY_MAP, CONTAINER_MAP = (0xA000, 0xDF1F), (0xA000, 0xDF20), (0xA010, 0xDF23)
CARD_ID, CARD_CACHE = (0xA012, 0xDF20), (0xA010, 0xDF22)


def soft_card(generated: bool = True, **options: t.Any) -> SoftCard:
    """A card with keys in the containers 0 and 2."""
    card = SoftCard(edge=Edge.GIDS, **options)
    card.generated = generated
    card.put(0xB081, KeyAlgorithm.RSA_2048, FIRST)
    card.put(0xB083, KeyAlgorithm.RSA_2048, SECOND)
    return card


class Client(ShortClient):
    def __init__(self, card: t.Optional[SoftCard] = None) -> None:
        super().__init__(card or soft_card(), Application)

    def get(self, place: t.Tuple[int, int]) -> ResponseAPDU:
        """The content of a data object."""
        file, tag = place
        response = self.send(0xCB, file >> 8, file & 0xFF, encode(0x5C, tag.to_bytes(2, "big")))
        return ResponseAPDU(parse_one(response.data, tag), response.status) if response.status == 0x9000 else response

    def put(self, place: t.Tuple[int, int], value: bytes = b"") -> int:
        file, tag = place
        return self.send(0xDB, file >> 8, file & 0xFF, encode(tag, value)).status

    def verify(self, pin: bytes = PIN) -> int:
        return self.send(0x20, 0x00, 0x80, pin).status

    def state(self) -> int:
        return self.send(0x20, 0x00, 0x80).status

    def choose(self, use: int, algorithm: int, reference: int = 0x81) -> int:
        return self.send(0x22, 0x41, use, bytes((0x80, 1, algorithm, 0x84, 1, reference))).status

    def sign(self, data: bytes = INFO, algorithm: int = 0x57) -> ResponseAPDU:
        status = self.choose(0xB6, algorithm)
        return self.send(0x2A, 0x9E, 0x9A, data) if status == 0x9000 else ResponseAPDU(status=status)

    def decrypt(self, cryptogram: bytes, algorithm: int) -> ResponseAPDU:
        assert self.choose(0xB8, algorithm) == 0x9000
        return self.send(0x2A, 0x80, 0x86, b"\0" + cryptogram)

    def authenticate(self, key: AdminKey = ADMIN_KEY) -> int:
        """Mutual authentication as OpenSC does it: R2, R1 and Z1 in CBC; the card's R1, R2 and Z2 are checked."""
        assert self.send(0x22, 0xC1, 0xA4, bytes.fromhex("830180")).status == 0x9000
        ours = os.urandom(16)
        response = self.send(0x87, 0x00, 0x00, encode(0x7C, encode(0x81, ours)))
        theirs = parse_one(parse_one(response.data, 0x7C), 0x81)
        answer = key.encrypt_chain(theirs + ours + os.urandom(7) + b"\x80")
        response = self.send(0x87, 0x00, 0x00, encode(0x7C, encode(0x82, answer)))
        if response.status == 0x9000:
            proof = key.decrypt_chain(parse_one(parse_one(response.data, 0x7C), 0x82))
            assert proof[:32] == ours + theirs and len(proof) == 40
        return response.status

    def master_table(self) -> t.Dict[bytes, t.Tuple[int, int]]:
        """Where each file is, by folder and name."""
        data = self.get(MASTER).data
        assert data[0] == 1
        records = struct.iter_unpack("<9s9sxxII", data[1:])
        return {folder.rstrip(b"\0") + b"\\" + name.rstrip(b"\0"): (file, tag) for folder, name, tag, file in records}

    def containers(self) -> t.List[t.Tuple[str, int, int, int]]:
        """Name, flags, size of a signature key, size of a key exchange key."""
        records = struct.iter_unpack("<80sBxHH", self.get(CONTAINER_MAP).data)
        return [(name.decode("utf-16-le").rstrip("\0"), flags, sig, exchange) for name, flags, sig, exchange in records]


def entry(folder: bytes, name: bytes, place: t.Tuple[int, int]) -> bytes:
    return struct.pack("<9s9sxxII", folder, name, place[1], place[0])


def zipped(data: bytes) -> bytes:
    return b"\x01\x00" + len(data).to_bytes(2, "little") + zlib.compress(data)


# Files


def test_the_atr_tells_gids_and_its_check_byte_is_right() -> None:
    assert ATR.hex().upper() == "3B8D0180FBA000000397425446590201C9"
    check = 0
    for byte in ATR[1:]:
        check ^= byte
    assert check == 0


@pytest.mark.parametrize("aid", ["A00000039742544659", "A0000003974254465902", "A000000397425446590201"])
def test_select_by_name(aid: str) -> None:
    response = Client().send(0xA4, 0x04, 0x00, bytes.fromhex(aid))
    application = parse_distinct(parse_one(response.data, 0x61))
    assert application[0x4F].hex().upper() == "A000000397425446590201" and response.status == 0x9000


@pytest.mark.parametrize("aid", ["A000000308000010000100", "A0000003974254", "A00000039742544659020100"])
def test_another_application_is_not_there(aid: str) -> None:
    assert Client().send(0xA4, 0x04, 0x00, bytes.fromhex(aid)).status == 0x6A82


@pytest.mark.parametrize(
    ("file", "status"),
    [("3FFF", 0x9000), ("A000", 0x9000), ("A014", 0x9000), ("B080", 0x9000), ("B081", 0x9000), ("B082", 0x6A82)],
)
def test_select_by_identifier(file: str, status: int) -> None:
    client = Client()
    assert client.send(0xA4, 0x00, 0x0C, bytes.fromhex(file)) == ResponseAPDU(b"", status)
    parameters = client.send(0xA4, 0x00, 0x04, bytes.fromhex(file))
    assert parameters.status == status and (status != 0x9000 or parse_one(parameters.data, 0x62))


@pytest.mark.parametrize("place", [MASTER, KEY_MAP, CONTAINER_MAP, CARD_ID, CARD_CACHE, (0xA010, 0xDF21)])
def test_without_a_file_system_there_is_nothing_to_read(place: t.Tuple[int, int]) -> None:
    client = Client(soft_card(generated=False))
    assert client.get(place).status == 0x6A88
    assert client.send(0xA4, 0x00, 0x0C, b"\xa0\x00").status == 0x6A82


def test_the_tables_of_a_card_that_was_filled_on_the_host() -> None:
    client = Client()
    certificate = client.card.certify(0xB083)
    table = client.master_table()
    assert list(table) == [b"mscp\\", b"\\cardid", b"\\cardapps", b"\\cardcf", b"mscp\\cmapfile", b"mscp\\kxc02"]
    assert client.get(table[b"mscp\\kxc02"]).data == zipped(certificate)
    assert client.containers() == [("container_0", 3, 0, 2048), ("", 0, 0, 0), ("container_2", 1, 0, 2048)]
    keys = [record[1:4] for record in struct.iter_unpack("<IBBHHxx", client.get(KEY_MAP).data[1:])]
    assert keys == [(7, 0x9A, 0xB081), (0, 0, 0xFFFF), (7, 0x9A, 0xB083)]
    assert client.get(CARD_ID).data == client.card.serial
    assert client.get((0xA010, 0xDF21)).data == b"mscp\0\0\0\0"


def test_a_certificate_that_a_program_writes_is_the_containers() -> None:
    client = Client()
    client.verify()
    certificate = client.card.certify(0xB083)
    client.card.store_certificate(0xB083, None)
    place = (0xA010, 0xDF30)
    table = client.get(MASTER).data
    assert client.put(MASTER, table + entry(b"mscp", b"kxc02", place)) == 0x9000
    assert client.master_table()[b"mscp\\kxc02"] == place
    assert client.put(place, zipped(certificate)) == 0x9000
    assert client.card.certificates == {0xB083: certificate} and client.get(place).data == zipped(certificate)
    client.card.store_certificate(0xB083, None)
    assert b"mscp\\kxc02" not in client.master_table() and client.get(place).status == 0x6A88
    client.card.store_certificate(0xB083, certificate)
    assert client.master_table()[b"mscp\\kxc02"] == place
    assert client.put(place) == 0x9000 and client.card.certificates == {}


def test_a_certificates_file_that_was_announced_and_never_written_goes_with_the_session() -> None:
    client = Client()
    client.verify()
    client.put(MASTER, client.get(MASTER).data + entry(b"mscp", b"kxc00", (0xA010, 0xDF30)))
    assert b"mscp\\kxc00" in client.master_table()
    assert b"mscp\\kxc00" not in Client(client.card).master_table()


def test_certificates_of_the_host_get_places_that_no_file_of_a_program_has() -> None:
    client = Client()
    client.verify()
    client.put(MASTER, client.get(MASTER).data + entry(b"mscp", b"msroots", (0xA010, 0xDF24)))
    client.put((0xA010, 0xDF24), b"roots")
    client.card.certify(0xB081)
    table = client.master_table()
    assert table[b"mscp\\kxc00"] == (0xA010, 0xDF25) and table[b"mscp\\msroots"] == (0xA010, 0xDF24)
    assert client.get((0xA010, 0xDF24)).data == b"roots"


def test_a_master_table_that_leaves_no_place() -> None:
    client = Client()
    client.verify()
    full = b"".join(entry(b"mscp", b"%d" % tag, (0xA010, tag)) for tag in range(0xDF24, 0xDFFF))
    assert client.put(MASTER, client.get(MASTER).data + full) == 0x9000
    client.card.certify(0xB081)
    assert client.get(MASTER).status == 0x6A84 and client.failures == []


def test_a_holder_fills_the_card_and_not_the_disk() -> None:
    client = Client()
    client.verify()
    files = [(0xA010, tag) for tag in range(0xDF30, 0xDF36)]
    assert [client.put(file, bytes(30_000)) for file in files] == [0x9000] * 4 + [0x6A84] * 2
    assert client.put(files[0], bytes(30_001)) == 0x9000 and client.put(files[1], bytes(32_000)) == 0x9000
    kept = dict(client.card.objects)
    assert client.put(MASTER, client.get(MASTER).data + bytes(30_000 // 28 * 28)) == 0x6A84
    client.authenticate()
    assert client.put((0xA012, 0xDF36), bytes(30_000)) == 0x6A84
    assert client.card.objects == kept and client.failures == []
    assert client.put(files[0]) == 0x9000 and client.put(files[4], bytes(30_000)) == 0x9000


@pytest.mark.parametrize(
    "value",
    [b"\x01", b"\x01\x00\x05\x00junk", zipped(b"abc")[:-1], b"\x02" + zipped(b"abc")[1:], b"\1\0\4\0" + b"x" * 9],
)
def test_a_certificate_that_is_not_compressed_as_it_should_be(value: bytes) -> None:
    client = Client()
    certificate = client.card.certify(0xB081)
    client.verify()
    assert client.put(client.master_table()[b"mscp\\kxc00"], value) == 0x6A80
    assert client.card.certificates == {0xB081: certificate}


def test_names_and_kinds_of_containers_are_the_programs() -> None:
    client = Client()
    client.verify()
    written = struct.pack("<80sBxHH", "Für alice".encode("utf-16-le"), 1, 2048, 0) + bytes(86)
    written += struct.pack("<80sBxHH", "second".encode("utf-16-le"), 3, 0, 1024)
    assert client.put(CONTAINER_MAP, written) == 0x9000
    assert client.containers() == [("Für alice", 1, 2048, 0), ("", 0, 0, 0), ("second", 3, 0, 2048)]
    client.card.certify(0xB081)
    assert b"mscp\\ksc00" in client.master_table()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (MASTER, b""),
        (MASTER, b"\x02" + bytes(28)),
        (MASTER, b"\x01" + bytes(27)),
        (CONTAINER_MAP, bytes(85)),
        (CARD_CACHE, bytes(5)),
        ((0xA010, 0xDE01), b""),
        ((0xA010, 0x5FC1), b""),
    ],
)
def test_a_table_that_is_none(place: t.Tuple[int, int], value: bytes) -> None:
    client = Client()
    client.verify()
    before = client.get(MASTER), client.get(CONTAINER_MAP), client.get(CARD_CACHE)
    assert client.put(place, value) == 0x6A80
    assert (client.get(MASTER), client.get(CONTAINER_MAP), client.get(CARD_CACHE)) == before


def test_programs_notice_what_the_host_changes() -> None:
    client = Client()
    client.verify()
    fresh = client.get(CARD_CACHE).data
    assert client.put(CARD_CACHE, fresh[:2] + b"\x34\x12" + fresh[4:]) == 0x9000
    seen = [client.get(CARD_CACHE).data]
    assert seen[0][2:4] == b"\x34\x12"
    client.card.certify(0xB081)
    seen.append(client.get(CARD_CACHE).data)
    assert seen[0][2:4] == seen[1][2:4] and seen[0][4:] != seen[1][4:]
    client.card._keys.pop(0xB083)
    assert client.get(CARD_CACHE).data[2:4] != seen[1][2:4]


@pytest.mark.parametrize(
    ("file", "everyone", "user", "admin"),
    [
        (0xA000, (0x6982, 0x9000), (0x9000, 0x9000), (0x9000, 0x9000)),
        (0xA010, (0x6982, 0x9000), (0x9000, 0x9000), (0x9000, 0x9000)),
        (0xA011, (0x6982, 0x6982), (0x9000, 0x6982), (0x9000, 0x6982)),
        (0xA012, (0x6982, 0x9000), (0x6982, 0x9000), (0x9000, 0x9000)),
        (0xA013, (0x6982, 0x6982), (0x9000, 0x9000), (0x9000, 0x9000)),
        (0xA014, (0x6982, 0x6982), (0x6982, 0x6982), (0x9000, 0x9000)),
    ],
)
def test_who_may_write_and_read(
    file: int, everyone: t.Tuple[int, int], user: t.Tuple[int, int], admin: t.Tuple[int, int]
) -> None:
    place = (file, 0xDF50)

    def both(client: Client) -> t.Tuple[int, int]:
        return client.put(place, b"other"), client.get(place).status

    card = soft_card()
    card.objects[file << 16 | 0xDF50] = b"content"
    assert both(Client(card)) == everyone
    client = Client(card)
    client.verify()
    assert both(client) == user
    client.application.reset()
    client.authenticate()
    assert both(client) == admin


# Secrets


def test_verify_state_and_logging_out() -> None:
    client = Client()
    assert client.state() == 0x63C3
    assert client.verify(b"000000") == 0x63C2
    assert client.verify() == 0x9000 and client.state() == 0x9000
    client.authenticate()
    assert client.send(0x20, 0x00, 0x82).status == 0x9000
    assert client.state() == 0x63C3 and not client.card.administered


@pytest.mark.parametrize("file", [0xA010, 0xA013])
def test_an_object_that_is_emptied_twice_is_no_more(file: int) -> None:
    client = Client()
    client.verify()
    place = (file, 0xDF31)
    assert client.put(place, b"content") == client.put(place, b"") == 0x9000
    assert client.get(place) == ResponseAPDU(b"")
    assert client.put(place, b"") == 0x9000
    assert client.get(place).status == 0x6A88
    assert client.card.objects.get(file << 16 | 0xDF31) is None


def test_tries_as_data_objects() -> None:
    client = Client()
    client.verify(b"000000")
    assert client.get((0x3FFF, 0x7F71)).data == bytes.fromhex("970102930103")
    assert client.get((0x3FFF, 0x7F73)).data == bytes.fromhex("970103930103")
    assert Client(soft_card(puk=None)).get((0x3FFF, 0x7F73)).status == 0x6A88
    assert client.get((0x3FFF, 0x7F72)).status == 0x6A88


@pytest.mark.parametrize("new", [b"1234567", b"87654321"])
def test_the_card_knows_where_the_old_pin_ends(new: bytes) -> None:
    client = Client()
    assert client.send(0x24, 0x00, 0x80, PIN + new).status == 0x9000
    assert client.verify(new) == 0x9000
    assert client.send(0x24, 0x00, 0x80, new + PIN).status == 0x9000
    assert client.verify() == 0x9000


def test_a_pin_of_127_characters() -> None:
    card = soft_card()
    card.policy = card.policy.with_rules({"maxlen": 127})
    client = Client(card)
    longest = bytes(0x20 + at % 95 for at in range(127))
    assert client.send(0x24, 0x00, 0x80, PIN + longest).status == 0x9000
    assert client.verify(longest) == 0x9000 and client.sign().status == 0x9000


@pytest.mark.parametrize(("data", "status"), [(b"", 0x6A80), (PIN, 0x6A80), (PIN + b"12345", 0x6A80)])
def test_a_new_pin_against_the_rules_costs_no_try(data: bytes, status: int) -> None:
    client = Client()
    assert client.send(0x24, 0x00, 0x80, data).status == status
    assert client.state() == 0x63C3


def test_a_wrong_old_pin_costs_a_try_and_logs_out() -> None:
    client = Client()
    client.verify()
    assert client.send(0x24, 0x00, 0x80, b"000000" + b"7654321").status == 0x63C2
    assert client.state() == 0x63C2


def test_the_puk() -> None:
    client = Client()
    for _unused in range(3):
        client.verify(b"000000")
    assert client.state() == 0x6983
    assert client.send(0x2C, 0x00, 0x80, b"00000000" + b"7654321").status == 0x63C2
    assert client.send(0x2C, 0x00, 0x80, PUK + b"7654321").status == 0x9000
    assert client.verify(b"7654321") == 0x9000
    assert client.send(0x24, 0x00, 0x81, PUK + b"abcdefg").status == 0x6A80
    assert Client(soft_card(puk=None)).send(0x2C, 0x00, 0x80, PUK + b"7654321").status == 0x6A88


@pytest.mark.parametrize("due", ["must be changed", "has expired"])
def test_a_pin_that_is_due_can_do_nothing_but_be_changed(due: str) -> None:
    client = Client()
    client.card.due = due
    assert client.verify() == 0x9000
    assert client.sign().status == 0x6985 and client.put(CONTAINER_MAP) == 0x6985
    assert client.send(0x47, 0x00, 0x00, bytes.fromhex("AC06800107830181")).status == 0x6985
    assert client.send(0xE0, 0x00, 0x00, key_file(0x82)).status == 0x6985
    assert client.send(0x24, 0x00, 0x80, PIN + b"7654321").status == 0x9000


# The admin key


def test_mutual_authentication() -> None:
    client = Client()
    assert client.authenticate(OTHER) == 0x6982
    assert not client.card.administered
    assert client.authenticate() == 0x9000 and client.card.administered


def test_single_authentication() -> None:
    client = Client()
    response = client.send(0x87, 0x00, 0x00, bytes.fromhex("7C028100"))
    question = parse_one(parse_one(response.data, 0x7C), 0x81)
    answer = encode(0x7C, encode(0x82, ADMIN_KEY.encrypt(question)))
    assert client.send(0x87, 0x00, 0x00, answer).status == 0x9000
    assert client.send(0x87, 0x00, 0x00, answer).status == 0x6985
    client.send(0x87, 0x00, 0x00, bytes.fromhex("7C028100"))
    assert client.send(0x87, 0x00, 0x00, answer).status == 0x6982


def test_who_has_seen_an_answer_gets_in_neither_with_it_nor_with_its_beginning() -> None:
    """The TPM checks the first block; the card checks that the rest was made for this question."""
    client = Client()
    ours = bytes(16)
    response = client.send(0x87, 0x00, 0x00, encode(0x7C, encode(0x81, ours)))
    theirs = parse_one(parse_one(response.data, 0x7C), 0x81)
    seen = ADMIN_KEY.encrypt_chain(theirs + ours + bytes(8))
    forged = encode(0x7C, encode(0x82, seen[:8] + bytes(32)))
    assert client.send(0x87, 0x00, 0x00, forged).status == 0x6982 and not client.card.administered
    client.send(0x87, 0x00, 0x00, encode(0x7C, encode(0x81, ours)))
    assert client.send(0x87, 0x00, 0x00, encode(0x7C, encode(0x82, seen))).status == 0x6982
    assert not client.card.administered


@pytest.mark.parametrize("template", ["7C00", "7C03810101", "7C048201008100", "7C028000", "30028100"])
def test_a_template_that_asks_for_nothing(template: str) -> None:
    assert Client().send(0x87, 0x00, 0x00, bytes.fromhex(template)).status == 0x6A80


def test_a_card_without_admin_key() -> None:
    client = Client(soft_card(admin_key=None))
    assert client.send(0x87, 0x00, 0x00, bytes.fromhex("7C028100")).status == 0x6A88
    assert client.send(0xA4, 0x00, 0x0C, b"\xb0\x80").status == 0x6A82


def test_the_administrator_gives_a_new_pin_and_has_to_come_anew() -> None:
    client = Client(soft_card(puk=None))
    assert client.send(0x2C, 0x02, 0x80, b"7654321").status == 0x6982
    client.authenticate()
    assert client.send(0x2C, 0x02, 0x80, b"7654321").status == 0x9000
    assert client.send(0x2C, 0x02, 0x80, b"1234567").status == 0x6982
    assert client.verify(b"7654321") == 0x9000


def test_a_card_with_a_puk_is_not_reset_with_the_admin_key() -> None:
    client = Client()
    client.authenticate()
    assert client.send(0x2C, 0x02, 0x80, b"7654321").status == 0x6A81
    assert client.verify() == 0x9000


def put_admin_key(client: Client, key: bytes = OTHER.value) -> int:
    template = encode(0x84, b"\x80") + encode(0xA5, encode(0x87, key), bytes.fromhex("8803B073DC"))
    return client.send(0xDB, 0x3F, 0xFF, encode(0x70, template)).status


def test_the_admin_key_changes_for_an_administrator_alone() -> None:
    client = Client()
    client.verify()
    assert put_admin_key(client) == 0x6982
    client.authenticate()
    assert put_admin_key(client, b"short") == 0x6A80
    assert put_admin_key(client, bytes(24)) == put_admin_key(client, bytes(range(8)) * 3) == 0x6A80
    assert put_admin_key(client) == 0x9000
    assert client.authenticate() == 0x6982 and client.authenticate(OTHER) == 0x9000


# Setting up


def initialise(client: Client, pin: bytes = PIN, key: bytes = ADMIN_KEY.value) -> t.List[int]:
    """What gids-tool sends; it stops at the first refusal."""
    files = [0xA000, 0xA010, 0xA011, 0xA012, 0xA013, 0xA014]
    security = ["033000", "033000", "0330FF", "032000", "033030", "032020"]
    create = [f"620C8201398302{file:04X}8C03{access}" for file, access in zip(files, security)]
    create.append("621A8201188302B0808C04870020FFA50BA4098001028301809501C0")
    table = b"\1" + entry(b"mscp", b"", (0xA000, 0)) + entry(b"", b"cardid", CARD_ID)
    table += entry(b"", b"cardapps", (0xA010, 0xDF21)) + entry(b"", b"cardcf", CARD_CACHE)
    table += entry(b"mscp", b"cmapfile", CONTAINER_MAP)
    steps: t.List[t.Callable[[], int]] = [lambda: client.send(0x24, 0x01, 0x80, pin).status]
    for parameters in create:
        steps.append(lambda data=parameters: client.send(0xE0, 0x00, 0x00, bytes.fromhex(data)).status)
        steps.append(lambda: client.send(0x44, 0x00, 0x00).status)
    steps.append(lambda: put_admin_key(client, key))
    steps.append(lambda: client.put(MASTER, table))
    steps.append(lambda: client.put((0xA010, 0xDF21), b"mscp\0\0\0\0"))
    steps.append(lambda: client.put(CARD_CACHE, bytes(6)))
    steps.append(lambda: client.put(CONTAINER_MAP))
    steps.append(lambda: client.put(CARD_ID, bytes(range(16))))
    steps.append(lambda: client.send(0xA4, 0x00, 0x0C, b"\x3f\xff").status)
    steps.append(lambda: client.send(0x44, 0x00, 0x00).status)
    found = []
    for step in steps:
        found.append(step())
        if found[-1] != 0x9000:
            break
    return found


def test_a_program_writes_the_file_system() -> None:
    client = Client(soft_card(generated=False))
    assert set(initialise(client)) == {0x9000}
    assert client.card.generated and client.get(CARD_ID).data == bytes(range(16))
    assert client.state() == 0x63C3 and not client.card.administered
    assert [name for name, *_unused in client.containers()] == ["container_0", "", "container_2"]
    assert initialise(client) == [0x6A86]


def test_setting_up_takes_the_cards_own_pin_and_admin_key() -> None:
    client = Client(soft_card(generated=False))
    assert initialise(client, pin=b"000000") == [0x63C2]
    assert initialise(client, key=OTHER.value)[-1] == 0x6982
    assert client.authenticate() == 0x9000 and not client.card.generated
    client = Client(soft_card(generated=False, admin_key=None))
    assert initialise(client)[-1] == 0x6A81 and not client.card.generated


# Keys


def key_file(reference: int) -> bytes:
    use = bytes((0x80, 1, 0x47, 0x83, 1, reference, 0x95, 1, 0x40))
    return encode(0x62, b"\x82\x01\x18", encode(0x83, bytes((0xB0, reference))), encode(0xA5, encode(0xB8, use)))


def generate(client: Client, reference: int, algorithm: int = 0x07) -> ResponseAPDU:
    return client.send(0x47, 0x00, 0x00, encode(0xAC, bytes((0x80, 1, algorithm, 0x83, 1, reference))))


def test_a_key_comes_and_goes() -> None:
    client = Client()
    assert client.send(0xE0, 0x00, 0x00, key_file(0x82)).status == 0x6982
    client.verify()
    assert generate(client, 0x82).status == 0x6A88
    assert client.send(0xE0, 0x00, 0x00, key_file(0x82)).status == 0x9000
    assert client.send(0xE0, 0x00, 0x00, key_file(0x82)).status == 0x6A89
    assert client.containers()[1][1] == 1
    assert client.send(0x44, 0x00, 0x00).status == 0x9000 and client.state() == 0x9000
    response = generate(client, 0x82)
    request = bytes.fromhex("7008840182A5037F4980")
    assert client.send(0xCB, 0x3F, 0xFF, request) == response
    numbers = client.card._private[0xB082].public_key().public_numbers()
    template = parse_distinct(parse_one(response.data, 0x7F49))
    assert template == {0x81: numbers.n.to_bytes(256, "big"), 0x82: b"\x01\x00\x01"}
    assert client.send(0xA4, 0x00, 0x0C, b"\xb0\x82").status == 0x9000
    assert client.send(0xE4, 0x00, 0x00).status == 0x9000
    assert sorted(client.card.keys()) == [0xB081, 0xB083] and client.send(0xCB, 0x3F, 0xFF, request).status == 0x6A88


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({0x8C: b"\x8f\x10\x10\x10\x00"}, 0x9000),
        ({0x8C: b"\x8f\xff\xff\xff\xff"}, 0x6A81),
        ({0x8C: b"\x8f\x10\x10\x00\x00"}, 0x6A81),
        ({0x8C: b""}, 0x6A81),
        ({0x82: b"\x39"}, 0x6A81),
        ({0x82: b""}, 0x6A81),
        ({0xAB: b"\x80\x01\x02\x97\x00"}, 0x6A81),
        ({0x83: b"\xb0"}, 0x6A80),
    ],
)
def test_access_rules_are_kept_or_refused(changes: t.Dict[int, bytes], status: int) -> None:
    client = Client()
    client.verify()
    parameters = {**parse_distinct(parse_one(key_file(0x82), 0x62)), **changes}
    data = encode(0x62, *(encode(tag, value) for tag, value in parameters.items()))
    assert client.send(0xE0, 0x00, 0x00, data).status == status
    assert generate(client, 0x82).status == (0x9000 if status == 0x9000 else 0x6A88)


@pytest.mark.parametrize(("algorithm", "status"), [(0x06, 0x6A81), (0x0C, 0x6A81), (0x09, 0x6A81), (0x17, 0x6A81)])
def test_a_key_that_no_card_here_makes(algorithm: int, status: int) -> None:
    client = Client()
    client.verify()
    client.send(0xE0, 0x00, 0x00, key_file(0x82))
    assert generate(client, 0x82, algorithm).status == status


def test_there_are_thirty_containers() -> None:
    client = Client()
    client.verify()
    assert client.send(0xE0, 0x00, 0x00, key_file(0x9E)).status == 0x9000
    assert client.send(0xE0, 0x00, 0x00, key_file(0x9F)).status == 0x6A84


def private_key(signs: bool) -> bytes:
    """An RSAPrivateKey, whose integers OpenSC sends without their sign byte."""
    key = FIRST.private_numbers()
    values = [0, key.public_numbers.n, 65537, key.d, key.p, key.q, key.dmp1, key.dmq1, key.iqmp]
    sizes = [max(1, (value.bit_length() + (8 if signs else 7)) // 8) for value in values]
    return encode(0x30, *(encode(0x02, value.to_bytes(size, "big")) for value, size in zip(values, sizes)))


def test_a_key_whose_parts_do_not_fit_each_other() -> None:
    client = Client()
    client.verify()
    client.send(0xE0, 0x00, 0x00, key_file(0x82))
    numbers = list(parse(parse_one(private_key(signs=True), 0x30)))
    for at in range(1, len(numbers)):
        changed = [
            value if each != at else value[:-1] + bytes((value[-1] ^ 4,)) for each, (_tag, value) in enumerate(numbers)
        ]
        key = encode(0x30, *(encode(0x02, value) for value in changed))
        value = encode(0x84, b"\x82") + encode(0xA5, b"\x83\x01\x02\x84\x01\x00", encode(0x87, key))
        assert client.send(0xDB, 0x3F, 0xFF, encode(0x70, value)).status in (0x6A80, 0x6A81)
    assert client.card.keys().get(0xB082) is None and client.failures == []


@pytest.mark.parametrize("signs", [True, False])
def test_a_key_from_outside(signs: bool) -> None:
    client = Client()
    value = encode(0x84, b"\x82") + encode(0xA5, b"\x83\x01\x02\x84\x01\x00", encode(0x87, private_key(signs)))
    template = encode(0x70, value)
    assert client.send(0xDB, 0x3F, 0xFF, template).status == 0x6982
    client.verify()
    assert client.send(0xDB, 0x3F, 0xFF, template).status == 0x6A88
    client.send(0xE0, 0x00, 0x00, key_file(0x82))
    assert client.send(0xDB, 0x3F, 0xFF, template).status == 0x9000
    assert client.card.keys()[0xB082].imported and client.containers()[1][3] == 2048


def test_a_signature_that_the_card_pads() -> None:
    client = Client()
    client.verify()
    signature = client.sign().data
    block = pow(int.from_bytes(signature, "big"), 65537, FIRST.public_key().public_numbers().n).to_bytes(256, "big")
    assert block == b"\x00\x01" + b"\xff" * (253 - len(INFO)) + b"\x00" + INFO
    assert client.sign(block).data == signature
    assert client.sign(block, 0x17).data == signature


@pytest.mark.parametrize(
    ("data", "algorithm", "status"),
    [
        (bytes(246), 0x57, 0x6700),
        (bytes(255), 0x57, 0x6700),
        (INFO, 0x17, 0x6700),
        (b"\xff" * 256, 0x57, 0x6A80),
        (INFO, 0x58, 0x6A80),
        (INFO, 0x47, 0x6A80),
    ],
)
def test_what_can_not_be_signed(data: bytes, algorithm: int, status: int) -> None:
    client = Client()
    client.verify()
    assert client.sign(data, algorithm).status == status


def test_decryption() -> None:
    client = Client()
    client.verify()
    public = FIRST.public_key()
    assert client.decrypt(public.encrypt(b"message", padding.PKCS1v15()), 0x47).data == b"message"
    sha1 = hashes.SHA1()
    cryptogram = public.encrypt(b"other", padding.OAEP(padding.MGF1(sha1), sha1, None))
    assert client.decrypt(cryptogram, 0x87).data == b"other"
    assert client.decrypt(cryptogram, 0x47).status == 0x6A80
    assert len(client.decrypt(cryptogram, 0x07).data) == 256
    assert client.decrypt(public.encrypt(b"message", padding.PKCS1v15()), 0x87).status == 0x6A80
    assert client.send(0x2A, 0x80, 0x86, cryptogram) == client.decrypt(cryptogram, 0x87)
    assert client.decrypt(bytes(255), 0x47).status == 0x6A80
    assert client.decrypt(bytes(257), 0x47).status == 0x6700
    assert client.send(0x2A, 0x80, 0x86, b"\1" + cryptogram).status == 0x6700
    assert client.choose(0xB6, 0x57, 0x82) == 0x6A88


def test_an_operation_wants_its_own_environment() -> None:
    client = Client()
    client.verify()
    assert client.send(0x2A, 0x9E, 0x9A, INFO).status == 0x6985
    client.choose(0xB8, 0x47)
    assert client.send(0x2A, 0x9E, 0x9A, INFO).status == 0x6985
    client.choose(0xB6, 0x57)
    assert client.choose(0xB6, 0x57, 0x82) == 0x6A88 and client.send(0x2A, 0x9E, 0x9A, INFO).status == 0x6985


# Whatever comes


def test_a_reset_forgets_everything() -> None:
    client = Client()
    client.verify()
    client.authenticate()
    client.verify()
    client.choose(0xB6, 0x57)
    client.application.reset()
    assert client.send(0x2A, 0x9E, 0x9A, INFO).status == 0x6985
    assert client.sign().status == 0x6982 and client.put(CARD_ID, bytes(16)) == 0x6982


def test_a_failure_of_the_card_is_told_to_the_log_and_not_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def rsa_private(self: SoftCard, slot: int, block: bytes) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(SoftCard, "rsa_private", rsa_private)
    client = Client()
    client.verify()
    assert client.sign().status == 0x6F00
    assert [type(failure) for failure in client.failures] == [ZeroDivisionError]


INSTRUCTIONS = st.sampled_from([0x20, 0x22, 0x24, 0x2A, 0x2C, 0x44, 0x47, 0x87, 0xA4, 0xC0, 0xCB, 0xDB, 0xE0, 0xE4])
PARAMETERS = st.sampled_from([0x00, 0x01, 0x02, 0x04, 0x0C, 0x3F, 0x41, 0x80, 0x81, 0x82, 0x86, 0x9A, 0x9E]) | (
    st.sampled_from([0xA0, 0xA4, 0x10, 0x12, 0x13, 0x14, 0xB6, 0xB8, 0xC1, 0xF3, 0xFF])
)
OBJECTS = st.builds(
    encode,
    st.sampled_from([0x5C, 0x70, 0x7C, 0x62, 0xAC, 0xDF1F, 0xDF20, 0xDF22, 0xDF23, 0xDF24]),
    st.binary(max_size=90),
)
WELL_FORMED = st.sampled_from(
    [key_file(0x82), INFO, PIN, PIN + b"7654321", PUK + PIN, b"\xb0\x81", b"\x00" + bytes(256), private_key(True)]
    + [bytes.fromhex(each) for each in ("800157840181", "800147840181", "830180", "7C028100", "AC06800107830182")]
    + [bytes.fromhex(each) for each in ("5C02DF1F", "5C02DF23", "7008840181A5037F4980", "A00000039742544659")]
    + [b"\1" + entry(b"mscp", b"kxc00", (0xA010, 0xDF24)), encode(0xDF1F, b"\1" + entry(b"mscp", b"kxc63", CARD_ID))]
    + [encode(0xDF1F, b"\1" + bytes(28)), encode(0xDF23, b"\xff" * 86), encode(0xDF22, b"\xff" * 6)]
)
COMMANDS = st.builds(
    CommandAPDU,
    st.sampled_from([0x00, 0x00, 0x00, 0x10, 0x80]),
    INSTRUCTIONS,
    PARAMETERS,
    PARAMETERS,
    st.binary(max_size=200) | OBJECTS | WELL_FORMED | st.binary(min_size=33000, max_size=33000),
    st.none() | st.integers(1, 65536),
    st.just(True),
).map(CommandAPDU.encode)


@given(
    st.booleans(), st.booleans(), st.booleans(), st.lists(st.binary(max_size=300) | COMMANDS, min_size=1, max_size=8)
)
def test_any_bytes_are_answered(generated: bool, user: bool, admin: bool, commands: t.List[bytes]) -> None:
    """Nobody, the user, the administrator, or both send garbage, much of it, and what looks almost right."""
    client = Client(soft_card(generated))
    if admin:
        client.authenticate()
    if user:
        client.verify()
    for raw in commands:
        response = client.application.transmit(raw)
        assert 2 <= len(response) <= 65535
    assert client.failures == []
    client.verify()
    assert client.get(MASTER).status in (0x9000, 0x6A88) and client.get(CONTAINER_MAP).status in (0x9000, 0x6A88)


@given(st.booleans(), st.lists(COMMANDS, min_size=1, max_size=8))
def test_no_sequence_of_commands_signs_or_writes_without_the_pin(generated: bool, commands: t.List[bytes]) -> None:
    """The attacker knows neither PIN nor PUK nor admin key."""
    card = soft_card(generated)
    card._secrets = dict.fromkeys(card._secrets, b"\x00unknown")
    client = Client(card)
    for raw in commands:
        client.application.transmit(raw)
    assert client.sign().status == 0x6982
    assert (card.objects, card.certificates, card.generated) == ({}, {}, generated)
    assert sorted(card.keys()) == [0xB081, 0xB083] and card.admin_key == ADMIN_KEY
