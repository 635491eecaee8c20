# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``hello_policy`` on a Linux host: its policy, and who sees which reader, which follows from it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._card.host_policy import HostPolicy
from .._card.plan import after
from .._card.store import DEFAULT_FOLDER, Store
from .._edge import access
from .._edge.access import Holder
from .._edge.presentation import Presentation
from .._hello.plan import Chore, SettingChange, Step
from .._hello.policy import TO_DO, CurrentDocument, HelloPolicy
from .._spine import Plan, View

GUARD_READERS = "tell polkit who may see and use the readers"
SEEN_BY_ALL = "allow_all_user_card_enumeration"
WHY_NOT = (
    "has no effect on this host: its pcscd was built without polkit, and whoever saw a reader could use it too, "
    "so only the owners and groups of cards do"
)
NO_POLKIT = f"{SEEN_BY_ALL} {WHY_NOT}."


def not_enabled_here(store: str = DEFAULT_FOLDER) -> t.Mapping[str, str]:
    """Returns the settings that this host can't enable for its cards, each with the reason."""
    presentation = Presentation(store)
    return {SEEN_BY_ALL: WHY_NOT} if presentation.is_set_up and not presentation.asks_polkit else {}


@dataclass(frozen=True)
class GuardReaders(Chore):
    """The step that brings polkit's rules up to date."""

    rules: Plan[str]


@dataclass(frozen=True)
class FoundPolicy:
    """The policy as it is. On a host with a card service also polkit's rules, and who holds the cards.

    :param asks_polkit: whether pcscd does
    """

    policy: CurrentDocument
    rules: t.Optional[str] = None
    held: t.Sequence[Holder] = ()
    asks_polkit: bool = True


class LinuxPolicy:
    """A policy that the cards of this host obey. They read it themselves; polkit is told."""

    def __init__(self, policy: HelloPolicy, store: str = DEFAULT_FOLDER) -> None:
        self._policy = policy
        self._store = Store(store)
        self._presentation = Presentation(store)

    def read(self) -> FoundPolicy:
        current = self._policy.read()
        if not self._presentation.is_set_up:
            return FoundPolicy(current)
        held = access.holders(after(Plan(), self._store.records()))
        return FoundPolicy(current, access.RULES.read(), held, self._presentation.asks_polkit)

    def plan(self, found: FoundPolicy) -> Plan[Step]:
        plan = self._policy.plan(found.policy)
        if found.rules is None:
            return plan
        everyone = self._host_policy(plan, found).everyone_sees_readers
        if everyone and not found.asks_polkit:
            plan = replace(plan, warnings=(*plan.warnings, NO_POLKIT))
        rules = access.RULES.plan(access.render(found.held, everyone), found.rules)
        if not rules.changed:
            return plan
        step = GuardReaders(GUARD_READERS, rules)
        return replace(plan, steps=(*plan.steps, step), after={**plan.after, TO_DO: [step.text]})

    def _host_policy(self, plan: Plan[Step], found: FoundPolicy) -> HostPolicy:
        document = self._policy.render(plan, found.policy)
        return HostPolicy.parse(document) if document else HostPolicy()

    def apply(self, plan: Plan[Step], found: FoundPolicy) -> View:
        changes = any(isinstance(step, SettingChange) for step in plan.steps)
        view = self._policy.apply(plan, found.policy) if changes else self.report(plan, found)
        for step in plan.steps:
            if isinstance(step, GuardReaders):
                access.RULES.apply(step.rules)
        return view

    def report(self, plan: Plan[Step], found: FoundPolicy) -> View:
        return self._policy.report(plan, found.policy)
