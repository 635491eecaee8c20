# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared virtual machine, as its scenarios have it."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.hardbound.identity.tests.support.machine_controller import Controller
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine


class Lab(t.NamedTuple):
    """A machine that runs, and the controller that knows it."""

    machine: Machine
    controller: Controller
    anchors: pathlib.Path
    """The CA whose EK certificate is in the machine's TPM, PEM."""
