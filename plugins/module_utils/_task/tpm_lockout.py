# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``tpm_lockout``: the TPM's own protection against guessing."""

from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, dataclass, field, replace

from .._errors import InputError, StateError
from .._spine import Plan, View, unknown
from .._tpm.capability import Lockout, identify
from .._tpm.connection import Tpm
from .._tpm.lockout import (
    LONGEST_AUTH,
    LONGEST_TIME,
    Parameters,
    WrongLockoutAuth,
    forget_failures,
    set_authorisation,
    set_parameters,
)
from .._tpm.tcti import Tcti
from .arguments import OWNER_AUTH, STORE, TPM, owner_auth
from .secret_arguments import Arguments

ARGUMENTS: Arguments = {
    **TPM,
    **STORE,
    **OWNER_AUTH,
    "max_tries": {"type": "int"},
    "recovery": {"type": "int"},
    "lockout_recovery": {"type": "int"},
    "value": {"type": "str", "no_log": True},
    "discard": {"type": "bool", "default": False},
    "reset": {"type": "bool", "default": False},
}
EITHER = [("value", "discard")]
"""These exclude each other."""
_LOWEST = {"max_tries": 1, "recovery": 0, "lockout_recovery": 0}


@dataclass(frozen=True)
class WantedLockout:
    """What the task says. What it leaves out stays as it is."""

    parameters: t.Mapping[str, t.Any]
    value: bytes = field(default=b"", repr=False)
    discard: bool = False
    reset: bool = False

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedLockout:
        """:raises InputError: for the first parameter that is not right"""
        parameters = {name: task[name] for name in _LOWEST if task[name] is not None}
        for name, number in parameters.items():
            if not _LOWEST[name] <= number <= LONGEST_TIME:
                raise InputError(name, f"is {number}", f"choose a number from {_LOWEST[name]} to {LONGEST_TIME}")
        value = (task["value"] or "").encode()
        if task["value"] is not None and not 1 <= len(value) <= LONGEST_AUTH:
            raise InputError("value", "is empty, or longer than the TPM takes", f"use 1 to {LONGEST_AUTH} bytes")
        return cls(parameters, value, task["discard"], task["reset"])


@dataclass(frozen=True)
class SetParameters:
    parameters: Parameters


@dataclass(frozen=True)
class Reset:
    """Have the TPM forget all failures, which ends a lockout."""


@dataclass(frozen=True)
class SetValue:
    """Set the authorisation that the task gives."""


@dataclass(frozen=True)
class Discard:
    """Set a random authorisation that nobody keeps."""


Step = t.Union[SetParameters, Reset, SetValue, Discard]


class TpmLockout:
    """The lockout through the spine: read, plan, apply."""

    def __init__(self, wanted: WantedLockout, tpm: Tpm) -> None:
        self._wanted = wanted
        self._tpm = tpm

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> TpmLockout:
        """:raises InputError: for a parameter that is not right"""
        return cls(WantedLockout.parse(task), Tpm(Tcti.of_task(task["tpm"]), task["store"], owner_auth(task)))

    def read(self) -> Lockout:
        with self._tpm.taken() as tpm:
            return identify(tpm).lockout

    def plan(self, lockout: Lockout) -> Plan[Step]:
        """The parameters come first: after :class:`Discard` nobody can set them any more."""
        wanted = self._wanted
        after = replace(lockout, **wanted.parameters)
        steps: t.List[Step] = []
        forgets = wanted.reset and (lockout.in_lockout or lockout.counter > 0)
        if (forgets or after != lockout) and lockout.auth_set and not wanted.value:
            remedy = "give it in value"
            raise InputError("value", "is missing, and the lockout's authorisation is set in this TPM", remedy)
        if forgets:
            steps.append(Reset())
        if after != lockout:
            steps.append(SetParameters(Parameters(after.max_tries, after.recovery, after.lockout_recovery)))
        if not lockout.auth_set and wanted.value:
            steps.append(SetValue())
        if not lockout.auth_set and wanted.discard:
            steps.append(Discard())
        after = replace(after, auth_set=lockout.auth_set or bool(wanted.value) or wanted.discard)
        before, coming = _settings(lockout), _settings(after)
        if forgets:
            before, coming = {**before, "counter": lockout.counter}, {**coming, "counter": 0}
        return Plan(tuple(steps), before, coming, f"lockout of the TPM at {self._tpm.tcti}")

    def apply(self, plan: Plan[Step], found: Lockout) -> View:
        try:
            with self._tpm.taken() as tpm:
                for step in plan.steps:
                    self._do(step, found)
                return {"lockout": asdict(identify(tpm).lockout)}
        except WrongLockoutAuth:
            wait = found.lockout_recovery or "its next restart, or more"
            remedy = f"wait {wait} seconds before the next try, with the right value"
            raise StateError("the TPM refuses the lockout authorisation", remedy) from None

    def _do(self, step: Step, found: Lockout) -> None:
        auth = self._wanted.value if found.auth_set else b""
        if isinstance(step, SetParameters):
            set_parameters(self._tpm, step.parameters, auth)
        elif isinstance(step, Reset):
            forget_failures(self._tpm, auth)
        elif isinstance(step, SetValue):
            set_authorisation(self._tpm, self._wanted.value, b"")
        elif isinstance(step, Discard):
            set_authorisation(self._tpm, os.urandom(LONGEST_AUTH - 1) + b"\x01", b"")
        else:
            unknown(step)

    def report(self, plan: Plan[Step], found: Lockout) -> View:
        return {"lockout": asdict(found)}


def _settings(lockout: Lockout) -> t.Dict[str, t.Any]:
    return {name: getattr(lockout, name) for name in (*_LOWEST, "auth_set")}
