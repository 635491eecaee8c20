# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine sleeps. Its TPM loses what it held in memory, and keeps what TPM2_Shutdown(STATE) told it to keep."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = pytest.mark.extended

PATIENCE = 300.0  # seconds


def test_a_card_is_there_after_sleep(lab: Lab) -> None:
    """And sleep is no reset: what ends with a reset has not ended, see "Sealed cards" in docs/attestation.md."""
    machine = lab.machine
    [made] = lab.controller.tasks({steps.MAKE: steps.card("alice")})
    steps.sign(machine, made["reader"])
    before = clock(machine)
    sleep(machine)
    after = clock(machine)
    assert after["reset_count"] == before["reset_count"]
    assert after["restart_count"] == before["restart_count"] + 1, "the TPM did not notice"
    steps.sign(machine, made["reader"])
    assert steps.lockout_counter(machine) == 0


def sleep(machine: Machine) -> None:
    """Suspends to memory, which has the kernel send TPM2_Shutdown(STATE), until the clock wakes the machine."""
    machine.root("rtcwake --mode mem --seconds 10", patience=PATIENCE, check=False)
    until(machine.is_up, "it did not wake up", PATIENCE)
    assert "PM: suspend exit" in machine.root("dmesg").stdout


def clock(machine: Machine) -> t.Dict[str, int]:
    """Returns what the TPM counts: resets, and restarts that were none (TPM 2.0 Part 2, 10.11.1)."""
    return t.cast("dict[str, int]", yaml.safe_load(machine.root("tpm2_readclock").stdout)["clock_info"])
