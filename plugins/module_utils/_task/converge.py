# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the spine for a task: the one place that knows check mode and diff mode."""

from __future__ import annotations

import json
import typing as t

from .._errors import HardboundError
from .._spine import Plan, View
from .secret_arguments import Arguments, masked, register_secrets, secret_values

Current = t.TypeVar("Current")
Step = t.TypeVar("Step")


class Module(t.Protocol):
    """What Ansible gives a task: an ``AnsibleModule``, or on the controller what stands for one."""

    check_mode: bool
    argument_spec: Arguments
    params: t.Mapping[str, t.Any]
    no_log_values: t.Set[str]

    def warn(self, warning: str) -> None:
        """Shows a person a sentence, and goes on."""

    def fail_json(self, msg: str, **facts: t.Any) -> t.NoReturn:
        """Ends the task as failed."""

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        """Ends the task as done."""


class Noun(t.Protocol[Current, Step]):
    """What a module manages: a card, a certificate, a policy."""

    def read(self) -> Current:
        """Returns what is there now. Changes nothing, and costs no try."""

    def plan(self, current: Current) -> Plan[Step]:
        """Compares with what is desired. Pure."""

    def apply(self, plan: Plan[Step], current: Current) -> View:
        """Carries the plan out and returns what the module reports."""

    def report(self, plan: Plan[Step], current: Current) -> View:
        """What the module reports when nothing is carried out: no change, or check mode."""


@t.runtime_checkable
class Probing(t.Protocol[Current]):
    """A noun of which the TPM tells the rest only to whoever tries."""

    def probe(self, current: Current) -> Current:
        """Returns what trying told beside what was read. It may cost tries, in check mode too, and changes no more."""


def converge(module: Module, make_noun: t.Callable[[], Noun[t.Any, t.Any]]) -> None:
    """Runs desired, current, plan, apply, and exits the module. Errors for people become ``fail_json``."""
    try:
        noun = make_noun()
        current = noun.read()
        if isinstance(noun, Probing):
            current = noun.probe(current)
        plan = noun.plan(current)
        act = plan.changed and not module.check_mode
        result = noun.apply(plan, current) if act else noun.report(plan, current)
    except HardboundError as error:
        module.fail_json(**_public(module, {**error.facts, "msg": str(error)}))
    for warning in plan.warnings:
        module.warn(warning)
    module.exit_json(**_public(module, {"changed": plan.changed, "diff": _diff(plan), **result}))


def _public(module: Module, result: View) -> t.Dict[str, t.Any]:
    """Returns a result as anybody may see it: secrets stay out of it by the names of their options.

    Ansible would mask their values, wherever these stand. With the PIN 0000 the instance id of a card with the number
    0000 would be of no use any more, and what is masked in it would tell the PIN. No noun reports a secret, so nothing
    but the arguments has to be masked. An ansible-core that masks what it is told of is not told of a value that stands
    in the result for another reason.
    """
    shown = {**result, "invocation": {"module_args": masked(module.argument_spec, module.params)}}
    module.no_log_values.clear()
    told = json.dumps(shown, default=str)
    register_secrets(*(each for each in secret_values(module.argument_spec, module.params) if each not in told))
    return shown


def _diff(plan: Plan[t.Any]) -> dict[str, object]:
    return {
        "before_header": plan.title,
        "after_header": plan.title,
        "before": dict(plan.before),
        "after": dict(plan.after),
    }


def show(module: Module, look: t.Callable[[], View]) -> None:
    """Runs a module without spine, which only looks or says itself whether it has changed something, and exits it."""
    try:
        result = look()
    except HardboundError as error:
        module.fail_json(**_public(module, {**error.facts, "msg": str(error)}))
    module.exit_json(**_public(module, {"changed": False, **result}))
