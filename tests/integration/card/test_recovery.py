# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PUK of two halves, in a software TPM: what each half is worth alone, what is left of old ones, and kill -9 at every
TPM command of a recovery.
"""

from __future__ import annotations

import base64
import functools
import itertools
import os
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle, record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardLost, WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import HostPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._card.recovery import NewHalves, derive_puk
from ansible_collections.hardbound.identity.plugins.module_utils._card.recovery_half import reveal
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.recovery_order import (
    HALF_SIZE,
    RecoveryOrder,
)
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import PLACE
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import EnrolledCard
from ansible_collections.hardbound.identity.plugins.module_utils._task.recovery import ARGUMENTS, CardRecovery
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError
from ansible_collections.hardbound.identity.tests.support.guillotine import Guillotine
from ansible_collections.hardbound.identity.tests.support.tasks import defaults, visited_card

pytestmark = [pytest.mark.tpm]

NEW = "654321"


def new_half():
    return os.urandom(16).hex(), os.urandom(HALF_SIZE)


class Controller:
    """Has its halves in the clear, as after the recovery key was used."""

    def __init__(self):
        self.halves = dict([new_half()])

    def make(self, bench, name="test"):
        halves = NewHalves.make(*next(iter(self.halves.items())))
        specification = replace(bench.specification, name=name)
        secrets = replace(bench.secrets, puk=halves.puk, halves=halves)
        return lifecycle.create(bench.store, bench.tpm, specification, secrets)

    def order(self):
        """The half of the next PUK is written down before the host hears of it."""
        known, coming = dict(self.halves), new_half()
        self.halves.update([coming])
        return RecoveryOrder(known, *coming)

    def settle(self, record):
        """What the ledger does once the host has answered."""
        self.halves = {record.recovery.current.identifier: self.halves[record.recovery.current.identifier]}


def recovery(bench, name="test", pin=NEW):
    task = {**defaults(ARGUMENTS), "name": name, "store": bench.store.folder, "nonce": "", "new_pin": pin}
    task["nonce"] = "A" * 43 + "="
    noun = CardRecovery.from_task(task)
    wanted = replace(noun._wanted, new_pin=type(noun._wanted.new_pin)(pin))
    return CardRecovery(wanted)


def recover(bench, controller, pin=NEW):
    bench.tpm.release()
    [record] = bench.store.records()
    recovery(bench, pin=pin).carry_out(record.recovery, controller.order())


@pytest.fixture
def controller():
    return Controller()


def test_both_sides_together_set_a_new_pin_and_another_puk(bench, controller):
    record = controller.make(bench)
    [half] = controller.halves.values()
    with bench.tpm.taken():
        old = derive_puk(
            record.recovery.current.identifier, reveal(Gates(bench.tpm, record), record.recovery.current), half
        )
    recover(bench, controller)
    [after] = bench.store.records()
    assert after.recovery.coming is None and after.recovery.current != record.recovery.current
    assert after.pin.must_change and (after.keys, after.parent, after.ak) == (record.keys, record.parent, record.ak)
    card = bench.open(after)
    card.verify(NEW.encode())
    with pytest.raises(WrongSecret):
        card.unblock(old.encode(), b"765432")
    card.close()
    controller.settle(after)
    recover(bench, controller, "765432")


def test_a_blocked_pin_is_recovered_with_all_its_tries(bench, controller):
    card = bench.open(controller.make(bench))
    for _each in range(card.tries(Reference.PIN).limit):
        with pytest.raises(WrongSecret):
            card.verify(b"000000")
    card.close()
    recover(bench, controller)
    assert bench.open(bench.store.records()[0]).tries(Reference.PIN).left == 3


def test_roots_half_alone_is_no_puk(bench, controller):
    """Root opens the half of the host. With any other half in the controller's place it makes another PUK."""
    record = controller.make(bench)
    with bench.tpm.taken():
        own = reveal(Gates(bench.tpm, record), record.recovery.current)
    assert len(own) == HALF_SIZE
    card = bench.open(record)
    for guess in (bytes(HALF_SIZE), own):
        with pytest.raises(WrongSecret):
            card.unblock(derive_puk(record.recovery.current.identifier, own, guess).encode(), NEW.encode())


def test_the_controllers_half_alone_opens_nothing(bench, controller):
    """Whoever has ledger and recovery key, and makes up the half of the host."""
    record = controller.make(bench)
    [(identifier, half)] = controller.halves.items()
    assert half not in record_file.dump(record) and half.hex() not in record_file.dump(record).decode()
    card = bench.open(record)
    with pytest.raises(WrongSecret):
        card.unblock(derive_puk(identifier, bytes(HALF_SIZE), half).encode(), NEW.encode())


def test_halves_of_before_a_recovery_are_worth_nothing(bench, controller):
    """Root has kept the old blob, which the TPM still opens; the controller's old half came from an old backup."""
    before = controller.make(bench)
    old = dict(controller.halves)
    recover(bench, controller)
    [after] = bench.store.records()
    with pytest.raises(StateError, match="do not make the card's PUK"):
        recovery(bench, pin="765432").carry_out(before.recovery, RecoveryOrder(old, *new_half()))
    card = bench.open(bench.store.records()[0])
    card.verify(NEW.encode())
    assert after.recovery == card.record.recovery


def test_the_half_of_another_card_does_not_fit(bench, controller):
    controller.make(bench)
    other = Controller()
    record = other.make(bench, "other")
    bench.tpm.release()
    mixed = RecoveryOrder({record.recovery.current.identifier: next(iter(controller.halves.values()))}, *new_half())
    with pytest.raises(StateError, match="do not make the card's PUK"):
        recovery(bench, "other").carry_out(record.recovery, mixed)


def test_the_host_s_half_ends_with_the_card(bench, controller):
    record = controller.make(bench)
    bench.destroy(record)
    with bench.tpm.taken(), pytest.raises((CardLost, TpmError)):
        reveal(Gates(bench.tpm, record), record.recovery.current)


def test_a_pin_against_the_rules_costs_nothing(bench, controller):
    controller.make(bench)
    with pytest.raises(InputError, match="new_pin"):
        recover(bench, controller, "1")
    recover(bench, controller)


def test_the_hello_policy_of_the_host_decides(bench, controller, monkeypatch):
    """Where pin_recovery is disabled, no card is recovered, and none is made that could be."""
    controller.make(bench)
    bench.tpm.release()
    monkeypatch.setattr(Store, "host_policy", lambda _store: HostPolicy(puk_may_reset_pin=False))
    with pytest.raises(InputError, match="pin_recovery is disabled by the host's Hello policy"):
        recovery(bench).run(check_mode=False)
    offered = {"identifier": "ab" * 16, "half": base64.b64encode(bytes(HALF_SIZE)).decode()}
    card = visited_card("new", recovery=offered)
    place = {**defaults(PLACE), "tpm": bench.tcti, "store": bench.store.folder}
    with pytest.raises(InputError, match="pin_recovery is disabled by the host's Hello policy"):
        EnrolledCard.parse(place, card, "cards[0]").read()
    monkeypatch.undo()
    EnrolledCard.parse(place, card, "cards[0]").read()
    assert [record.name for record in bench.store.records()] == ["test"]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_recovery_that_was_cut_off_is_done_again(software_tpm, short_path, bench_type, after):
    """At the first run that comes through, the card has the new PIN, and its PUK is that of the newest halves."""
    guillotine = Guillotine(software_tpm.socket, short_path / "relay.sock")
    (short_path / "store").mkdir()
    bench, controller = bench_type(short_path / "store", guillotine.tcti), Controller()
    controller.make(bench)
    for deadly in itertools.count():
        bench.tpm.release()
        [record] = bench.store.records()
        order, pin = controller.order(), f"{deadly:06}"
        died = guillotine.run(
            functools.partial(recovery(bench, pin=pin).carry_out, record.recovery, order), deadly, after
        )
        [record] = bench.store.records()
        assert all(half.identifier in controller.halves for half in record.recovery.halves)
        if not died:
            break
        recovery(bench, pin=f"{deadly:06}").carry_out(record.recovery, controller.order())
        [record] = bench.store.records()
        assert record.recovery.coming is None
        controller.settle(record)
        assert bench.open(record).tries(Reference.PUK).left == 3
    assert deadly > 20
    bench.open(record).verify(pin.encode())
