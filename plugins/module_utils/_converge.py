# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the spine for an Ansible module: the one place that knows check mode and diff mode."""

from __future__ import annotations

import typing as t

from ._errors import HardboundError
from ._spine import Plan, View

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Current = t.TypeVar("Current")
Step = t.TypeVar("Step")


class Noun(t.Protocol[Current, Step]):
    """What a module manages: a card, a certificate, a policy."""

    def read(self) -> Current:
        """Returns what is there now. Changes nothing."""

    def plan(self, current: Current) -> Plan[Step]:
        """Compares with what is desired. Pure."""

    def apply(self, plan: Plan[Step], current: Current) -> View:
        """Carries the plan out and returns what the module reports."""

    def report(self, plan: Plan[Step], current: Current) -> View:
        """What the module reports when nothing is carried out: no change, or check mode."""


def converge(module: AnsibleModule, make_noun: t.Callable[[], Noun[t.Any, t.Any]]) -> None:
    """Runs desired, current, plan, apply and exits the module. Errors for people become ``fail_json``."""
    try:
        noun = make_noun()
        current = noun.read()
        plan = noun.plan(current)
        act = plan.changed and not module.check_mode
        result = noun.apply(plan, current) if act else noun.report(plan, current)
    except HardboundError as error:
        module.fail_json(msg=str(error), **error.facts)
    for warning in plan.warnings:
        module.warn(warning)
    module.exit_json(changed=plan.changed, diff=_diff(plan), **result)


def _diff(plan: Plan[t.Any]) -> dict[str, object]:
    return {
        "before_header": plan.title,
        "after_header": plan.title,
        "before": dict(plan.before),
        "after": dict(plan.after),
    }


def show(module: AnsibleModule, look: t.Callable[[], View]) -> None:
    """Runs a module that only looks, and exits it."""
    try:
        result = look()
    except HardboundError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)
