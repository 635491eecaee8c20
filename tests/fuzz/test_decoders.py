# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each decoder of what comes from programs, hosts, TPMs and files takes any bytes, or refuses them as it says."""

from __future__ import annotations

import contextlib
import json
import struct
import typing as t
import zlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.gids import tables
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import preg, tlv
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.apdu import (
    ApduError,
    CommandAPDU,
    ResponseAPDU,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.creation import CreationData
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import Evidence
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit import UnknownCall, read_request
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_mechanism import UnknownMechanism
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.rsa_padding import (
    PaddingError,
    unpad_oaep,
    unpad_pkcs1,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation import der
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import Certificate
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationList
from ansible_collections.hardbound.identity.tests.fuzz.mutation import feed
from ansible_collections.hardbound.identity.tests.support import p11_kit_client
from ansible_collections.hardbound.identity.tests.support.forge import Authority, ForgedHost, rsa_key
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

HOST = ForgedHost(puk=True)
EVIDENCE = HOST.evidence()
CARD = EVIDENCE.cards[0]
STATEMENTS = [*(key.creation for key in CARD.keys), *(index.content for index in CARD.indices.values())]
PUBLICS = [EVIDENCE.ek, EVIDENCE.storage_root, CARD.ak, CARD.parent, *(key.public for key in CARD.keys)]
TLVS = [
    bytes.fromhex("7E124F0BA0000003080000100001005F2F024000"),
    bytes.fromhex("5C035FC10553820004") + bytes(4),
    bytes.fromhex("7C0A820081063132333435 36".replace(" ", "")),
]
APDUS = [
    bytes.fromhex("00A404000BA000000308000010000100"),
    bytes.fromhex("00CB3FFF000005 5C035FC102 0000".replace(" ", "")),
    bytes.fromhex("00200080"),
    bytes.fromhex("00CB3FFF00"),
    bytes.fromhex("00CB3FFF000000"),
]
POLICY = preg.encode(
    [preg.Entry("Software\\Policies", "Enabled", preg.RegType.DWORD, b"\x01\0\0\0"), preg.Entry("Key", "", 1, b"\0\0")]
)
TABLES = [
    tables.write_master_table(tables.BASE),
    tables.write_container_map([None, tables.Container("name", True, 0, 2048)]),
    tables.Freshness(1, 2, 3, 4).write(),
    struct.pack("<HH", 1, 300) + zlib.compress(bytes(300)),
]
REQUESTS = [
    p11_kit_client.request("C_OpenSession", (17, 4), 0),
    p11_kit_client.request("C_Login", (1, 1, b"123456"), 0),
    p11_kit_client.request("C_SignInit", (1, p11_kit_client.Mechanism(0x40), 5), 0),
    p11_kit_client.request("C_FindObjectsInit", (1, [(0, 3), (0x102, b"\1"), (1, True)]), 0),
]


def oaep_block() -> bytes:
    """What the private operation makes of a message that was encrypted with OAEP."""
    key = rsa_key()
    numbers = key.private_numbers()
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    cryptogram = int.from_bytes(key.public_key().encrypt(b"message", scheme), "big")
    return pow(cryptogram, numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


DECODERS: t.Mapping[str, t.Tuple[t.Sequence[bytes], t.Callable[[bytes], object], t.Tuple[t.Type[Exception], ...]]] = {
    "BER-TLV": (TLVS, tlv.parse, (tlv.TlvError,)),
    "command APDU": (APDUS, CommandAPDU.parse, (ApduError,)),
    "response APDU": ([b"\x90\0", b"data\x61\x10"], ResponseAPDU.parse, (ApduError,)),
    "TPMT_PUBLIC": (PUBLICS, Public.parse, (WireError,)),
    "TPMS_ATTEST": ([each.attest for each in STATEMENTS], Attest.parse, (WireError,)),
    "TPMT_SIGNATURE": ([each.signature for each in STATEMENTS], Signature.parse, (WireError,)),
    "TPMS_CREATION_DATA": ([key.creation_data for key in CARD.keys], CreationData.parse, (WireError,)),
    "TPMS_NV_PUBLIC": ([each.public for each in CARD.indices.values()], NvPublic.parse, (WireError,)),
    "payload": ([Payload({"authentication": b"certificate"}, b"ak").encode()], Payload.parse, (WireError,)),
    "evidence": ([json.dumps(EVIDENCE.document()).encode()], lambda data: _evidence(bytes(data)), (ValueError,)),
    "Registry.pol": ([POLICY], preg.decode, (preg.PregError,)),
    "PKCS#1 v1.5": ([b"\0\2" + b"\xff" * 9 + b"\0message"], unpad_pkcs1, (PaddingError,)),
    "OAEP": ([oaep_block()], unpad_oaep, (PaddingError,)),
    "p11-kit, version 0": (REQUESTS, lambda data: read_request(data, 0), (WireError, UnknownCall, UnknownMechanism)),
    "p11-kit, version 2": (REQUESTS, lambda data: read_request(data, 2), (WireError, UnknownCall, UnknownMechanism)),
    "GIDS master table": (TABLES, tables.read_master_table, (ApduError,)),
    "GIDS container map": (TABLES, tables.read_container_map, (ApduError,)),
    "GIDS freshness": (TABLES, tables.Freshness.read, (ApduError,)),
    "GIDS certificate": (TABLES, tables.decompressed, (ApduError,)),
    "DER": (list(EVIDENCE.certificates), lambda data: _all_of(der.read(data)), (der.DerError,)),
    "X.509 certificate": (list(EVIDENCE.certificates), Certificate.parse, (der.DerError,)),
    "X.509 revocation list": ([Authority("CA").revoke(1, 2)], RevocationList.parse, (der.DerError,)),
}


def _evidence(data: bytes) -> Evidence:
    return Evidence.parse(json.loads(data))


def _all_of(element: der.Element) -> None:
    if element.tag & 0x20:
        for each in der.read_all(element.value):
            _all_of(each)


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_takes_any_bytes_or_refuses_them_as_it_says(name):
    seeds, decode, refusals = DECODERS[name]

    def take(data):
        with contextlib.suppress(*refusals):
            decode(data)

    for seed in seeds if len(seeds) == 1 else ():
        decode(seed)
    feed(name, seeds, take)
