# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan


def test_a_plan_without_steps_changes_nothing() -> None:
    plan: Plan[str] = Plan()
    assert not plan.changed
    assert (dict(plan.before), dict(plan.after), plan.warnings) == ({}, {}, ())


def test_a_plan_with_a_step_is_a_change_even_if_both_views_look_alike() -> None:
    assert Plan(steps=("erase",)).changed


def test_two_plans_share_no_view() -> None:
    first: Plan[str] = Plan()
    second: Plan[str] = Plan()
    assert first.before is not second.before


def test_a_plan_can_not_be_altered_between_check_mode_and_apply() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Plan().steps = ("erase",)  # type: ignore[misc]
