# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""card_edge and generate of virtual_smartcard, and the modules for a card's parts on a GIDS card."""

from __future__ import annotations

import zlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import Blocked, WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.gids import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.tlv import parse_one
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from cryptography import x509
from cryptography.hazmat.primitives import serialization

PIN = "correct horse battery staple"
GIDS = {"card_edge": "gids", "pin": PIN}
KEYS = [{"slot": "container_0"}]


def read(ansible, file, tag):
    """What a program reads of a data object, or its status word."""
    with ansible.opened() as card:
        answer = Application(card).transmit(bytes.fromhex(f"00CB{file:04X}0000045C02{tag:04X}0000"))
    return parse_one(answer[:-2], tag) if answer[-2:] == b"\x90\x00" else answer.hex()


def test_a_gids_card_in_four_steps(ansible):
    planned, made, again, planned_again = ansible.run(
        ansible.card(check=True, generate=True, keys=KEYS, **GIDS),
        ansible.card(generate=True, keys=KEYS, **GIDS),
        ansible.card(generate=True, keys=KEYS, **GIDS),
        ansible.card(check=True, generate=True, keys=KEYS, **GIDS),
    )
    assert [each["changed"] for each in (planned, made, again, planned_again)] == [True, True, False, False]
    card = made["card"]
    assert (card["card_edge"], card["generated"], card["pin_policy"]["maxlen"]) == ("gids", True, 127)
    [key] = card["slots"]
    assert (key["slot"], key["reference"], key["algorithm"], key["pin"]) == ("container_0", "B081", "rsa_2048", "once")
    assert read(ansible, 0xA010, 0xDF21) == b"mscp\0\0\0\0"


def test_the_file_system_can_come_later_and_stays(ansible):
    made, other = ansible.run(ansible.card(**GIDS), ansible.card(card_edge="piv", pin="12345678"))
    assert not made["card"]["generated"] and read(ansible, 0xA000, 0xDF1F) == "6a88"
    assert "card_edge is piv, but the card 'card' was made with gids: leave it as it is" in other["msg"]
    later, left_out = ansible.run(ansible.card(generate=True, **GIDS), ansible.card(**GIDS))
    assert later["changed"] and later["card"]["generated"] and not left_out["changed"]
    assert read(ansible, 0xA000, 0xDF1F)[:5] == b"\x01mscp"


def test_what_is_refused_before_the_tpm_is_touched(ansible):
    before = ansible.nv_indices()
    cases = (
        ({"generate": True, "pin": "12345678"}, "generate is true, but a PIV card has no file system to write: leave"),
        ({**GIDS, "keys": [{"slot": "signature"}]}, "which no GIDS card has: choose container_0 to container_29"),
        ({**GIDS, "keys": [{"slot": "container_0", "algorithm": "ecc_p256"}]}, "programs know RSA only: choose one of"),
        ({"pin": "12345678", "keys": KEYS}, "which no PIV card has: choose authentication"),
        ({"pin": "12345678", "pin_policy": {"maxlen": 12}}, "choose 8 or less, or card_edge: gids"),
    )
    results = ansible.run(*(ansible.card(**arguments) for arguments, _unused in cases))
    for refused, (_unused, message) in zip(results, cases):
        assert refused.get("failed") and message in refused["msg"], refused
    assert ansible.left_in_store() == [] and ansible.nv_indices() == before


def test_keys_requests_and_certificates_are_in_the_file_system(ansible):
    request = ansible.folder / "request.pem"
    _made, key, asked, wrong = ansible.run(
        ansible.card(generate=True, **GIDS),
        ansible.part("key", slot="container_4", pin=PIN, self_signed=False),
        ansible.part("request", slot="container_4", pin=PIN, subject={"CN": "alice"}, path=str(request)),
        ansible.part("key", slot="authentication", pin=PIN),
    )
    assert key["changed"] and key["key"]["algorithm"] == "rsa_2048" and asked["changed"], asked
    assert "slot is authentication, which no GIDS card has" in wrong["msg"]
    assert x509.load_pem_x509_csr(request.read_bytes()).is_signature_valid
    assert read(ansible, 0xA010, 0xDF24) == "6a88"
    ansible.run(ansible.part("key", slot="container_0", pin=PIN))
    with ansible.opened() as card:
        der = card.certificate(0xB081)
    stored = read(ansible, 0xA010, 0xDF24)
    assert stored[:4] == b"\x01\x00" + len(der).to_bytes(2, "little") and zlib.decompress(stored[4:]) == der
    pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()
    there, gone = ansible.run(
        ansible.part("certificate", slot="container_0", certificate=pem),
        ansible.part("certificate", slot="container_0", state="absent"),
    )
    assert not there["changed"] and gone["changed"] and read(ansible, 0xA010, 0xDF24) == "6a88"
    ansible.run(ansible.part("key", slot="container_4", state="absent"))
    assert len(read(ansible, 0xA010, 0xDF23)) == 86


def test_a_card_whose_admin_key_nobody_knows_is_lost_with_its_pin(ansible):
    """Tpmvscmgr's third example: /AdminKey RANDOM /PIN PROMPT /generate. Only destroy and create help."""
    arguments = {**GIDS, "admin_key": "random", "generate": True, "keys": KEYS, "pin_retries": 3}
    [made] = ansible.run(ansible.card(**arguments))
    assert made["changed"] and not made["card"]["has_admin_key"]
    with ansible.opened() as card:
        for _unused in range(3):
            with pytest.raises(WrongSecret):
                card.verify(b"forgotten")
        with pytest.raises(Blocked):
            card.verify(PIN.encode())
        attempts = (
            lambda: card.reset_pin(b"12345678"),
            lambda: card.unblock(b"12345678", b"12345678"),
            lambda: card.change(Reference.PIN, PIN.encode(), b"12345678"),
            lambda: card.challenge,
            lambda: card.rsa_private(0xB081, bytes(256)),
        )
        for attempt in attempts:
            with pytest.raises(HardboundError):
                attempt()
    unhelped, destroyed, anew = ansible.run(
        ansible.part("pin", pin=PIN, new_pin="another one"), ansible.card(state="absent"), ansible.card(**arguments)
    )
    assert unhelped.get("failed") and "make a new card" in unhelped["msg"], unhelped
    assert destroyed["changed"] and anew["changed"]
    assert anew["card"]["serial"] != made["card"]["serial"]
    with ansible.opened() as card:
        card.verify(PIN.encode())
        assert card.verified
