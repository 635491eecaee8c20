# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First PINs, expiry and history as programs meet them over PC/SC that know nothing of us."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK, NEW, THIRD = "123456", "87654321", "654321", "777777"
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256), KeySpecification(0x9E, KeyAlgorithm.ECC_P256))
YUBICO = ("yubico-piv-tool", "--reader", "", "--action")


@pytest.fixture
def start(machine):
    """Makes a card and starts everything."""

    def start(**changes):
        card = machine.make("CorpAccess", KEYS, **changes)
        machine.start()
        (machine.folder / "message").write_text("what is signed")
        return card

    return start


def sign(machine, pin, ok=True):
    """OpenSC signs with the key that asks for the PIN."""
    arguments = ["--login", "--pin", pin, "--sign", "--id", "01", "--mechanism", "ECDSA-SHA256"]
    files = ["--input-file", str(machine.folder / "message"), "--output-file", str(machine.folder / "signature")]
    return machine.run("pkcs11-tool", *arguments, *files, ok=ok)


def change(machine, old, new, ok=True):
    """OpenSC changes the PIN; it verifies the old one first."""
    return machine.run("pkcs11-tool", "--login", "--pin", old, "--change-pin", "--new-pin", new, ok=ok)


def test_a_first_pin_can_do_nothing_but_be_changed(machine, start):
    card = start(pin_must_change=True)
    assert "Successfully verified PIN" in machine.run(*YUBICO, "verify-pin", "--pin", PIN)
    sign(machine, PIN, ok=False)
    machine.run(*YUBICO, "test-signature", "--slot", "9a", "--pin", PIN, stdin="", ok=False)
    change(machine, PIN, PIN, ok=False)
    assert machine.tries(card) == (3, 3)
    change(machine, PIN, NEW)
    sign(machine, NEW)


def test_another_program_changes_a_first_pin(machine, start):
    start(pin_must_change=True)
    assert "Successfully changed" in machine.run(*YUBICO, "change-pin", "--pin", PIN, "--new-pin", NEW)
    sign(machine, NEW)


def test_the_puk_changes_a_first_pin(machine, start):
    start(pin_must_change=True)
    machine.run(*YUBICO, "unblock-pin", "--pin", PUK, "--new-pin", PIN, ok=False)
    assert "Successfully unblocked" in machine.run(*YUBICO, "unblock-pin", "--pin", PUK, "--new-pin", NEW)
    sign(machine, NEW)


def test_an_expired_pin(machine, start):
    card = start(pin_policy=PinPolicy(minlen=6, maxlen=8, expiry_days=30))
    sign(machine, PIN)
    record = machine.store.read(card.number)
    machine.store.write(replace(record, pin=replace(record.pin, set_at=record.pin.set_at - 30 * 24 * 3600)))
    sign(machine, PIN, ok=False)
    assert machine.tries(card) == (3, 3)
    change(machine, PIN, NEW)
    sign(machine, NEW)


def test_history(machine, start):
    card = start(pin_policy=PinPolicy(minlen=6, maxlen=8, history=2))
    change(machine, PIN, NEW)
    change(machine, NEW, PIN, ok=False)
    machine.run(*YUBICO, "unblock-pin", "--pin", PUK, "--new-pin", PIN, ok=False)
    sign(machine, NEW)
    change(machine, NEW, THIRD)
    change(machine, THIRD, PIN)
    sign(machine, PIN)
    assert machine.tries(card) == (3, 3)
