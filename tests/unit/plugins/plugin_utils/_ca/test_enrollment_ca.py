# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.enrollment_ca import (
    ARGUMENTS,
    Desired,
    EnrollmentCa,
    Step,
)

Converge = t.Callable[[], t.Tuple[t.Any, t.Mapping[str, t.Any]]]


@pytest.fixture
def converge(tmp_path: Path, watch: t.Any) -> Converge:
    values = {name: option.get("default") for name, option in ARGUMENTS.items()}
    values.update(path=str(tmp_path / "ca"), name="Corp", passphrase="correct horse battery staple")

    def run() -> t.Tuple[t.Any, t.Mapping[str, t.Any]]:
        noun = EnrollmentCa(Desired.parse(values), watch)
        current = noun.read()
        plan = noun.plan(current)
        return plan, noun.apply(plan, current)

    return run


def test_the_issuing_ca_is_renewed_when_two_thirds_are_over(converge: Converge, watch: t.Any, tmp_path: Path) -> None:
    _plan, first = converge()
    watch.turn(days=1216)
    assert Step.RENEW not in converge()[0].steps
    watch.turn(days=1)
    key = tmp_path / "ca" / "private" / "root.key"
    hidden = key.read_bytes()
    key.unlink()
    plan, kept = converge()
    assert "the issuing CA's certificate is due for renewal: bring the root's key back" in plan.warnings[0]
    assert kept["certificate"] == first["certificate"]
    key.write_bytes(hidden)
    plan, renewed = converge()
    assert plan.steps == (Step.RENEW,)
    assert renewed["certificate"]["not_after"] > first["certificate"]["not_after"]
    assert converge()[0].steps == ()


def test_lists_are_signed_anew_when_half_of_their_time_is_over(converge: Converge, watch: t.Any) -> None:
    converge()
    watch.turn(days=3)
    assert not converge()[0].changed
    watch.turn(hours=12)
    plan, result = converge()
    assert plan.steps == (Step.LISTS,)
    assert (plan.before["crl"], plan.after["crl"]) == ("due", "current")
    assert (result["crl"]["number"], result["root_crl"]["number"]) == (2, 1)
    watch.turn(days=90)
    assert converge()[0].steps == (Step.LISTS, Step.ROOT_LIST)


def test_secrets_are_in_no_repr(converge: Converge, tmp_path: Path) -> None:
    values = {name: option.get("default") for name, option in ARGUMENTS.items()}
    secrets = {"passphrase": "hidden-passphrase", "root_passphrase": "hidden-rootphrase", "ledger": "sqlite:///hidden"}
    shown = repr(Desired.parse({**values, "path": str(tmp_path / "ca"), "name": "Corp", **secrets}))
    assert "hidden" not in shown
