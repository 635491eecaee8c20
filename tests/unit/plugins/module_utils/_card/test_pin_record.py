# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the disk keeps of PINs: enough to hold the rules, and nothing to find a PIN with."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import separating_nonce, telltale
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import Due, PinRecord, remembered
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import PendingSeal, Record
from ansible_collections.hardbound.identity.plugins.module_utils._card.telltale import Telltale, candidates
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from hypothesis import given
from hypothesis import strategies as st

KEY = bytes(range(32))
DAY = 24 * 3600


@pytest.mark.parametrize(
    ("pin", "days", "now", "due"),
    [
        (PinRecord(1000), 0, 10**10, None),
        (PinRecord(1000), 30, 1000 + 30 * DAY - 1, None),
        (PinRecord(1000), 30, 1000 + 30 * DAY, Due.EXPIRED),
        (PinRecord(), 730, 10**9, Due.EXPIRED),
        (PinRecord(1000, must_change=True), 0, 1000, Due.MUST_CHANGE),
    ],
)
def test_when_a_pin_is_due(pin: PinRecord, days: int, now: int, due: t.Optional[Due]) -> None:
    assert pin.due(days, now) is due


@given(st.lists(st.sampled_from([b"1111", b"2222", b"3333", b"4444"]), min_size=1), st.integers(0, 5))
def test_the_last_pins_are_known_and_no_others(pins: t.List[bytes], last: int) -> None:
    record = PinRecord()
    for pin in pins:
        record = replace(record, former=remembered(record.former, pin, KEY, last))
    assert len(record.former) == min(len(pins), max(last, 1))
    for pin in (b"1111", b"2222", b"3333", b"4444"):
        assert record.was(pin, KEY, last) == (last > 0 and pin in pins[-last:])


def test_what_is_kept_of_a_pin_tells_nothing_without_the_key() -> None:
    """An attacker with the disk tries every PIN, and every one fits as little as the right one."""
    kept = PinRecord(former=remembered((), b"0007", KEY, 1))
    assert kept.was(b"0007", KEY, 1)
    guesses = [f"{number:04d}".encode() for number in range(10000)]
    assert not any(kept.was(guess, bytes(32), 1) for guess in guesses)


def test_the_same_pin_does_not_look_the_same_twice() -> None:
    assert remembered((), b"1111", KEY, 1) != remembered((), b"1111", KEY, 1)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_telltale_tells_the_old_secret_from_the_new(old: bytes, new: bytes) -> None:
    if old != new:
        nonce = separating_nonce(new, [old])
        assert candidates(Telltale(nonce, telltale(nonce, new)), [old, new]) == [1]
    assert candidates(None, [old, new]) == [0, 1]


def test_a_telltale_leaves_half_of_all_secrets() -> None:
    auths = [number.to_bytes(32, "big") for number in range(4000)]
    assert 1700 < len(candidates(Telltale(b"nonce678", 1), auths)) < 2300


# The record


def record() -> Record:
    return Record(
        number=0,
        name="card",
        serial=bytes(16),
        tcti="device:/dev/tpmrm0",
        first_handle=0x01815000,
        genesis=bytes(34),
        salt=bytes(16),
        pin_policy=PinPolicy(history=3),
        pin_retries=5,
        puk_retries=5,
        seals={Role.PIN: Blob(b"old", b"")},
    )


def test_a_record_comes_back_as_it_was_written() -> None:
    pin = PinRecord(17, True, PinPolicy(minlen=6), (b"one", b"two"))
    pending = PendingSeal(Blob(b"new", b""), b"nonce", 1, pin, True)
    whole = replace(record(), pin=pin, pending={Role.PIN: pending}, telltales={Role.PUK: Telltale(b"n", 0)})
    assert record_file.load(record_file.dump(whole)) == whole


@pytest.mark.parametrize("by_task", [True, False])
def test_what_is_pending_holds_once_the_new_secret_opens(by_task: bool) -> None:
    new = PinRecord(99, False, PinPolicy(), (b"hash",))
    pending = PendingSeal(Blob(b"new", b""), b"nonce", 1, new, by_task)
    before = replace(record().with_pending(Role.PIN, pending), telltales={Role.PIN: Telltale(b"former", 0)})
    settled = before.settled(Role.PIN, pending.seal)
    assert settled.pin == new and settled.pending == {}
    assert settled.telltales == ({Role.PIN: Telltale(b"nonce", 1)} if by_task else {})
    undone = before.settled(Role.PIN, Blob(b"old", b""))
    assert undone.pin == PinRecord() and undone.telltales == before.telltales
