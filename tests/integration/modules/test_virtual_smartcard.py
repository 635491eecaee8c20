# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""virtual_smartcard, virtual_smartcard_info and tpm_info as a playbook runs them."""

from __future__ import annotations

import base64
import pathlib
import subprocess
import time

from ansible_collections.hardbound.identity.tests.support.ansible_tasks import command_lines

PIN, PUK = "pin-4711", "puk-0815"
KEYS = [{"slot": "authentication", "algorithm": "ecc_p256"}, {"slot": "signature", "algorithm": "rsa_2048"}]


def files(ansible):
    return sorted(path.name for path in (ansible.store / "cards").glob("*.json"))


def test_create_and_destroy_in_four_steps_each(ansible):
    """Check mode tells the truth and touches nothing; the second run changes nothing."""
    arguments = {"pin": PIN, "puk": PUK, "keys": KEYS}
    before = ansible.nv_indices()
    [planned] = ansible.run(ansible.card(check=True, **arguments))
    assert ansible.left_in_store() == [] and ansible.nv_indices() == before
    made, again, planned_again = ansible.run(
        ansible.card(**arguments), ansible.card(**arguments), ansible.card(check=True, **arguments)
    )
    changed = [planned["changed"], made["changed"], again["changed"], planned_again["changed"]]
    assert changed == [True, True, False, False], ansible.output
    assert made["diff"]["before"] == {} and made["diff"] == planned["diff"]
    assert made["instance_id"] == "ROOT\\SMARTCARDREADER\\0000"
    assert [key["slot"] for key in made["card"]["slots"]] == ["authentication", "signature"]
    assert again["card"] == made["card"]
    held = ansible.nv_indices()

    removal = {"state": "absent", "instance_id": made["instance_id"], "name": None}
    [planned] = ansible.run(ansible.card(check=True, **removal))
    assert planned["changed"] and files(ansible) == ["0000.json"] and ansible.nv_indices() == held
    gone, again = ansible.run(ansible.card(**removal), ansible.card(**removal))
    assert gone["changed"] and gone["card"] is None and not again["changed"]
    assert files(ansible) == [] and set(ansible.nv_indices()) == set(before)


def test_adding_a_key_takes_the_pin(ansible):
    _unused, missing, wrong, added, again = ansible.run(
        ansible.card(pin=PIN),
        ansible.card(keys=KEYS[:1]),
        ansible.card(keys=KEYS[:1], pin="wrong-pi"),
        ansible.card(keys=KEYS[:1], pin=PIN),
        ansible.card(keys=KEYS[:1]),
    )
    assert missing["msg"].startswith("pin is missing, and new keys need one")
    assert "pin is wrong, and has 4 tries left: give the right one" in wrong["msg"]
    assert added["changed"] and not again["changed"]
    assert added["diff"]["before"]["keys"] == {} and added["diff"]["after"]["keys"] == {"authentication": "ecc_p256"}


def test_owner_and_pin_policy_can_be_changed(ansible):
    policy = {"minlen": 6, "digits": "required"}
    _unused, changed, again = ansible.run(
        ansible.card(pin=PIN),
        ansible.card(owner="root", pin_policy=policy),
        ansible.card(owner="root", pin_policy=policy),
    )
    assert changed["changed"] and changed["card"]["owner"] == "root" and changed["card"]["pin_policy"]["minlen"] == 6
    assert not again["changed"]


def test_who_attests_passkeys_stays_until_it_is_said_anew(ansible):
    made, told, again, kept = ansible.run(
        ansible.card(pin=PIN, passkeys=True),
        ansible.card(passkey_attestation="self"),
        ansible.card(passkey_attestation="self"),
        ansible.card(owner="root"),
    )
    assert made["card"]["passkey_attestation"] == "tpm"
    assert [each["changed"] for each in (told, again, kept)] == [True, False, True]
    assert {each["card"]["passkey_attestation"] for each in (told, again, kept)} == {"self"}
    assert told["diff"]["before"]["passkey_attestation"] == "tpm"


FIXED = [
    ({"pin_retries": 3}, "pin_retries is 3, but the card 'card' was made with 5: leave it as it is, or remove"),
    ({"puk": PUK}, "puk is wanted, but the card 'card' has none"),
    ({"keys": [{"slot": "authentication", "algorithm": "rsa_2048"}]}, "there is a key of ecc_p256"),
    ({"tpm": "device:/dev/null"}, "tpm is device:/dev/null, but the card 'card' was made with swtpm"),
]


def test_what_is_fixed_stays(ansible):
    ansible.run(ansible.card(pin=PIN, keys=KEYS[:1]))
    before = (ansible.store / "cards/0000.json").read_bytes()
    results = ansible.run(*(ansible.card(**changes) for changes, _unused in FIXED))
    for refused, (_unused, message) in zip(results, FIXED):
        assert refused["failed"] and message in refused["msg"], refused
    assert (ansible.store / "cards/0000.json").read_bytes() == before


BAD = [
    ({"pin": "4-to"}, "pin is shorter than the 8 characters"),
    ({"pin": "much-too-long"}, "pin is longer than the 8 characters"),
    ({"pin": "p\u00edn-4711"}, "not printable ASCII"),
    ({"pin": PIN, "pin_policy": {"digits": "disallowed"}}, "pin holds digits, which the PIN policy disallows"),
    ({"pin": PIN, "puk": "1234567"}, "puk does not have 8 printable ASCII characters"),
    ({"pin": PIN, "tpm": "device:/dev/no-such-tpm"}, "enable a TPM 2.0 in the firmware settings"),
    ({"pin": PIN, "tpm": "device:/dev/null"}, "/dev/null"),
    ({"pin": PIN, "tpm": "swtpm:path=/no/such/socket"}, "no TPM answers at swtpm:path=/no/such/socket"),
    ({"pin": PIN, "keys": [{"slot": "authentication", "algorithm": "rsa_4096"}]}, "which this TPM does not make"),
]


def test_bad_input_leaves_no_trace(ansible):
    before = ansible.nv_indices()
    results = ansible.run(*(ansible.card(**arguments) for arguments, _unused in BAD))
    for refused, (_unused, message) in zip(results, BAD):
        assert refused.get("failed") and message in refused["msg"], refused
    assert "Traceback" not in ansible.output
    assert ansible.nv_indices() == before and ansible.left_in_store() == []


def test_a_tpm_in_lockout(ansible):
    tpm = ["-T", ansible.tcti]
    subprocess.run(["tpm2_dictionarylockout", *tpm, "-s", "-n", "1", "-t", "1000", "-l", "1000"], check=True)
    made = ["tpm2_nvdefine", *tpm, "0x01500000", "-s", "8", "-p", "right", "-a", "authread|authwrite"]
    subprocess.run(made, check=True, capture_output=True)
    guess = ["tpm2_nvwrite", *tpm, "0x01500000", "-P", "wrong", "-i", "/etc/hostname"]
    assert subprocess.run(guess, capture_output=True, check=False).returncode
    [refused] = ansible.run(ansible.card(pin=PIN))
    assert "is in lockout: wait up to 1000 seconds" in refused["msg"], refused


def test_a_full_tpm(ansible):
    number = 0
    fill = ["tpm2_nvdefine", "-T", ansible.tcti, "-s", "512", "-a", "authread|authwrite"]
    while subprocess.run([*fill, hex(0x01500000 + number)], capture_output=True, check=False).returncode == 0:
        number += 1
        assert number < 512
    before = ansible.nv_indices()
    [refused] = ansible.run(ansible.card(pin=PIN))
    assert "NV memory is full: remove a card" in refused["msg"], refused
    assert ansible.nv_indices() == before and files(ansible) == []


def test_a_damaged_store_file(ansible):
    ansible.run(ansible.card(pin=PIN))
    path = ansible.store / "cards/0000.json"
    whole = path.read_bytes()
    for damaged, words in (
        (whole[:-40], "it is damaged"),
        (whole.replace(b'"version": 3', b'"version": 4'), "it has version 4, and this release knows up to 3: update"),
    ):
        path.write_bytes(damaged)
        [refused] = ansible.run(ansible.card(pin=PIN))
        assert words in refused["msg"] and str(path) in refused["msg"], refused
        assert path.read_bytes() == damaged


def test_a_card_that_the_tpm_lost(ansible):
    ansible.run(ansible.card(pin=PIN))
    subprocess.run(["tpm2_clear", "-T", ansible.tcti], check=True)
    refused, found, gone, made = ansible.run(
        ansible.card(pin=PIN), ansible.info(), ansible.card(state="absent"), ansible.card(pin=PIN)
    )
    assert "is no longer whole in the TPM" in refused["msg"] and "state: absent" in refused["msg"]
    assert [card["state"] for card in found["cards"]] == ["lost"]
    assert gone["changed"] and made["changed"]


def test_what_the_info_modules_tell(ansible):
    _unused, cards, others, tpm = ansible.run(
        ansible.card(pin=PIN, puk=PUK, keys=KEYS[:1]), ansible.info(), ansible.info(name="other"), ansible.tpm_info()
    )
    [card] = cards["cards"]
    assert not cards["changed"] and others["cards"] == []
    assert (card["state"], card["pin_tries_left"], card["puk_tries_left"]) == ("ready", 5, 5)
    found = tpm["tpm"]
    assert found["pin_fail_supported"] and not found["lockout"]["in_lockout"] and found["nv_free"] > 5
    assert {"rsa_2048", "ecc_p256", "ecc_p384"} <= set(found["algorithms"])


def test_without_tpm2_pytss(ansible, short_path):
    """The package is missing: a sentence, before anything is changed."""
    python = short_path / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(python)], check=True)
    before = ansible.nv_indices()
    [refused] = ansible.run(ansible.card(python=f"{python}/bin/python", pin=PIN))
    assert "python3-tpm2-pytss" in refused["msg"], refused
    assert ansible.nv_indices() == before and files(ansible) == []


def test_secrets_go_nowhere(ansible):
    """Neither output, log, files nor any process's arguments hold PIN or PUK, plain or encoded."""
    ansible.write([ansible.card(pin=PIN, puk=PUK, keys=KEYS)])
    process = subprocess.Popen(
        ansible.command("-vvvv"),
        env=ansible.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    processes = set()
    while process.poll() is None:
        processes |= command_lines()
        time.sleep(0.01)
    output = process.communicate()[0]
    assert process.returncode == 0 and "changed=2" in output, output
    (ansible.folder / "playbook.yml").unlink()
    assert any("python" in line for line in processes)
    places = (ansible.folder, pathlib.Path("/var/log"))
    contents = [path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()]
    for secret in (PIN, PUK):
        raw = secret.encode()
        for form in (raw, raw.hex().encode(), base64.b64encode(raw)):
            assert form not in output.encode()
            assert not any(form in line.encode() for line in processes)
            assert not any(form in content for content in contents)
