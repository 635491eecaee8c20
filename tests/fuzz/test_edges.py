# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each edge answers any commands with a status word that is no 6F00, and its card works afterwards.

So many commands can't be had from a TPM: they go to a card whose keys are in software, and fewer to one in a TPM.
"""

from __future__ import annotations

import random
import types
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._edge import gids, piv
from ansible_collections.hardbound.identity.plugins.module_utils._edge.application import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import CommandAPDU
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import encode
from ansible_collections.hardbound.identity.tests.fuzz.mutation import COUNT, SEED, Memory, Source
from ansible_collections.hardbound.identity.tests.fuzz.ready_card import ReadyCard
from ansible_collections.hardbound.identity.tests.support.soft_card import ADMIN_KEY, PIN, PUK

_SESSION = 50
"""Commands that one card gets, in one session."""
_SLOWER = 100
"""How many times fewer commands a TPM gets."""
RSA = KeyAlgorithm.RSA_2048
P256 = KeyAlgorithm.ECC_P256


def command(ins: int, p1: int, p2: int, data: bytes = b"") -> bytes:
    return CommandAPDU(0x00, ins, p1, p2, data, 256, len(data) > 255).encode()


def rsa_parts() -> t.Tuple[int, ...]:
    numbers = ReadyCard().add(0x9A, RSA).private_numbers()
    return (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)


def octets(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def padded(secret: bytes) -> bytes:
    return secret.ljust(8, b"\xff")


def piv_commands() -> t.List[bytes]:
    """Each command of the edge, as a program would send it."""
    parts = b"".join(encode(tag, octets(part)) for tag, part in enumerate(rsa_parts(), 1))
    point = b"\x04" + ReadyCard().add(0x9D, P256).public_key().public_numbers().x.to_bytes(32, "big") * 2
    wanted = {0x9A: (0x11, b"Z" * 32, 0x81), 0x9C: (0x07, b"\0\1" + b"\xff" * 254, 0x81), 0x9D: (0x11, point, 0x85)}
    return [
        command(0xA4, 0x04, 0x00, bytes.fromhex("A000000308000010000100")),
        *(command(0xCB, 0x3F, 0xFF, encode(0x5C, bytes.fromhex(tag))) for tag in ("7E", "5FC102", "5FC105", "5FC109")),
        command(0xC0, 0x00, 0x00),
        command(0x20, 0x00, 0x80, padded(PIN)),
        command(0x20, 0xFF, 0x80),
        command(0x24, 0x00, 0x80, padded(PIN) + padded(PIN)),
        command(0x24, 0x00, 0x81, padded(PUK) + padded(PUK)),
        command(0x2C, 0x00, 0x80, padded(PUK) + padded(PIN)),
        command(0x2C, 0x02, 0x80, padded(PIN)),
        *(
            command(0x87, algorithm, slot, encode(0x7C, encode(0x82), encode(tag, value)))
            for slot, (algorithm, value, tag) in wanted.items()
        ),
        *(command(0x87, 0x03, 0x9B, bytes.fromhex(ask)) for ask in ("7C028000", "7C028100", "7C0A8208" + "00" * 8)),
        command(0x87, 0x00, 0x9B, bytes.fromhex("7C028100")),
        command(0x47, 0x00, 0x9A, bytes.fromhex("AC09800111AA0102AB0101")),
        command(0x47, 0x00, 0x9C, bytes.fromhex("AC0880010781030 10001".replace(" ", ""))),
        command(0xFE, 0x07, 0x9D, parts),
        command(0xFE, 0x11, 0x9D, encode(0x06, b"\x01" * 32)),
        command(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FC10653024142")),
        command(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FC10553") + b"\x0b\x70\x04cert\x71\x01\x00\xfe\x00"),
        command(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FC10953024142")),
        command(0xDB, 0x3F, 0xFF, bytes.fromhex("7E124F0BA0000003080000100001005F2F024000")),
        command(0xF6, 0xFF, 0x9A),
        command(0xF7, 0x00, 0x9A),
        command(0xF7, 0x00, 0x80),
        command(0xF8, 0x00, 0x00),
        command(0xF9, 0x9A, 0x00),
        command(0xCB, 0x3F, 0xFF, bytes.fromhex("5C035FFF01")),
        command(0xDB, 0x3F, 0xFF, bytes.fromhex("5C035FFF0153") + b"\x0b\x70\x04cert\x71\x01\x00\xfe\x00"),
        command(0xFA, 0x03, 0x03),
        command(0xFB, 0x00, 0x00),
        command(0xFD, 0x00, 0x00),
        command(0xFF, 0xFF, 0xFF, b"\x03" + encode(0x9B, bytes(range(24)))),
        bytes.fromhex("10DB3FFF10") + bytes(16),
    ]


def gids_commands() -> t.List[bytes]:
    """The same of the other edge."""
    numbers = ReadyCard().add(0xB081, RSA).private_numbers()
    values = [0, numbers.public_numbers.n, 65537, numbers.d, *rsa_parts()]
    key = encode(0x30, *(encode(0x02, octets(value) or b"\0") for value in values))
    key_file = bytes.fromhex("62168201188302B0828C058F10101000A505B803800147")
    return [
        command(0xA4, 0x04, 0x00, bytes.fromhex("A000000397425446590201")),
        command(0xA4, 0x00, 0x0C, bytes.fromhex("3FFF")),
        command(0xA4, 0x00, 0x04, bytes.fromhex("B081")),
        *(
            command(0xCB, 0xA0, file, bytes.fromhex("5C02" + tag))
            for file, tag in ((0, "DF1F"), (0, "DF20"), (0x12, "DF20"))
        ),
        *(command(0xCB, 0xA0, 0x10, bytes.fromhex("5C02" + tag)) for tag in ("DF21", "DF22", "DF23", "DF24")),
        command(0xCB, 0x3F, 0xFF, bytes.fromhex("5C027F71")),
        command(0xCB, 0x3F, 0xFF, bytes.fromhex("7008840181A5037F4980")),
        command(0xC0, 0x00, 0x00),
        command(0xDB, 0xA0, 0x10, bytes.fromhex("DF2206010002000300")),
        command(0xDB, 0xA0, 0x10, bytes.fromhex("DF3003414243")),
        command(0xDB, 0xA0, 0x10, bytes.fromhex("DF3000")),
        command(0xDB, 0xA0, 0x13, bytes.fromhex("DF3003414243")),
        command(0xDB, 0xA0, 0x00, encode(0xDF1F, b"\x01")),
        command(0xDB, 0xA0, 0x10, encode(0xDF23, bytes(86))),
        command(
            0xDB, 0x3F, 0xFF, encode(0x70, bytes.fromhex("840182"), encode(0xA5, b"\x83\x01\x02", encode(0x87, key)))
        ),
        command(0xDB, 0x3F, 0xFF, encode(0x70, bytes.fromhex("840180A51A8718") + bytes(range(24)))),
        command(0xE0, 0x00, 0x00, key_file),
        command(0xE4, 0x00, 0x00, bytes.fromhex("B082")),
        command(0x44, 0x00, 0x00),
        command(0x47, 0x00, 0x00, bytes.fromhex("AC06800107830182")),
        command(0x20, 0x00, 0x80, PIN),
        command(0x20, 0x00, 0x82),
        command(0x24, 0x00, 0x80, PIN + PIN),
        command(0x24, 0x01, 0x80, PIN),
        command(0x24, 0x00, 0x81, PUK + PUK),
        command(0x2C, 0x00, 0x80, PUK + PIN),
        command(0x2C, 0x02, 0x80, PIN),
        command(0x22, 0x41, 0xB6, bytes.fromhex("800157840181")),
        command(0x22, 0x41, 0xB8, bytes.fromhex("800147840181")),
        command(0x22, 0xC1, 0xA4, bytes.fromhex("830180")),
        command(0x2A, 0x9E, 0x9A, b"Z" * 51),
        command(0x2A, 0x80, 0x86, b"\0" + b"\x01" * 256),
        command(0x87, 0x00, 0x00, bytes.fromhex("7C028100")),
        command(0x87, 0x00, 0x00, bytes.fromhex("7C128110") + bytes(16)),
        command(0x87, 0x00, 0x00, bytes.fromhex("7C2A8228") + bytes(40)),
        command(0x87, 0x00, 0x00, bytes.fromhex("7C0A8208") + bytes(8)),
    ]


class Commands(Source):
    """Commands of which most have lengths that fit, so that they come as far as what they ask for."""

    def __init__(self, name: str, seeds: t.Sequence[bytes]) -> None:
        super().__init__(name, seeds)
        self._commands = [CommandAPDU.parse(each) for each in seeds]

    def next(self) -> bytes:
        if self.random.random() < 0.2:
            return super().next()
        chosen = self.random.choice(self._commands)
        header = bytearray((chosen.cla, chosen.ins, chosen.p1, chosen.p2))
        if self.random.random() < 0.3:
            header[self.random.randrange(4)] = self.random.choice((0x00, 0x10, 0x80, self.random.randrange(256)))
        data = self.changed(chosen.data) if self.random.random() < 0.6 else chosen.data
        return CommandAPDU(*header, data[:0xFFFF], chosen.le, chosen.extended or len(data) > 255).encode()


class Fuzzed(t.NamedTuple):
    """An edge, and what it is tried with."""

    application: t.Type[Application]
    edge: Edge
    slots: t.Mapping[int, KeyAlgorithm]
    commands: t.Callable[[], t.List[bytes]]
    verify: bytes
    works: t.Sequence[bytes]
    in_tpm: t.Mapping[int, KeyAlgorithm] = types.MappingProxyType({})
    """Keys that only a card in a TPM has."""

    def card(self, chance: random.Random) -> ReadyCard:
        """Returns a card that some have been let in to, and some not."""
        card = ReadyCard(edge=self.edge, puk=chance.choice((PUK, PUK, None)))
        card.generated = chance.random() < 0.9
        for slot, algorithm in self.slots.items():
            card.add(slot, algorithm)
        card.attest(min(self.slots), bytes(700), chance.choice((b"", bytes(600))))
        if chance.random() < 0.5:
            card.verify(PIN)
        if chance.random() < 0.5:
            card.administer(ADMIN_KEY)
        return card


EDGES = {
    "PIV": Fuzzed(
        piv.Application,
        Edge.PIV,
        {0x9A: P256, 0x9C: RSA, 0x9D: P256, 0x9E: P256},
        piv_commands,
        command(0x20, 0x00, 0x80, padded(PIN)),
        [command(0x87, 0x11, 0x9A, encode(0x7C, encode(0x82), encode(0x81, b"Z" * 32)))],
        {0x9D: P256, 0x82: KeyAlgorithm.ECC_P384},
    ),
    "GIDS": Fuzzed(
        gids.Application,
        Edge.GIDS,
        {0xB081: RSA, 0xB083: RSA},
        gids_commands,
        command(0x20, 0x00, 0x80, PIN),
        [command(0x22, 0x41, 0xB6, bytes.fromhex("800157840181")), command(0x2A, 0x9E, 0x9A, b"Z" * 51)],
    ),
}


def sessions(name: str, fuzzed: Fuzzed, count: int) -> t.Iterator[t.List[bytes]]:
    source = Commands(name, fuzzed.commands())
    for _each in range(-(-count // _SESSION)):
        yield [source.next() for _command in range(_SESSION)]


def run(application: Application, commands: t.Sequence[bytes], failures: t.Sequence[Exception], session: int) -> None:
    for at, raw in enumerate(commands):
        answer = application.transmit(raw)
        if failures or len(answer) < 2 or answer[-2:] == b"\x6f\x00":
            sent = [each.hex() for each in commands[: at + 1]]
            raise AssertionError(f"seed {SEED}, session {session}: {sent}") from (failures or [None])[0]


def works(fuzzed: Fuzzed, card: t.Any) -> bool:
    application = fuzzed.application(card)
    return [application.transmit(raw)[-2:] for raw in (fuzzed.verify, *fuzzed.works)][-1] == b"\x90\x00"


@pytest.mark.parametrize("name", EDGES)
def test_an_edge_answers_any_commands_and_works_afterwards(name):
    fuzzed, chance, memory = EDGES[name], random.Random(f"{SEED} cards {name}"), Memory()
    for number, commands in enumerate(sessions(name, fuzzed, COUNT)):
        failures: t.List[Exception] = []
        application = fuzzed.application(t.cast(t.Any, fuzzed.card(chance)), failures.append)
        run(application, commands, failures, number)
        memory.look(number, -(-COUNT // _SESSION))
    memory.check()
    assert works(fuzzed, fuzzed.card(chance))


@pytest.mark.tpm
@pytest.mark.parametrize("name", EDGES)
def test_a_card_in_a_tpm_answers_any_commands_and_works_afterwards(bench, name):
    fuzzed, chance = EDGES[name], random.Random(f"{SEED} TPM {name}")
    for number, commands in enumerate(sessions(f"TPM {name}", fuzzed, COUNT // _SLOWER)):
        failures: t.List[Exception] = []
        record = bench.make(edge=fuzzed.edge, admin_key=ADMIN_KEY, has_puk=chance.random() < 0.7)
        card = bench.open(record, PIN)
        for slot, algorithm in {**fuzzed.slots, **fuzzed.in_tpm}.items():
            card.make_key(KeySpecification(slot, algorithm, pin_use=PinUse.ONCE))
        if fuzzed.edge is Edge.GIDS:
            card.generate()
        if chance.random() < 0.5:
            card.administer(ADMIN_KEY)
        run(fuzzed.application(card, failures.append), commands, failures, number)
        card.close()
        bench.destroy(record)
    record = bench.make(edge=fuzzed.edge)
    card = bench.open(record, PIN)
    for slot, algorithm in fuzzed.slots.items():
        card.make_key(KeySpecification(slot, algorithm))
    assert works(fuzzed, card)
    card.close()
    bench.destroy(record)
    assert bench.card_indices() == [] and bench.loaded() == []
