# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What making a card costs over the TPM commands that it takes, in one run."""

from __future__ import annotations

import pathlib
import statistics
import tempfile
import time
from dataclasses import dataclass

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import self_signed
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import (
    KeySpecification,
    Secrets,
    Specification,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.integration.card.stopwatch import Stopwatch
from ansible_collections.hardbound.identity.tests.integration.software_tpm import SoftwareTpm

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
        card.make_key(KeySpecification(0x9A, Algorithm.ECC_P256))
        card.store_certificate(0x9A, self_signed(card, 0x9A))
        card.close()
    return record


def test_a_card_with_one_key_against_its_tpm_commands(place):
    """The commands are timed from the request's last byte to the answer's last, at the TPM's own socket."""
    ratios, totals, commands = [], [], []
    lifecycle.destroy(place.store, place.tpm, make(place, 0).number)  # imports and the storage root key
    for number in range(ROUNDS):
        place.watch.reset()
        began = time.perf_counter()
        record = make(place, number)
        total = time.perf_counter() - began
        ratios.append(total / place.watch.seconds)
        totals.append(total)
        commands.append(place.watch.commands)
        lifecycle.destroy(place.store, place.tpm, record.number)
    taken = f"{statistics.median(totals) * 1000:.0f} ms, {commands[-1]} TPM commands"
    print(f"\na card with one P-256 key: {taken}, {statistics.median(ratios):.2f} times what they take")
