# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of virtual_smartcard: what it refuses before it looks at any TPM, and what it does not import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.plugins.module_utils._pin import CharacterClass, PinPolicy, Presence
from ansible_collections.hardbound.identity.plugins.module_utils._task.wanted_card import WantedCard
from ansible_collections.hardbound.identity.tests.support.tasks import ADMIN_KEY, card_task, key_pair, pin_rules

MODULE = "ansible_collections.hardbound.identity.plugins.module_utils._task.card"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name is empty"),
        ({"name": "x" * 128}, "name is empty, too long"),
        ({"name": "caf\u00e9"}, "not printable ASCII"),
        ({"pin_retries": 0}, "pin_retries is 0: choose a number from 1 to 127"),
        ({"puk": "puk-0815", "puk_retries": 128}, "puk_retries is 128"),
        ({"pin_policy": pin_rules(minlen=3)}, "pin_policy.minlen is 3: choose a number from 4 to 127"),
        ({"pin_policy": pin_rules(history=51)}, "pin_policy.history is 51: choose a number from 0 to 50"),
        ({"pin_policy": pin_rules(expiry_days=731)}, "pin_policy.expiry_days is 731"),
        ({"pin_policy": pin_rules(maxlen=128)}, "pin_policy.maxlen is 128"),
        ({"pin_policy": pin_rules(maxlen=12)}, "a PIV card takes at most 8: choose 8 or less, or card_edge: gids"),
        ({"pin_policy": pin_rules(minlen=9, maxlen=10)}, "pin_policy.minlen is 9, but a PIV card takes at most 8"),
        ({"pin_policy": pin_rules(minlen=8, maxlen=6)}, "more than pin_policy.maxlen"),
        (
            {"pin_policy": pin_rules(**{each.value: "disallowed" for each in CharacterClass})},
            "disallows all four character classes",
        ),
        ({"tpm": "/dev/tpm0"}, "tpm is '/dev/tpm0', which is no known TCTI"),
        ({"keys": [{"slot": "f9", "algorithm": "ecc_p256"}]}, r"keys\[0\].slot is 'f9', which is no slot"),
        ({"keys": [{"slot": "retired_21", "algorithm": "ecc_p256"}]}, "retired_1 to retired_20"),
        ({"passkeys": True, "pin_retries": 9}, "pin_retries is 9, more than a card with passkeys may have: choose 8"),
        (
            {"passkeys": True, "card_edge": "gids", "pin_policy": pin_rules(maxlen=64)},
            "maxlen is 64, but a card with passkeys takes at most 63: choose 63 or less, or leave passkeys out",
        ),
        ({"generate": True}, "generate is true, but a PIV card has no file system to write: leave it out, or choose"),
        ({"keys": [{"slot": "container_0"}]}, r"keys\[0\].slot is container_0, which no PIV card has: choose auth"),
        (
            {"card_edge": "gids", "keys": [{"slot": "signature"}]},
            r"no GIDS card has: choose container_0 to container_29",
        ),
        ({"card_edge": "gids", "keys": [{"slot": "container_30"}]}, "'container_30', which is no slot"),
        (
            {"card_edge": "gids", "keys": [{"slot": "container_1", "algorithm": "ecc_p256"}]},
            r"keys\[0\].algorithm is 'ecc_p256', and on a GIDS card programs know RSA only: choose one of rsa_2048",
        ),
        (
            {"keys": [{"slot": "signature"}, {"slot": "authentication", "algorithm": "ecc_p521"}]},
            r"keys\[1\].algorithm is 'ecc_p521', and PIV has no number for it: choose one of rsa_2048, .*, ecc_p384",
        ),
        (
            {"card_edge": "gids", "keys": [{"slot": "container_0", "algorithm": "ecc_p521"}]},
            r"keys\[0\].algorithm is 'ecc_p521', and on a GIDS card programs know RSA only: choose one of rsa_2048",
        ),
        ({"keys": [{"slot": "signature", "algorithm": "ecc_p256"}] * 2}, "names the slot signature twice"),
        (
            {"admin_key": ADMIN_KEY[:-1]},
            "admin_key has 47 characters that are no key: give 48 hexadecimal digits, or default",
        ),
        ({"admin_key": ADMIN_KEY + "0"}, "admin_key has 49 characters"),
        ({"admin_key": ADMIN_KEY[:-1] + "g"}, "admin_key has 48 characters that are no key"),
        ({"admin_key": ""}, "admin_key has 0 characters"),
        ({"admin_key": "DEFAULTS"}, "admin_key has 8 characters"),
        ({"admin_key": " " + ADMIN_KEY[1:]}, "admin_key has 48 characters"),
        ({"admin_key": "escrow"}, "escrow_key is missing: give the public key"),
        ({"admin_key": "escrow", "escrow_key": "x"}, "escrow_key is no public key that can be encrypted for"),
        ({"admin_key": "random", "escrow_key": "x"}, "escrow_key is given, but admin_key is not escrow"),
        ({"escrow_key": "x"}, "escrow_key is given, but admin_key is not escrow"),
        ({"name": None}, "name is missing: give the card's name"),
        ({"name": None, "state": "absent"}, "name is missing: give the card's name, or its instance_id"),
        ({"pin": "random"}, "pin_escrow_key is missing, and pin is random: give the public key"),
        ({"pin": "random", "pin_escrow_key": "x"}, "pin_escrow_key is no public key that can be encrypted for"),
        ({"pin_escrow_key": "x"}, "pin_escrow_key is given, but pin is not random: leave it out"),
        ({"attestation": "aik_and_cert"}, "attestation is aik_and_cert, and no CA has asked: give attestation_ca"),
        ({"attestation": "aik_and_cert", "attestation_nonce": "AA=="}, "attestation_nonce is no base64 of 32 bytes"),
        ({"attestation": "aik_only", "attestation_nonce": "?"}, "attestation_nonce is no base64 of 32 bytes"),
        ({"attestation_nonce": "AA=="}, "attestation_nonce is given, but attestation is none: ask for aik_only"),
        ({"attestation_ca": {"ca": "corp"}}, "attestation_ca came to the host, which it is not for"),
        ({"instance_id": r"ROOT\SMARTCARDREADER\0000"}, "leave it out with state: present"),
        ({"state": "absent", "instance_id": "0"}, r"write it as ROOT\\SMARTCARDREADER\\0000"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        WantedCard.parse(card_task(**changes))
    assert ADMIN_KEY[:40] not in str(caught.value)


def admin_key(**changes):
    wanted = WantedCard.parse(card_task(**changes))
    assert wanted.specification.has_admin == wanted.admin_key.exists
    return wanted.admin_key


def test_an_admin_key_of_ones_own():
    wanted = admin_key(admin_key=ADMIN_KEY.upper())
    key, escrowed = wanted.make()
    assert (key.cipher, key.value.hex(), escrowed) == (Cipher.TRIPLE_DES, ADMIN_KEY, None)
    assert not wanted.warnings and ADMIN_KEY not in repr(wanted) + repr(key)


def test_the_well_known_admin_key_warns():
    wanted = admin_key(admin_key="default")
    assert wanted.make()[0].value.hex() == "010203040506070801020304050607080102030405060708"
    assert "which everybody knows" in wanted.warnings[0]


@pytest.mark.parametrize("value", [None, "random"])
def test_a_random_admin_key_is_not_made_at_all(value):
    wanted = admin_key(admin_key=value)
    assert not wanted.exists and wanted.make() == (None, None)


def test_an_escrowed_admin_key_is_another_each_time():
    private, public = key_pair()
    wanted = admin_key(admin_key="escrow", escrow_key=public)
    made = [wanted.make() for _unused in range(2)]
    assert [unseal(escrowed, private).decode() for _unused, escrowed in made] == [
        key.value.hex() for key, _unused in made
    ]
    assert made[0][0] != made[1][0]


def test_a_random_pin_follows_the_rules_and_is_another_each_time():
    private, public = key_pair()
    rules = PinPolicy(minlen=6, maxlen=6, digits=Presence.REQUIRED, lowercase=Presence.DISALLOWED)
    pin = WantedCard.parse(card_task(pin="random", pin_escrow_key=public)).pin
    made = [pin.make(rules) for _unused in range(20)]
    assert len({each for each, _unused in made}) == 20
    for each, sealed in made:
        rules.check(each)
        assert unseal(sealed, private).decode() == each and each not in sealed


def test_a_pin_of_the_task_is_told_to_nobody():
    assert WantedCard.parse(card_task(pin="default")).pin.make(PinPolicy()) == ("12345678", None)
    assert WantedCard.parse(card_task(pin="s3cr3t-1")).pin.make(PinPolicy()) == ("s3cr3t-1", None)


def test_what_is_understood():
    wanted = WantedCard.parse(card_task(puk="default", keys=[{"slot": "retired_1", "algorithm": "rsa_2048"}]))
    assert wanted.puk == "12345678"
    assert wanted.specification.has_puk
    assert wanted.specification.pin_policy.maxlen == 8
    assert [(key.slot, key.algorithm) for key in wanted.specification.keys] == [(0x82, KeyAlgorithm.RSA_2048)]


def test_secrets_that_a_card_has_and_the_task_keeps_to_itself():
    wanted = WantedCard.parse(card_task(has_puk=True, has_admin_key=True))
    assert wanted.specification.has_puk and wanted.specification.has_admin and wanted.puk is None
    for secrets in ({"puk": "puk-0815", "has_puk": False}, {"admin_key": "default", "has_admin_key": False}):
        with pytest.raises(InputError, match=r"is false, but .* is given: leave out"):
            WantedCard.parse(card_task(**secrets))


def test_an_instance_id_finds_a_card():
    assert WantedCard.parse(card_task(name=None, state="absent", instance_id=r"ROOT\SMARTCARDREADER\0012")).number == 12


def test_secrets_are_not_in_the_representation():
    auths = {"tpm_owner_auth": "s3cr3t-3", "tpm_endorsement_auth": "s3cr3t-4"}
    wanted = WantedCard.parse(card_task(pin="s3cr3t-1", puk="s3cr3t-2", **auths))
    assert "s3cr3t" not in repr(wanted)


def test_no_import_that_an_unchanged_run_does_not_need():
    code = f"import {MODULE}, sys; print([name for name in ('cryptography', 'tpm2_pytss') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
