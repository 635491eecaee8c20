# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lost PIN is recovered by host and controller together: with the playbook, in a software TPM."""

from __future__ import annotations

import base64
import json
import re

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind
from ansible_collections.hardbound.identity.tests.support.fleet import PIN, PYTHON
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

pytestmark = pytest.mark.slow

NEW_PIN, HOLDERS_PIN = "pin-4712", "pin-4713"
PASSPHRASE = "who-keeps-the-safe"
HOST, CARD = "ws-001", "corp"


class Safe:
    """The recovery key, and the playbook's variables for it."""

    def __init__(self, folder):
        key = ec.generate_private_key(ec.SECP256R1())
        form = (Encoding.PEM, PrivateFormat.PKCS8)
        self.public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.private = key.private_bytes(*form, BestAvailableEncryption(PASSPHRASE.encode())).decode()
        self.bare = key.private_bytes(*form, NoEncryption()).decode()
        self.file = folder / "recovery.key"
        self.file.write_text(self.private)

    def variables(self, **other):
        said = {
            "host": HOST,
            "card": CARD,
            "pin": NEW_PIN,
            "key_file": str(self.file),
            "passphrase": PASSPHRASE,
            "reason": "the desk has seen the holder",
            **other,
        }
        return {f"smartcard_recovery_{name}": value for name, value in said.items()}


@pytest.fixture
def safe(fleet):
    safe = Safe(fleet.folder)
    fleet.variables["smartcard_enrollment_recovery_key"] = safe.public
    return safe


def add(fleet, host=HOST):
    """Adds a host whose card has no PUK of its own."""
    fleet.add(host)
    del fleet.inventory[host]["smartcard_enrollment_cards"][0]["puk"]


@pytest.fixture
def enrolled(fleet, safe):
    add(fleet)
    run = fleet.play()
    assert run.statuses() == {HOST: "enrolled"}, run.output
    return safe


def recover(fleet, safe, *options, **other):
    given = fleet.folder / "recovery-variables.json"
    given.write_text(json.dumps(safe.variables(**other)))
    try:
        return fleet.play("-e", f"@{given}", *options, playbook="hardbound.identity.recover")
    finally:
        given.unlink()


def task(fleet, module, host=HOST, **arguments):
    place = {"name": CARD, "store": str(fleet.folder / host / "store"), **arguments}
    [result] = fleet.tasks({f"hardbound.identity.{module}": place, "vars": {"ansible_python_interpreter": PYTHON}})
    return result


def change(fleet, pin, new_pin):
    return task(fleet, "virtual_smartcard_pin", pin=pin, new_pin=new_pin)


def sign(fleet, pin):
    path = str(fleet.folder / "request.pem")
    return task(fleet, "virtual_smartcard_request", path=path, slot="authentication", subject={"CN": "x"}, pin=pin)


def kinds(fleet):
    return [event.kind for event in fleet.ledger().events(HOST)]


def lasting(record):
    """What of a card a recovery has no business with."""
    return {name: record[name] for name in ("keys", "certificates", "parent", "ak", "serial", "genesis")}


def halves(fleet):
    return fleet.ledger().halves(HOST, CARD)


def test_a_lost_pin_is_recovered_with_keys_and_certificates(fleet, enrolled):
    """And no secret is left anywhere: the PIN, the key's passphrase, the halves of before and after."""
    before, [half] = fleet.record(HOST), halves(fleet)
    assert half.kept and before["recovery"]["current"]["identifier"] == half.identifier
    assert change(fleet, "wrong-1", "pin-9999")["failed"]
    run = recover(fleet, enrolled, "-vvvv", "--diff")
    assert run.code == 0 and "RECOVERED  the PIN of corp of ws-001" in run.output, run.output
    after, [another] = fleet.record(HOST), halves(fleet)
    (fleet.folder / "inventory.yml").unlink()
    contents = [run.output.encode(), *(path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file())]
    opened = [unseal(each.sealed, enrolled.bare) for each in (half, another)]
    for secret in (NEW_PIN.encode(), PASSPHRASE.encode(), *opened):
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)):
            assert not any(form in content for content in contents), form
    assert lasting(after) == lasting(before) and after["pin"]["must_change"]
    assert another.kept and another.identifier == after["recovery"]["current"]["identifier"] != half.identifier
    assert kinds(fleet)[-3:] == [EventKind.PIN_RECOVERY_BEGUN, EventKind.RECOVERY_KEPT, EventKind.PIN_RECOVERED]
    assert fleet.ledger().events(HOST)[-1].detail == "the desk has seen the holder"
    assert "must be changed" in sign(fleet, NEW_PIN)["msg"]
    assert change(fleet, NEW_PIN, HOLDERS_PIN)["changed"] and not sign(fleet, HOLDERS_PIN)["failed"]
    assert fleet.play().statuses() == {HOST: "unchanged"} and halves(fleet) == [another]


REFUSED = {
    "another_key": ({"key_file": "other"}, "does not open the half"),
    "a_key_in_the_clear": ({"key_file": "bare"}, "recovery_private_key is not encrypted"),
    "another_passphrase": ({"passphrase": "wrong"}, "does not open the half"),
    "another_card": ({"card": "other"}, "the ledger holds no half for the card other of ws-001"),
    "no_card": ({"card": ""}, "Nobody's PIN is recovered"),
    "another_host": ({"host": "ws-404"}, "Nobody's PIN is recovered"),
    "a_pin_against_the_rules": ({"pin": "1"}, "new_pin"),
}


def test_check_mode_and_what_is_refused_change_nothing(fleet, enrolled):
    """A PIN against the rules is found out by the host alone, which leaves an offer in the ledger and no trace else."""
    before, kept = fleet.record(HOST), halves(fleet)
    run = recover(fleet, enrolled, "--check", "--diff")
    assert run.code == 0 and "would be a new one" in run.output and NEW_PIN not in run.output, run.output
    assert EventKind.PIN_RECOVERY_BEGUN not in kinds(fleet)
    for name, (other, message) in REFUSED.items():
        files = {"other": Safe(fleet.folder).private, "bare": enrolled.bare}
        enrolled.file.write_text(enrolled.private)
        given = fleet.folder / "given.key"
        given.write_text(files.get(other.get("key_file"), ""))
        run = recover(fleet, enrolled, **{**other, **({"key_file": str(given)} if "key_file" in other else {})})
        assert run.code != 0 and message in run.output, (name, run.output)
        assert lasting(fleet.record(HOST)) == lasting(before) and kept[0] in halves(fleet), name
    assert not sign(fleet, PIN)["failed"]


def test_a_random_pin_goes_to_its_recipient(fleet, enrolled):
    """The run's last line is all that there will ever be of it."""
    printer = Safe(fleet.folder)
    enrolled.file.write_text(enrolled.private)
    run = recover(fleet, enrolled, pin="random", pin_key=printer.public)
    assert run.code == 0, run.output
    [shown] = re.findall(r"^ENCRYPTED  (\S+)$", run.output, re.MULTILINE)
    pin = unseal(shown, printer.bare).decode()
    assert change(fleet, pin, HOLDERS_PIN)["changed"] and not sign(fleet, HOLDERS_PIN)["failed"]
