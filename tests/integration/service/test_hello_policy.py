# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host's Hello policy lets programs do over PC/SC that know nothing of us. It changes while they run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import objections_to
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK = "123456", "87654321"
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256),)
YUBICO = ("yubico-piv-tool", "--reader", "", "--action")
MONTH = 30 * 24 * 3600


@pytest.fixture
def card(machine):
    card = machine.make("CorpAccess", KEYS, pin_policy=PinPolicy(minlen=4, maxlen=8))
    machine.start()
    return card


def sign(machine, pin, ok=True):
    (machine.folder / "message").write_text("what is signed")
    arguments = ["--login", "--pin", pin, "--sign", "--id", "01", "--mechanism", "ECDSA-SHA256"]
    files = ["--input-file", str(machine.folder / "message"), "--output-file", str(machine.folder / "signature")]
    return machine.run("pkcs11-tool", *arguments, *files, ok=ok)


def change_by_opensc(machine, old, new, ok=True):
    machine.run("pkcs11-tool", "--login", "--pin", old, "--change-pin", "--new-pin", new, ok=ok)


def change_by_yubico(machine, old, new, ok=True):
    machine.run(*YUBICO, "change-pin", "--pin", old, "--new-pin", new, ok=ok)


def objections(machine, card):
    return objections_to(machine.store.read(card.number), machine.store.host_policy())


def clients(*pins):
    """OpenSC takes nothing but digits for a PIV card, and asks the card only then."""
    return (change_by_yubico, change_by_opensc) if "".join(pins).isdigit() else (change_by_yubico,)


def test_each_rule_about_new_pins_holds_from_the_next_change_on(machine, card):
    pin = PIN
    for rules, against, along in (
        ({"pin_min_length": 8}, "7654321", "87654320"),
        ({"pin_max_length": 7}, "87654329", "7654320"),
        ({"pin_uppercase": "required"}, "7654321", "765432A"),
        ({"pin_uppercase": "disallowed"}, "765432B", "7654322"),
        ({"pin_lowercase": "required"}, "7654323", "765432a"),
        ({"pin_lowercase": "disallowed"}, "765432b", "7654324"),
        ({"pin_special": "required"}, "7654325", "765432-"),
        ({"pin_special": "disallowed"}, "765432+", "7654326"),
        ({"pin_digits": "disallowed"}, "7654327", "abcdefg"),
        ({"pin_digits": "required"}, "abcdefh", "7654328"),
    ):
        machine.hello(**rules)
        assert objections(machine, card), rules
        for change in clients(pin, against):
            change(machine, pin, against, ok=False)
        clients(pin, along)[-1](machine, pin, along)
        assert objections(machine, card) == [], rules
        pin = along
    assert machine.tries(card) == (3, 3)
    sign(machine, pin)


def test_history_and_pin_recovery(machine, card):
    machine.hello(pin_history=2, pin_recovery="disabled")
    change_by_opensc(machine, PIN, "222222")
    change_by_yubico(machine, "222222", PIN, ok=False)
    machine.run(*YUBICO, "unblock-pin", "--pin", PUK, "--new-pin", "333333", ok=False)
    sign(machine, "222222")
    machine.hello(pin_recovery="enabled")
    machine.run(*YUBICO, "unblock-pin", "--pin", PUK, "--new-pin", PIN)
    assert machine.tries(card) == (3, 3)


def test_expiry(machine, card):
    record = machine.store.read(card.number)
    machine.store.write(replace(record, pin=replace(record.pin, set_at=record.pin.set_at - MONTH)))
    sign(machine, PIN)
    machine.hello(pin_expiration=29)
    assert objections(machine, card) == ["The PIN has expired."]
    sign(machine, PIN, ok=False)
    change_by_yubico(machine, PIN, "222222")
    sign(machine, "222222")
    assert machine.tries(card) == (3, 3)


def test_use_hello_and_a_security_device_rule_new_cards_and_leave_the_others(machine, card):
    for settings, message in (
        ({"use_hello": "disabled"}, "does not allow cards"),
        ({"require_security_device": "enabled"}, "wants hardware"),
    ):
        machine.hello(**settings)
        with pytest.raises(StateError, match=message):
            machine.make("Another")
        sign(machine, PIN)
    assert machine.store.numbers() == [card.number]


def test_emulation_off_keeps_new_cards_out_of_pcsc(machine):
    before = machine.make("Before", KEYS)
    machine.hello(disable_card_emulation="enabled")
    during = machine.make("During", KEYS)
    machine.hello(disable_card_emulation="disabled")
    after = machine.make("After", KEYS)
    machine.start()
    readers = machine.run("opensc-tool", "--list-readers")
    assert "Before 00 00" in readers and "After 00 00" in readers and "During" not in readers
    assert readers.count("Yes") == 2
    # The slot beside the first card is the one that the second would have.
    assert (before.number, during.number, after.number) == (0, 1, 2)
    machine.run("opensc-tool", "--reader", "Before 00 01", "--atr", ok=False)
    sign(machine, PIN)


def test_a_damaged_policy_lets_nobody_verify_or_change_a_pin(machine, card):
    machine.policy.write_bytes(b"{")
    sign(machine, PIN, ok=False)
    change_by_yubico(machine, PIN, "222222", ok=False)
    machine.policy.unlink()
    sign(machine, PIN)
    assert machine.tries(card) == (3, 3)
