# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM's lockout as a task wants it."""

from __future__ import annotations

import types
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError, InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task import tpm_lockout
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_lockout import (
    ARGUMENTS,
    SetParameters,
    TpmLockout,
    WantedLockout,
)
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import Lockout
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.lockout import WrongLockoutAuth
from ansible_collections.hardbound.identity.tests.support.task_cards import Tpm

FOUND = Lockout(0, 32, 600, 86400, False, False)


class Lock:
    """A TPM's lockout, and how it was changed."""

    def __init__(self) -> None:
        self.now = FOUND
        self.auth = b""
        self.done: t.List[str] = []

    def set_parameters(self, _tpm: t.Any, parameters: t.Any, auth: bytes) -> None:
        if auth != self.auth:
            raise WrongLockoutAuth(0x98E)
        self.done.append("parameters")
        self.now = replace(self.now, **vars(parameters))

    def set_authorisation(self, _tpm: t.Any, new: bytes, auth: bytes) -> None:
        self.done.append("authorisation")
        self.auth, self.now = new, replace(self.now, auth_set=True)

    def forget_failures(self, _tpm: t.Any, auth: bytes) -> None:
        if auth != self.auth:
            raise WrongLockoutAuth(0x98E)
        self.done.append("reset")
        self.now = replace(self.now, counter=0, in_lockout=False)

    def run(self, check: bool = False, **given: t.Any) -> t.Tuple[t.Any, t.Any]:
        unsaid = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
        noun = TpmLockout(WantedLockout.parse({**unsaid, **given}), t.cast(t.Any, LockTpm()))
        found = noun.read()
        plan = noun.plan(found)
        return plan, noun.apply(plan, found) if plan.changed and not check else noun.report(plan, found)


class LockTpm(Tpm):
    tcti = "device:/dev/tpmrm0"


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Lock:
    made = Lock()
    monkeypatch.setattr(tpm_lockout, "set_parameters", made.set_parameters)
    monkeypatch.setattr(tpm_lockout, "set_authorisation", made.set_authorisation)
    monkeypatch.setattr(tpm_lockout, "forget_failures", made.forget_failures)
    monkeypatch.setattr(tpm_lockout, "identify", lambda _tpm: types.SimpleNamespace(lockout=made.now))
    return made


def test_parameters_are_set_once(lock: Lock) -> None:
    plan, told = lock.run(check=True, max_tries=10)
    assert plan.changed and lock.done == [] and told["lockout"]["max_tries"] == 32
    plan, told = lock.run(max_tries=10)
    assert lock.done == ["parameters"] and told["lockout"]["max_tries"] == 10
    assert (told["lockout"]["recovery"], plan.after["recovery"]) == (600, 600)  # which nobody spoke of
    assert not lock.run(max_tries=10)[0].changed


def test_an_authorisation_is_set_and_then_asked_for(lock: Lock) -> None:
    plan, _told = lock.run(value="s3cr3t-1", max_tries=5)
    assert lock.done == ["parameters", "authorisation"] and lock.auth == b"s3cr3t-1" and plan.after["auth_set"]
    with pytest.raises(InputError, match="value is missing, and the lockout's authorisation is set in this TPM: give"):
        lock.run(max_tries=6)
    with pytest.raises(HardboundError, match="the TPM refuses the lockout authorisation: wait 86400 seconds before"):
        lock.run(max_tries=6, value="guess")
    lock.run(max_tries=6, value="s3cr3t-1")
    assert lock.now.max_tries == 6


def test_failures_are_forgotten_once(lock: Lock) -> None:
    assert not lock.run(reset=True)[0].changed
    lock.now = replace(lock.now, counter=3, in_lockout=True)
    plan, _told = lock.run(check=True, reset=True)
    assert (plan.before["counter"], plan.after["counter"]) == (3, 0) and lock.done == []
    _plan, told = lock.run(reset=True, max_tries=10)
    assert lock.done == ["reset", "parameters"] and not told["lockout"]["in_lockout"]
    lock.auth, lock.now = b"s3cr3t-1", replace(lock.now, counter=1, auth_set=True)
    with pytest.raises(InputError, match="value is missing, and the lockout's authorisation is set"):
        lock.run(reset=True)
    lock.run(reset=True, value="s3cr3t-1")
    assert lock.now.counter == 0 and not lock.run(reset=True)[0].changed


def test_an_authorisation_is_thrown_away(lock: Lock) -> None:
    lock.run(discard=True)
    assert len(lock.auth) == 32 and lock.auth[-1] == 1
    assert not lock.run(discard=True)[0].changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_tries": 0}, "max_tries is 0: choose a number from 1 to"),
        ({"recovery": -1}, "recovery is -1: choose a number from 0 to"),
        ({"value": ""}, "value is empty, or longer than the TPM takes: use 1 to"),
        ({"value": "x" * 200}, "value is empty, or longer than the TPM takes"),
    ],
)
def test_what_is_refused(lock: Lock, given: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lock.run(**given)


def test_an_unknown_step_is_an_error_and_no_authorisation_is_thrown_away(lock: Lock) -> None:
    noun = TpmLockout(WantedLockout({}), t.cast(t.Any, LockTpm()))
    plan = types.SimpleNamespace(steps=("dance",))
    with pytest.raises(TypeError, match="no way is known to take the step 'dance'"):
        noun.apply(t.cast(t.Any, plan), FOUND)
    assert lock.done == [] and isinstance(lock.run(check=True, max_tries=1)[0].steps[0], SetParameters)
