# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun: a policy in a place, and what its place wants besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.plan import Chore
from ansible_collections.hardbound.identity.plugins.module_utils._hello.policy import HelloPolicy
from ansible_collections.hardbound.identity.tests.support.hello_samples import WRITERS

POL = WRITERS["registry_pol"]


@dataclass
class Shelf:
    """A place in memory."""

    document: bytes = b""
    chores: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    title: str = "shelf"
    stored: list[bytes] = field(default_factory=list)

    def load(self) -> bytes:
        return self.document

    def store(self, document: bytes) -> Mapping[str, object]:
        self.document = document
        self.stored.append(document)
        return self.report()

    def report(self) -> Mapping[str, object]:
        return {"shelf": len(self.stored)}


def policy(shelf: Shelf, **settings: object) -> HelloPolicy:
    return HelloPolicy(parse_settings(settings), POL, shelf)


def run(noun: HelloPolicy) -> bool:
    current = noun.read()
    plan = noun.plan(current)
    if plan.changed:
        noun.apply(plan, current)
    return plan.changed


def test_a_second_run_changes_nothing_and_stores_nothing() -> None:
    shelf = Shelf()
    assert [run(policy(shelf, pin_min_length=8)) for _run in range(2)] == [True, False]
    assert len(shelf.stored) == 1


def test_chores_are_a_change_that_leaves_the_document_alone() -> None:
    shelf = Shelf()
    run(policy(shelf, pin_min_length=8))
    before = shelf.document
    shelf.chores, shelf.warnings = ("link it",), ("it is off",)
    noun = policy(shelf, pin_min_length=8)
    current = noun.read()
    plan = noun.plan(current)
    assert plan.steps == (Chore("link it"),)
    assert plan.after == {"pin_min_length": 8, "to_do": ["link it"]}
    assert plan.warnings == ("it is off",)
    told = noun.apply(plan, current)
    assert shelf.document == before
    assert told["settings"] == {"pin_min_length": 8}
    assert told["changed_settings"] == []


def test_a_document_that_changed_meanwhile_is_written_anew() -> None:
    shelf = Shelf()
    run(policy(shelf, pin_history=3))
    document = policy(Shelf(), pin_min_length=8).rewrite(shelf.document)
    assert POL.read(document) == parse_settings({"pin_history": 3, "pin_min_length": 8})


def test_absent_without_names_takes_all_settings_out() -> None:
    shelf = Shelf()
    run(policy(shelf, pin_history=3, use_hello="enabled"))
    assert run(HelloPolicy({}, POL, shelf, absent=[]))
    assert POL.read(shelf.document) == {}
    assert not run(HelloPolicy({}, POL, shelf, absent=[]))
