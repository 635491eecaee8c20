# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PIN's life: first PINs that must be changed, expiry, history, and the host's Hello policy above all cards."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import NotOffered, PinDue, WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference, Tries
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.tests.support.guillotine import Guillotine

pytestmark = pytest.mark.tpm

PIN, PUK, NEW, DIGEST = b"123456", b"87654321", b"654321", bytes(32)
KEY = KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256)
FREE = KeySpecification(int(Slot.CARD_AUTHENTICATION), KeyAlgorithm.ECC_P256)


@pytest.fixture
def host_policy(bench, short_path):
    """Writes the host's Hello policy; without a call there is none."""
    path = short_path / "hello_policy.json"
    bench.store = Store(bench.store.folder, str(path))

    def write(rules=None, **switches):
        path.write_text(json.dumps({"version": 1, "settings": {}, "pin_policy": rules or {}, "cards": switches}))

    return write


def provisioned(bench, **changes):
    """A card whose issuer has made its keys with the first PIN."""
    record = bench.make(**changes)
    card = bench.open(record)
    card.verify(PIN, provisioning=True)
    card.make_key(KEY)
    card.make_key(FREE)
    card.sign(KEY.slot, DIGEST)
    return card


def age(bench, card, days):
    """Lets the PIN be older."""
    record = bench.store.read(card.number)
    bench.store.write(replace(record, pin=replace(record.pin, set_at=record.pin.set_at - days * 24 * 3600)))


def is_held_back(card, pin):
    """The PIN is right, costs no try, and opens no key but the one that never asks."""
    card.verify(pin)
    for use in (lambda: card.sign(KEY.slot, DIGEST), lambda: card.make_key(KEY), card.require_pin):
        with pytest.raises(PinDue):
            use()
    card.sign(FREE.slot, DIGEST)
    assert card.tries(Reference.PIN) == Tries(3, 3)


def test_a_first_pin_can_do_nothing_but_be_changed(bench):
    card = provisioned(bench, pin_must_change=True)
    is_held_back(card, PIN)
    with pytest.raises(InputError, match="pin is among the last 1 that the card has had"):
        card.change(Reference.PIN, PIN, PIN)
    card.change(Reference.PIN, PIN, NEW)
    card.verify(NEW)
    card.sign(KEY.slot, DIGEST)


def test_unblocking_with_the_first_pin_is_no_way_around(bench):
    card = provisioned(bench, pin_must_change=True)
    with pytest.raises(InputError, match="among the last"):
        card.unblock(PUK, PIN)
    card.unblock(PUK, NEW)
    card.verify(NEW)
    card.sign(KEY.slot, DIGEST)


def test_an_expired_pin(bench):
    card = provisioned(bench, pin_policy=PinPolicy(minlen=4, maxlen=8, expiry_days=30))
    age(bench, card, 29)
    card.verify(PIN)
    card.sign(KEY.slot, DIGEST)
    age(bench, card, 1)
    is_held_back(card, PIN)
    card.change(Reference.PIN, PIN, NEW)
    card.verify(NEW)
    card.sign(KEY.slot, DIGEST)


def test_the_duty_ends_a_session_of_another_process(bench):
    card = provisioned(bench)
    bench.open(card.record).must_change_pin()
    assert not card.verified
    is_held_back(card, PIN)


def test_history(bench):
    card = provisioned(bench, pin_policy=PinPolicy(minlen=4, maxlen=8, history=3))
    for old, new in ((PIN, b"pin-2"), (b"pin-2", b"pin-3")):
        card.change(Reference.PIN, old, new)
    for former in (PIN, b"pin-2", b"pin-3"):
        with pytest.raises(InputError, match="pin is among the last 3"):
            card.change(Reference.PIN, b"pin-3", former)
        with pytest.raises(InputError, match="pin is among the last 3"):
            card.unblock(PUK, former)
    card.change(Reference.PIN, b"pin-3", b"pin-4")
    card.unblock(PUK, PIN)
    card.verify(PIN)


def test_the_history_is_no_oracle_on_disk(bench):
    """An attacker with all files, who knows every PIN that ever was, finds none of them without the TPM's tries."""
    card = provisioned(bench, pin_policy=PinPolicy(minlen=4, maxlen=8, history=3))
    card.change(Reference.PIN, PIN, NEW)
    record = bench.store.read(card.number)
    assert len(record.pin.former) == 2
    public = [record.salt, record.serial, record.genesis, bytes(32), record.parent.public, record.seals[3].public]
    with bench.tpm.taken() as tpm:
        gates = Gates(tpm, record)
        for material, pin in itertools.product(public, (PIN, NEW)):
            assert not record.pin.was(pin, gates.history_key(material), 3)
            assert not record.pin.was(pin, material, 3)
        opened = gates.open(Reference.PIN, NEW)
        assert record.pin.was(PIN, gates.history_key(opened.contents().key), 3)


# The host's Hello policy


def test_a_new_pin_follows_the_card_and_the_host(bench, host_policy):
    card = provisioned(bench)
    host_policy({"minlen": 7, "lowercase": "required"})
    card.verify(PIN)
    card.sign(KEY.slot, DIGEST)
    for bad in (b"pin-12", b"1234567"):
        with pytest.raises(InputError):
            card.change(Reference.PIN, PIN, bad)
        with pytest.raises(InputError):
            card.unblock(PUK, bad)
        with pytest.raises(InputError):
            bench.secrets = replace(bench.secrets, pin=bad.decode())
            bench.make("new")
    assert card.tries(Reference.PIN) == Tries(3, 3)
    card.change(Reference.PIN, PIN, b"pin-123")


def test_the_host_lets_pins_expire(bench, host_policy):
    card = provisioned(bench)
    age(bench, card, 11)
    host_policy({"expiry_days": 10})
    is_held_back(card, PIN)


def test_the_host_allows_no_card_and_leaves_no_trace(bench, host_policy):
    for switches, words in (
        ({"may_create": False}, "does not allow cards"),
        ({"hardware_tpm_only": True}, "is a program"),
    ):
        host_policy(**switches)
        with pytest.raises(StateError, match=words):
            bench.make()
    host_policy({"minlen": 9})
    with pytest.raises(StateError, match="no PIN can follow both"):
        bench.make()
    assert bench.card_indices() == [] and bench.store.numbers() == []


def test_the_host_does_not_let_the_puk_set_a_pin(bench, host_policy):
    card = provisioned(bench)
    host_policy(puk_may_reset_pin=False)
    with pytest.raises(NotOffered, match="make a new card"):
        card.unblock(PUK, NEW)
    assert card.tries(Reference.PUK) == Tries(3, 3)


def test_a_damaged_policy_sets_no_pin(bench, host_policy, short_path):
    card = provisioned(bench)
    (short_path / "hello_policy.json").write_text("{")
    with pytest.raises(StateError, match="is damaged"):
        card.change(Reference.PIN, PIN, NEW)


# What a task that runs again knows


def test_one_bit_tells_the_tasks_pin_from_the_one_before(bench):
    card = provisioned(bench)
    assert not card.set_by_task(Reference.PIN)
    assert card.candidates(Reference.PIN, [PIN, NEW]) == [PIN, NEW]
    card.change(Reference.PIN, PIN, NEW, by_task=True)
    assert card.candidates(Reference.PIN, [PIN, NEW]) == [NEW]
    card.change(Reference.PIN, NEW, b"holders")
    assert not card.set_by_task(Reference.PIN)
    assert card.record.telltales == {}


# kill -9


@pytest.mark.slow
def test_killed_while_a_due_pin_is_changed(software_tpm, short_path, bench_type):
    """The first PIN that is still valid is still due; the new one is free, remembered, and told from the first."""
    guillotine = Guillotine(software_tpm.socket, short_path / "relay.sock")
    (short_path / "store").mkdir()
    bench = bench_type(short_path / "store", guillotine.tcti)
    policy = PinPolicy(minlen=4, maxlen=8, history=2)
    for deadly in itertools.count():
        card = provisioned(bench, pin_must_change=True, pin_policy=policy)
        bench.tpm.release()
        number = card.number
        died = guillotine.run(
            lambda number=number: bench.open(bench.store.read(number)).change(Reference.PIN, PIN, NEW, by_task=True),
            deadly,
        )
        card = bench.open(bench.store.read(number))
        try:
            card.check(Reference.PIN, NEW)
        except WrongSecret:
            is_held_back(card, PIN)
            assert not card.set_by_task(Reference.PIN)
        else:
            card.verify(NEW)
            card.sign(KEY.slot, DIGEST)
            assert card.candidates(Reference.PIN, [PIN, NEW]) == [NEW]
            with pytest.raises(InputError, match="among the last 2"):
                card.change(Reference.PIN, NEW, PIN)
        assert card.record.pending == {}
        bench.destroy(card.record)
        if not died:
            assert deadly > 20
            return
