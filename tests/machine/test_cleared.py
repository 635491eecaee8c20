# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody clears the TPM in the firmware's menu. Cards are lost then; who comes next is told so, and what helps."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

pytestmark = pytest.mark.extended

GET_RANDOM = 0x17B
"""A command code (TPM 2.0 Part 2, 6.5.2). The kernel asks for randomness of its own accord, as often as it likes."""
ENOUGH = 400
"""Commands from the start of the machine to the end of what is done here. A loop sends as many within seconds."""
TRIES = f"""
pkcs11-tool --module {steps.MODULE} --slot-description "$1" --login --pin {steps.PIN} --test-ec --id 01
yubico-piv-tool --reader "$1" --action verify-pin --pin {steps.PIN}
"""


def test_a_tpm_that_was_cleared_in_the_firmware(lab: Lab) -> None:
    machine, controller = lab.machine, lab.controller
    [made] = controller.tasks({steps.MAKE: steps.card("alice")})
    steps.sign(machine, made["reader"])
    machine.switch_off()
    machine.clear_tpm()
    machine.start()

    steps.await_card(machine, made["reader"])
    machine.run(f"bash -s '{made['reader']}'", user="alice", given=TRIES, check=False)
    refused = controller.try_tasks({steps.MAKE: steps.card("alice")})
    assert refused.code and "was cleared or changed" in refused.output, refused.output
    assert "remove it with state: absent and make a new one" in " ".join(refused.output.split())
    assert_quiet(machine)

    away = {"name": "Card of alice", "state": "absent"}
    [gone, anew] = controller.tasks({steps.MAKE: away}, {steps.MAKE: steps.card("alice")})
    assert gone["changed"] and anew["changed"]
    steps.sign(machine, anew["reader"])
    assert len(steps.records(machine)) == 1


def assert_quiet(machine: Machine) -> None:
    """The services run since the start, with little to say and little to ask of the TPM."""
    asked = machine.tpm_commands()
    del asked[GET_RANDOM]
    assert sum(asked.values()) < ENOUGH, asked
    units = machine.root("systemctl show --property Id,NRestarts,ActiveState 'hardbound-*.service'").stdout
    assert "NRestarts=0" in units and "failed" not in units, units
    assert {line for line in units.splitlines() if line.startswith("NRestarts=")} == {"NRestarts=0"}, units
    said = machine.root("journalctl --boot --quiet --output cat --unit 'hardbound-*'").stdout.splitlines()
    assert any("was cleared or changed" in line for line in said), said
    assert len(said) < 50, said
