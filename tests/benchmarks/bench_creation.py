# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What making a card costs over the TPM commands that it takes, in one run."""

from __future__ import annotations

import contextlib
import pathlib
import statistics
import tempfile
import time
from dataclasses import dataclass

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import self_signed
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import (
    KeySpecification,
    Secrets,
    Specification,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from ansible_collections.hardbound.identity.tests.support.stopwatch import Stopwatch

PIN = "12345678"
ROUNDS = 15


@dataclass
class Place:
    """A store, and a TPM behind a stopwatch."""

    store: Store
    tpm: Tpm
    watch: Stopwatch


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        path = pathlib.Path(folder)
        for name in ("tpm", "store"):
            (path / name).mkdir()
        software_tpm = SoftwareTpm(path / "tpm")
        software_tpm.start()
        watch = Stopwatch(software_tpm.socket, path / "watch.sock")
        store = Store(str(path / "store"))
        store.prepare()
        tpm = Tpm(Tcti.parse(watch.tcti), str(path / "store"))
        yield Place(store, tpm, watch)
        tpm.close()
        software_tpm.stop()


def make(place, number):
    """A card with one P-256 key and its certificate, as virtual_smartcard makes it."""
    specification = Specification(f"card {number}", Tcti.parse(place.watch.tcti))
    record = lifecycle.create(place.store, place.tpm, specification, Secrets(PIN))
    with place.tpm.taken():
        card = Card(place.store, Workbench(place.tpm), record.number)
        card.verify(PIN.encode(), provisioning=True)
        card.make_key(KeySpecification(0x9A, KeyAlgorithm.ECC_P256))
        card.store_certificate(0x9A, self_signed(card, 0x9A))
        card.close()
    return record


class Calls:
    """Adds up the time of all calls of a TPM library, ESAPI's as well as bare commands; nested ones count once."""

    def __init__(self, patch):
        self.seconds = 0.0
        self._depth = 0
        doing, run = Tpm.doing, Tpm.run

        @contextlib.contextmanager
        def timed_doing(tpm, what):
            with self._timing(), doing(tpm, what) as esapi:
                yield esapi

        def timed_run(tpm, command):
            with self._timing():
                return run(tpm, command)

        patch.setattr(Tpm, "doing", timed_doing)
        patch.setattr(Tpm, "run", timed_run)

    @contextlib.contextmanager
    def _timing(self):
        self._depth += 1
        began = time.perf_counter()
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.seconds += time.perf_counter() - began


def test_a_card_with_one_key_against_its_tpm_commands(place, monkeypatch):
    """Two clocks run: at the calls of the TPM library, and at the TPM's own socket, where the library's sessions
    (a key exchange for each, and an HMAC and a cipher for each command) are left out."""
    over_calls, over_socket, totals, commands = [], [], [], []
    lifecycle.destroy(place.store, place.tpm, make(place, 0).number)  # imports and the storage root key
    calls = Calls(monkeypatch)
    for number in range(ROUNDS):
        place.watch.reset()
        calls.seconds = 0.0
        began = time.perf_counter()
        record = make(place, number)
        total = time.perf_counter() - began
        over_calls.append(total / calls.seconds)
        over_socket.append(total / place.watch.seconds)
        totals.append(total)
        commands.append(place.watch.commands)
        lifecycle.destroy(place.store, place.tpm, record.number)
    print(f"\na card with one P-256 key: {statistics.median(totals) * 1000:.0f} ms, {commands[-1]} TPM commands")
    print(f"  {statistics.median(over_calls):.2f} times the calls of the TPM library that it takes")
    print(f"  {statistics.median(over_socket):.2f} times what the TPM itself is busy with")
