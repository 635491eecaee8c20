# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which a controller comes: with and without pipelining, by sudo with its password, from an environment.

The other scenarios come with pipelining. All of them come from a virtual environment, and need sudo's password.
"""

from __future__ import annotations

import sys

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab

pytestmark = pytest.mark.extended

# The files of the user that Ansible comes as, and of root, that hold what is given: sudo notes the command itself.
LEFT = "grep --recursive --files-with-matches --file=- /home /root /tmp /var/tmp /var/log || true"


def test_a_wrong_password_and_then_no_pipelining(lab: Lab) -> None:
    """Without pipelining, Ansible copies each module to the host, with its options, and takes it away again."""
    machine, controller = lab.machine, lab.controller
    assert sys.prefix != sys.base_prefix, "the controller is to be in a virtual environment"
    asked = {steps.MAKE: steps.card("alice")}
    refused = controller.try_tasks(asked, ansible_become_password="wrong")
    assert refused.code and "password" in refused.output.lower(), refused.output
    assert steps.PIN not in refused.output
    assert steps.records(machine) == []

    controller.pipelining = False
    [made] = controller.tasks(asked)
    steps.sign(machine, made["reader"])
    [again] = controller.tasks(asked)
    assert made["changed"] and not again["changed"]
    assert machine.root(LEFT, given=f"{steps.PIN}\n{steps.PUK}\n").stdout == ""
