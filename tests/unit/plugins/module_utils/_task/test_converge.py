# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spine, driven by a lamp: what is desired is on or off."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, Interrupted, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan, View
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge


@dataclass
class Lamp:
    """A noun whose ``log`` tells which steps of the spine were taken."""

    desired: bool
    lit: bool
    broken: bool = False
    log: list[str] = field(default_factory=list)

    def read(self) -> bool:
        self.log.append("read")
        return self.lit

    def plan(self, current: bool) -> Plan[str]:
        self.log.append("plan")
        steps = () if current == self.desired else ("switch",)
        return Plan(
            steps=steps,
            before={"lit": current},
            after={"lit": self.desired},
            title="lamp",
            warnings=("it is noon",) if steps else (),
        )

    def apply(self, plan: Plan[str], current: bool) -> View:
        self.log.append("apply")
        if self.broken:
            raise StateError("The bulb is broken", "replace it")
        self.lit = self.desired
        return {"lit": self.lit}

    def report(self, plan: Plan[str], current: bool) -> View:
        self.log.append("report")
        return {"lit": current}


def run(capsys: pytest.CaptureFixture[str], make_noun: Any, check: bool = False) -> dict[str, Any]:
    """What a module that manages the noun prints as its result."""
    with patch_module_args({"_ansible_check_mode": check}), pytest.raises(SystemExit):
        converge(AnsibleModule({}, supports_check_mode=True), make_noun)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_a_change_is_read_planned_and_applied(capsys: pytest.CaptureFixture[str]) -> None:
    lamp = Lamp(desired=True, lit=False)
    result = run(capsys, lambda: lamp)
    assert lamp.log == ["read", "plan", "apply"]
    assert (result["changed"], result["lit"]) == (True, True)
    assert result["diff"] == {
        "before_header": "lamp",
        "after_header": "lamp",
        "before": {"lit": False},
        "after": {"lit": True},
    }


def test_check_mode_tells_the_same_change_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    lamp = Lamp(desired=True, lit=False)
    result = run(capsys, lambda: lamp, check=True)
    assert lamp.log == ["read", "plan", "report"]
    assert (result["changed"], result["lit"], lamp.lit) == (True, False, False)
    assert result["diff"]["after"] == {"lit": True}


@pytest.mark.parametrize("check", [False, True])
def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str], check: bool) -> None:
    lamp = Lamp(desired=True, lit=True)
    result = run(capsys, lambda: lamp, check)
    assert lamp.log == ["read", "plan", "report"]
    assert not result["changed"]
    assert result["diff"]["before"] == result["diff"]["after"]


def test_warnings_of_the_plan_are_given_to_ansible(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    run(capsys, lambda: Lamp(desired=True, lit=False))
    assert warned == ["it is noon"]


def test_a_refused_parameter_fails_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> Lamp:
        raise InputError("colour", "is plaid", "choose white")

    result = run(capsys, refuse)
    assert (result["failed"], result["msg"]) == (True, "colour is plaid: choose white.")
    assert not result.get("changed")


def test_a_failure_while_applying_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, lambda: Lamp(desired=True, lit=False, broken=True))
    assert (result["failed"], result["msg"]) == (True, "The bulb is broken: replace it.")


def test_facts_of_an_error_become_return_values(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> Lamp:
        raise Interrupted(StateError("The lamp is locked", "unlock it"), {"tries": 2})

    assert run(capsys, refuse)["tries"] == 2


def test_a_bug_is_not_dressed_up_as_an_error_for_people() -> None:
    def crash() -> Lamp:
        raise ZeroDivisionError

    with patch_module_args({}), pytest.raises(ZeroDivisionError):
        converge(AnsibleModule({}), crash)
