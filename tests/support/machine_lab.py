# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared virtual machine, as its scenarios have it."""

from __future__ import annotations

import pathlib
import types
import typing as t

from ansible_collections.hardbound.identity.tests.support.machine_controller import Controller
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine


class Outfit(t.NamedTuple):
    """What a scenario's machine has that others have not."""

    packages: t.Tuple[str, ...] = ()
    variables: t.Mapping[str, t.Any] = types.MappingProxyType({})
    """Of the role tpm_host, when that prepares the machine."""


class Lab(t.NamedTuple):
    """A machine that runs, and the controller that knows it."""

    machine: Machine
    controller: Controller
    anchors: pathlib.Path
    """The CA whose EK certificate is in the machine's TPM, PEM."""
