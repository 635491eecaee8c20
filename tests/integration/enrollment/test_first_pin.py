# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First PINs of enrolled cards: random ones, which their recipient alone reads, and ones that have to be changed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.tests.support.fleet import EVERY, PIN, PYTHON
from ansible_collections.hardbound.identity.tests.support.pages import yaml_blocks
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

pytestmark = pytest.mark.slow

NEW_PIN = "pin-4712"


class Recipient:
    """Who hands PINs out."""

    def __init__(self):
        key = ec.generate_private_key(ec.SECP256R1())
        self.private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def open(self, card):
        return unseal(card["pin_escrow"], self.private).decode()


@pytest.fixture
def recipient(fleet):
    recipient = Recipient()
    fleet.add("ws-001", pin="random", pin_escrow_key=recipient.public, pin_policy={"minlen": 6, "digits": "required"})
    return recipient


def change(fleet, pin, new_pin):
    """Changes the PIN, which shows whether it is right."""
    place = {"name": "corp", "store": str(fleet.folder / "ws-001/store")}
    task = {"hardbound.identity.virtual_smartcard_pin": {**place, "pin": pin, "new_pin": new_pin}}
    [result] = fleet.tasks({**task, "vars": {"ansible_python_interpreter": PYTHON}})
    return result


def request(fleet, pin):
    """Has the key sign, which takes a PIN that is good for more than its change."""
    place = {"name": "corp", "store": str(fleet.folder / "ws-001/store"), "path": str(fleet.folder / "request.pem")}
    task = {**place, "slot": "authentication", "subject": {"CN": "x"}, "pin": pin}
    [result] = fleet.tasks(
        {"hardbound.identity.virtual_smartcard_request": task, "vars": {"ansible_python_interpreter": PYTHON}}
    )
    return result


def traces(fleet, run):
    (fleet.folder / "inventory.yml").unlink()
    return [run.output.encode(), *(path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file())]


def test_a_random_pin_goes_to_its_recipient_alone_and_once(fleet, recipient):
    run = fleet.play("-vvv", "--diff")
    assert run.statuses() == {"ws-001": "enrolled"}, run.output
    pin = recipient.open(run.results["ws-001"]["cards"][0])
    assert not any(pin.encode() in each for each in traces(fleet, run))
    again = fleet.play()
    assert again.statuses() == {"ws-001": "unchanged"} and again.results["ws-001"]["cards"][0]["pin_escrow"] is None
    assert "wrong" in change(fleet, "wrong-1", NEW_PIN)["msg"].lower()
    assert change(fleet, pin, NEW_PIN)["changed"]
    shorter = {"based_on": "ad_smartcard_logon", "days": 30}
    fleet.variables["smartcard_enrollment_profiles"] = {"ad_smartcard_logon": shorter}
    assert fleet.play(*EVERY, playbook="hardbound.identity.renew").statuses() == {"ws-001": "renewed"}


def test_the_playbook_of_the_page_keeps_the_pin_of_a_refused_card(fleet, recipient):
    [example] = [value for where, value in yaml_blocks() if "pin_escrow }}" in str(value) and "docs/card.md" in where]
    playbook = fleet.folder / "keep.yml"
    playbook.write_text(json.dumps([{**play, "hosts": "all"} for play in example]))
    run = fleet.play(playbook=str(playbook), smartcard_enrollment_trust_anchors="/etc/ssl/certs/ca-certificates.crt")
    assert run.code == 0 and run.results["ws-001"]["code"] == "EK_CHAIN_UNTRUSTED", run.output
    kept = (fleet.folder / "escrow/ws-001-corp.jwe").read_text()
    assert change(fleet, recipient.open({"pin_escrow": kept}), NEW_PIN)["changed"]


TROUBLE = {
    "refused": ({"smartcard_enrollment_trust_anchors": "/etc/ssl/certs/ca-certificates.crt"}, "EK_CHAIN_UNTRUSTED"),
    "dies_before_it_answers": ({"ansible_python_interpreter": "activate"}, "HOST_FAILED"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_random_pin_is_not_lost_with_the_run(fleet, recipient, name):
    """The card is made, and has the PIN, whatever comes after it."""
    variables, code = TROUBLE[name]
    if variables.get("ansible_python_interpreter"):
        dies = fleet.lying("def tell(answer):\n    raise SystemExit(1)\n", "activate")
        variables = {"ansible_python_interpreter": dies}
    run = fleet.play(**variables)
    assert run.results["ws-001"]["code"] == code, run.output
    pin = recipient.open(run.results["ws-001"]["cards"][0])
    assert fleet.play().statuses() == {"ws-001": "enrolled"}
    assert change(fleet, pin, NEW_PIN)["changed"]


def test_a_random_pin_needs_a_recipient_and_a_new_card(fleet, recipient):
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    key = card.pop("pin_escrow_key")
    run = fleet.play()
    assert run.results["ws-001"]["code"] == "HOST_FAILED" and "pin_escrow_key is missing" in run.output, run.output
    card["pin_escrow_key"] = key
    assert fleet.play().statuses() == {"ws-001": "enrolled"}
    card["keys"].append({"slot": "signature"})
    run = fleet.play()
    assert "pin is random, which only a new card gets" in run.output and run.statuses() == {"ws-001": "refused"}


def test_a_first_pin_that_has_to_be_changed(fleet):
    """It makes the card's keys and their certificates, and then nothing; renewal needs none."""
    fleet.add("ws-001", pin_must_change=True)
    assert fleet.play().statuses() == {"ws-001": "enrolled"}
    refused = request(fleet, PIN)
    assert refused["failed"] and "must be changed" in refused["msg"]
    shorter = {"based_on": "ad_smartcard_logon", "days": 30}
    fleet.variables["smartcard_enrollment_profiles"] = {"ad_smartcard_logon": shorter}
    assert fleet.play(*EVERY, playbook="hardbound.identity.renew").statuses() == {"ws-001": "renewed"}
    assert change(fleet, PIN, NEW_PIN)["changed"]
    assert not request(fleet, NEW_PIN)["failed"]
    assert fleet.play().statuses() == {"ws-001": "unchanged"}
