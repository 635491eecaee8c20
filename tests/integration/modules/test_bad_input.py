# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong in a task is refused before anything is touched: the TPM gets no command, the store no file."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from ansible_collections.hardbound.identity.tests.support.ansible_tasks import Ansible

PIN, PUK = "pin-4711", "puk-0815"
HEX = "a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"
CLASSES = ("uppercase", "lowercase", "digits", "specialchars")


class Ear:
    """Listens where a TPM would, and notices who comes."""

    def __init__(self, path):
        self.callers = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self.tcti = f"swtpm:path={path}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            caller, _unused = self._socket.accept()
            self.callers += 1
            caller.close()


def policy(**rules):
    return {"pin_policy": rules}


BAD = {
    "an admin key of 47": ({"admin_key": HEX[:-1]}, "admin_key has 47 characters that are no key: give 48"),
    "an admin key of 49": ({"admin_key": HEX + "0"}, "admin_key has 49 characters"),
    "an admin key that is no hex": ({"admin_key": HEX[:-1] + "g"}, "admin_key has 48 characters that are no key"),
    "escrow for nobody": ({"admin_key": "escrow"}, "escrow_key is missing: give the public key"),
    "a recipient without escrow": ({"escrow_key": "PEM"}, "escrow_key is given, but admin_key is not escrow: leave"),
    "a recipient that is none": ({"admin_key": "escrow", "escrow_key": "PEM"}, "escrow_key is no public key"),
    "minlen 3": (policy(minlen=3), "pin_policy.minlen is 3: choose a number from 4 to 127"),
    "maxlen 128": (policy(maxlen=128), "pin_policy.maxlen is 128: choose a number from 4 to 127"),
    "minlen over maxlen": (
        policy(minlen=8, maxlen=6),
        "pin_policy.minlen is 8, more than pin_policy.maxlen, which is 6",
    ),
    "maxlen beyond the edge": (policy(maxlen=12), "pin_policy.maxlen is 12, but a PIV card takes at most 8: choose 8"),
    "no class at all": (policy(**dict.fromkeys(CLASSES, "disallowed")), "pin_policy disallows all four"),
    "no such presence": (policy(digits="maybe"), "value of digits must be one of: allowed, disallowed, required"),
    "history 51": (policy(history=51), "pin_policy.history is 51: choose a number from 0 to 50"),
    "expiry 731": (policy(expiry_days=731), "pin_policy.expiry_days is 731: choose a number from 0 to 730"),
    "a PIN that is too short": ({"pin": "4-to"}, "pin is shorter than the 8 characters", "lengthen it"),
    "a PIN that is too long": ({"pin": "123456789"}, "pin is longer than the 8 characters", "shorten it"),
    "a PIN against its classes": (
        policy(digits="disallowed"),
        "pin holds digits, which the PIN policy disallows: leave",
    ),
    "a PIN without a class": (policy(uppercase="required"), "pin holds none of the uppercase", "add one"),
    "a PIN of other letters": ({"pin": "p\u00edn-4711"}, "pin holds a character that is not printable ASCII: use"),
    "no PIN": ({"pin": None}, "pin is null, and a secret is a string: quote it", "or leave it out"),
    "a PIN that is a number": ({"pin": 42798}, "pin is a number, and a secret is a string: quote it"),
    "a PUK that is a number": ({"puk": 12345678}, "puk is a number, and a secret is a string: quote it"),
    "an admin key that is a number": ({"admin_key": 10**47}, "admin_key is a number, and a secret is a string"),
    "an owner's authorisation that is a number": ({"tpm_owner_auth": 1.5}, "tpm_owner_auth is a number, and a secret"),
    "a random PIN for nobody": ({"pin": "random"}, "pin_escrow_key is missing, and pin is random: give the public key"),
    "a PUK of 7": ({"puk": PUK[:-1]}, "puk does not have 8 printable ASCII characters: choose one that has"),
    "a PUK of 9": ({"puk": PUK + "9"}, "puk does not have 8 printable ASCII characters"),
    "no tries": ({"pin_retries": 0}, "pin_retries is 0: choose a number from 1 to 127"),
    "tries of no PUK": ({"puk_retries": 3}, "puk_retries is 3, but the card has no PUK: give puk too, or leave"),
    "too many tries": ({"puk": PUK, "puk_retries": 128}, "puk_retries is 128: choose a number from 1 to 127"),
    "an empty name": ({"name": ""}, "name is empty, too long or not printable ASCII: use 1 to 127"),
    "no name": ({"name": None}, "name is missing: give the card's name."),
    "an instance with present": (
        {"instance_id": r"ROOT\SMARTCARDREADER\0000"},
        "instance_id is given, but the TPM host chooses it: leave it out",
    ),
    "absent without name or instance": (
        {"state": "absent", "name": None},
        "name is missing: give the card's name, or its instance_id",
    ),
    "an instance of another form": (
        {"state": "absent", "name": None, "instance_id": "0"},
        "instance_id is '0', which no card can have",
        r"write it as ROOT\SMARTCARDREADER\0000",
    ),
    "a slot that is none": ({"keys": [{"slot": "f9"}]}, "keys[0].slot is 'f9', which is no slot"),
    "a slot twice": ({"keys": [{"slot": "signature"}] * 2}, "keys names the slot signature twice: name each slot once"),
    "an algorithm that is none": (
        {"keys": [{"slot": "signature", "algorithm": "ed25519"}]},
        "value of algorithm must be one of: rsa_2048",
    ),
    "a certificate without a CA": ({"attestation": "aik_and_cert"}, "attestation is aik_and_cert, and no CA has asked"),
    "a nonce for nothing": ({"attestation_nonce": "AA=="}, "attestation_nonce is given, but attestation is none: ask"),
    "a nonce that is short": (
        {"attestation": "aik_only", "attestation_nonce": "AA=="},
        "attestation_nonce is no base64 of 32 bytes: let the controller make it",
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """All of it in one playbook: what each task said, whether anybody called the TPM, and what the store holds."""
    folder = tmp_path_factory.mktemp("bad")
    ear = Ear(folder / "tpm.sock")
    ansible = Ansible(folder, ear.tcti)
    results = ansible.run(*(ansible.card(**{"pin": PIN, **case[0]}) for case in BAD.values()))
    assert "Traceback" not in ansible.output and HEX[:40] not in ansible.output
    assert not list(ansible.store.iterdir())
    return ear, dict(zip(BAD, results))


@pytest.mark.parametrize("case", BAD)
def test_a_card_that_can_not_be(refused, case):
    """The message names field, fault and remedy."""
    ear, results = refused
    _arguments, *words = BAD[case]
    assert results[case]["failed"] and all(word in results[case]["msg"] for word in words), results[case]["msg"]
    assert ear.callers == 0


def test_what_does_not_go_with_the_cards_that_are_there(ansible):
    """An unknown instance, a name used for another card, and a name that is not one of a part's card."""
    made, again, other, gone, part, nobody = ansible.run(
        ansible.card(pin=PIN),
        ansible.card(pin=PIN, puk=PUK),
        ansible.card(pin=PIN, pin_retries=3),
        ansible.card(state="absent", name=None, instance_id=r"ROOT\SMARTCARDREADER\0007"),
        ansible.part("pin", name=None, instance_id=r"ROOT\SMARTCARDREADER\0007", pin=PIN, new_pin="pin-1234"),
        ansible.part("key", name=None, slot="signature", pin=PIN),
    )
    assert "name is missing: give the card's name, or its instance_id" in nobody["msg"]
    kept = json.loads((ansible.store / "cards/0000.json").read_text())
    assert made["changed"] and kept["has_puk"] is False
    assert "puk is wanted, but the card 'card' has none: leave it as it is, or remove the card" in again["msg"]
    assert "pin_retries is 3, but the card 'card' was made with 5: leave it as it is" in other["msg"]
    assert not gone["changed"], "to be absent is what an instance that is unknown is already"
    assert (
        r"there is no card with the instance id ROOT\SMARTCARDREADER\0007" in part["msg"]
        and "virtual_smartcard_info" in part["msg"]
    )
