# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the first boot to a card that signs in, and to the end of that card."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.machine.enrolling import NAME, new_ca
from ansible_collections.hardbound.identity.tests.support.machine_controller import HOST, Controller
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

SEALED = {
    "smartcard_enrollment_profile": "sealed_logon",
    "smartcard_enrollment_profiles": {"sealed_logon": {"based_on": "ad_smartcard_logon", "sealed": True}},
    "smartcard_enrollment_restart": True,
}
ASKPASS = f"#!/bin/sh\necho {steps.PIN}\n"
SIGN_IN = f"""
set -eu
cat >askpass; chmod 700 askpass
ssh-keygen -D {steps.MODULE} | head -n 1 >>.ssh/authorized_keys
SSH_ASKPASS=./askpass SSH_ASKPASS_REQUIRE=force ssh -o StrictHostKeyChecking=accept-new \\
    -o IdentityFile=none -o PKCS11Provider={steps.MODULE} -o PreferredAuthentications=publickey alice@localhost id -un
"""


# The PIN is to become one that is too short for the host's policy, then one that is not, and what it was.
CHANGES = f"""
change() {{
    yubico-piv-tool --reader "$1" --action change-pin --pin "$2" --new-pin "$3" >&2 && echo changed || echo refused
}}
change "$1" {steps.PIN} 271828
change "$1" {steps.PIN} 2718281
change "$1" 2718281 {steps.PIN}
"""


def test_from_the_first_boot_to_the_last_of_a_card(lab: Lab) -> None:
    """A card, a certificate for it after a restart, programs that use it, a sign-in, and retirement.

    The machine was prepared at its first boot, see the fixture ``prepared``.
    """
    machine, controller = lab.machine, lab.controller
    controller.variables.update(new_ca(lab), **SEALED)
    booted = machine.boot_id()
    enrolled = controller.play("hardbound.identity.enroll", "-v")
    assert enrolled.code == 0 and enrolled.result["status"] == "enrolled", enrolled.output
    assert "NOT_SEALED" in enrolled.output, "the card was not refused before the restart"
    assert machine.boot_id() != booted, "the machine did not restart"
    assert kept_evidence(lab, enrolled.result["evidence"])[NAME]["sealed"] is True

    tested = machine.run(f"pkcs11-tool --module {steps.MODULE} --login --pin {steps.PIN} --test", user="alice")
    assert "No errors" in tested.stdout, tested.stdout + tested.stderr
    assert machine.run(SIGN_IN, user="alice", given=ASKPASS).stdout.splitlines()[-1] == "alice"
    nobody_waits_for_pins(machine)
    obey_policy(machine, controller)
    again = controller.play("hardbound.identity.enroll")
    assert again.code == 0 and again.result["status"] == "unchanged", again.output
    retire(machine, controller)


def kept_evidence(lab: Lab, digest: str) -> t.Dict[str, t.Any]:
    """Returns what the evidence that the ledger kept shows of each card, verified again."""
    ca = str(lab.controller.folder / "ca")
    verify = {"evidence": digest, "ca": ca, "trust_anchors": str(lab.anchors)}
    task = {"hardbound.identity.attestation_verify": verify, "delegate_to": "localhost", "become": False}
    return t.cast("dict[str, t.Any]", lab.controller.tasks(task)[0]["cards"])


def nobody_waits_for_pins(machine: Machine) -> None:
    """Who may use the TPM, as its group may, can't put a socket of their own where programs look for the service's."""
    group = machine.run("stat --format %G /dev/tpmrm0").stdout.strip()
    for tried in ("touch /run/hardbound/sign-in-too", "mv /run/hardbound/owners /run/hardbound/gone"):
        done = machine.root(f"setpriv --reuid nobody --regid nogroup --groups {group} {tried}", check=False)
        assert done.returncode and "Permission denied" in done.stderr, done.stderr


def obey_policy(machine: Machine, controller: Controller) -> None:
    """Writes a Hello policy for the host, which its card obeys from then on."""
    [found] = controller.tasks({steps.LIST: {}})
    reader = found["cards"][0]["reader"]
    written = controller.play("hardbound.identity.hello_policy", hello_policy_settings={"pin_min_length": 7})
    assert written.code == 0, written.output
    changed = machine.run(f"bash -s '{reader}'", user="alice", given=CHANGES)
    assert changed.stdout.split() == ["refused", "changed", "changed"], changed.stderr


def retire(machine: Machine, controller: Controller) -> None:
    """Retires the machine, and looks for what is left in its TPM and on its disk."""
    asked = ("--extra-vars", f"smartcard_enrollment_hosts={HOST}")
    retired = controller.play("hardbound.identity.retire", *asked, smartcard_enrollment_restart=False)
    assert retired.code == 0 and retired.result["status"] == "retired", retired.output
    assert steps.records(machine) == [] and steps.nv_indices(machine) == []
    readers = machine.run("opensc-tool --list-readers", user="alice", check=False)
    assert NAME not in readers.stdout, readers.stdout
