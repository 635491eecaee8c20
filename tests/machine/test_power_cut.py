# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails while the TPM is at work. Nothing is lost, and the next run takes up what was begun.

docs/card_model.md says that nothing of a card is under the TPM's own dictionary attack protection. So a start without
an orderly shutdown counts no failure there, however often it happens.
"""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.machine.enrolling import new_ca
from ansible_collections.hardbound.identity.tests.support.machine_controller import HOST
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = pytest.mark.extended

PATIENCE = 1800.0  # seconds
NEW_PIN = "90129012"
# Ends once the files of the cards show what the pattern says.
AWAIT = "until cat {folder}/*.json 2>/dev/null | grep -Eq '{pattern}'; do :; done"
CHANGES = f"""
while :; do
    yubico-piv-tool --reader "$1" --action change-pin --pin {steps.PIN} --new-pin {NEW_PIN}
    yubico-piv-tool --reader "$1" --action change-pin --pin {NEW_PIN} --new-pin {steps.PIN}
done
"""
SIGNATURES = f"""
echo message >message
while :; do
    pkcs11-tool --module {steps.MODULE} --slot-description "$1" --login --pin {steps.PIN} --sign --id 01 \\
        --mechanism ECDSA-SHA256 --input-file message --output-file signature >/dev/null 2>&1 && echo signed
done
"""

# How often programs have the TPM open: the card service always does, a module while it runs.
OPENED = "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c /dev/tpmrm0"


def cut_when(machine: Machine, pattern: str) -> None:
    """Cuts the power at the moment at which the record of a card says something, and starts the machine again."""
    machine.root(AWAIT.format(folder=steps.RECORDS, pattern=pattern))
    machine.cut_power()
    machine.start()


def in_background(machine: Machine, program: str, reader: str) -> subprocess.Popen[str]:
    """Has alice do something over and over."""
    begun = machine.begin(f"bash -s '{reader}'", user="alice")
    assert begun.stdin is not None
    begun.stdin.write(program)
    begun.stdin.close()
    return begun


def test_while_a_card_is_made_and_while_its_pin_is_changed(lab: Lab) -> None:
    machine, controller = lab.machine, lab.controller
    task = {steps.MAKE: steps.card("alice")}
    making = controller.begin_tasks(task)
    cut_when(machine, '"state": "creating"')
    end(making)
    [made] = controller.tasks(task)
    reader = made["reader"]
    steps.sign(machine, reader)
    indices = steps.nv_indices(machine)

    changing = in_background(machine, CHANGES, reader)
    cut_when(machine, '"pending": [{]$')
    end(changing)
    steps.sign(machine, reader, pin=valid_pin(machine, reader))
    [record] = steps.records(machine)
    assert record["state"] == "ready" and record["pending"] == {}
    assert steps.nv_indices(machine) == indices
    assert steps.lockout_counter(machine) == 0


def end(process: subprocess.Popen[str]) -> None:
    """Ends what a machine that is gone leaves waiting."""
    process.kill()
    process.wait()


def valid_pin(machine: Machine, reader: str) -> str:
    """Returns which of the two PINs the card has: the one before the cut, or the one that was on its way."""
    steps.await_card(machine, reader)
    tried = {
        pin: machine.run(
            f"yubico-piv-tool --reader '{reader}' --action verify-pin --pin {pin}", user="alice", check=False
        )
        for pin in (steps.PIN, NEW_PIN)
    }
    right = [pin for pin, done in tried.items() if done.returncode == 0]
    assert len(right) == 1, tried
    return right[0]


def test_while_a_card_signs_and_another_is_certified(lab: Lab) -> None:
    """The cut is in the second visit of an enrolment, and in the signatures of a card that was there before."""
    machine, controller = lab.machine, lab.controller
    [made] = controller.tasks({steps.MAKE: steps.card("alice")})
    controller.variables.update(new_ca(lab))
    visits = controller.folder / "visits" / HOST
    signing = in_background(machine, SIGNATURES, made["reader"])
    assert signing.stdout is not None
    assert signing.stdout.readline() == "signed\n"  # one signature is made, and the next has begun
    before = int(machine.root(f"{OPENED} || true").stdout)
    enrolling = controller.begin("hardbound.identity.enroll")
    until(lambda: visits.exists() and "smartcard_activate" in visits.read_text(), "no second visit", PATIENCE)
    machine.root(f"until [ $({OPENED}) -gt {before} ]; do :; done")
    machine.cut_power()
    end(enrolling)
    end(signing)
    machine.start()

    again = controller.play("hardbound.identity.enroll")
    assert again.code == 0 and again.result["status"] in ("enrolled", "unchanged"), again.output
    last = controller.play("hardbound.identity.enroll")
    assert last.code == 0 and last.result["status"] == "unchanged", last.output
    [found] = controller.tasks({steps.LIST: {}})
    for card in found["cards"]:
        steps.sign(machine, card["reader"])
    assert [card["pin_tries_left"] for card in found["cards"]] == [5, 5]
    assert steps.lockout_counter(machine) == 0
