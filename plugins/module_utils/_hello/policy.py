# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun that the module converges: a policy in a place, written by a writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Optional, Sequence

from .._spine import Plan, View
from .himmelblau import RETRY_COUNT, Himmelblau
from .plan import Chore, Fit, SettingChange, Step, fit, plan, removal
from .setting import Model, PolicyState, SettingState
from .writer import DocumentPlace, Writer

TO_DO = "to_do"
"""In a diff, beside the settings: what a place needs besides its document."""


@dataclass(frozen=True)
class CurrentDocument:
    """A document and what it says."""

    document: bytes
    model: Model


@dataclass(frozen=True)
class HelloPolicy:
    """Desired settings, or with ``absent`` the names of those to remove, in a place.

    Settings that are not named stay as they are, and so does all else in the document.
    """

    desired: Model
    writer: Writer
    place: DocumentPlace
    absent: Optional[Sequence[str]] = None

    def read(self) -> CurrentDocument:
        document = self.place.load()
        return CurrentDocument(document, self.writer.read(document))

    def plan(self, current: CurrentDocument) -> Plan[Step]:
        found = self._settings_plan(current)
        chores = tuple(self.place.chores)
        if not chores:
            return replace(found, warnings=(*self.place.warnings, *found.warnings))
        return replace(
            found,
            steps=(*found.steps, *(Chore(text) for text in chores)),
            after={**found.after, TO_DO: list(chores)},
            warnings=(*self.place.warnings, *found.warnings),
        )

    def _settings_plan(self, current: CurrentDocument) -> Plan[Step]:
        return plan(self._fit(current), current.model, self.writer, self.place.title)

    def apply(self, plan: Plan[Step], current: CurrentDocument) -> View:
        stored = self.place.store(self.render(plan, current))
        return {**self._told(plan, current), **stored}

    def report(self, plan: Plan[Step], current: CurrentDocument) -> View:
        return {**self._told(plan, current), **self.place.report()}

    def render(self, plan: Plan[Step], current: CurrentDocument) -> bytes:
        """Returns the document with the plan carried out."""
        changes = _changes(plan)
        return self.writer.render(changes, current.document) if changes else current.document

    def rewrite(self, document: bytes) -> bytes:
        """Returns another document with the desired settings put in, for a place that was changed meanwhile."""
        current = CurrentDocument(document, self.writer.read(document))
        return self.render(self._settings_plan(current), current)

    def _fit(self, current: CurrentDocument) -> Fit:
        if self.absent is not None:
            return fit(removal(self.absent, current.model), self.writer)
        return fit(self.desired, self.writer)

    def _told(self, plan: Plan[Step], current: CurrentDocument) -> Mapping[str, object]:
        return {
            "settings": {name: value for name, value in plan.after.items() if name != TO_DO},
            "changed_settings": [step.name for step in plan.steps if isinstance(step, SettingChange)],
            "not_applicable": dict(self._fit(current).not_applicable),
        }


def _changes(plan: Plan[Step]) -> Model:
    return {step.name: step.after for step in plan.steps if isinstance(step, SettingChange)}


@dataclass(frozen=True)
class HimmelblauPolicy(HelloPolicy):
    """A drop-in of Himmelblau, with its retry count beside the settings."""

    writer: Himmelblau

    def plan(self, current: CurrentDocument) -> Plan[Step]:
        found = super().plan(current)
        before, wanted = self.writer.retry_count(current.document), self.writer.pin_retry_count
        if wanted is None or before == str(wanted):
            return found
        change = SettingChange(RETRY_COUNT, None, SettingState(PolicyState.ENABLED, (("value", wanted),)))
        return replace(
            found,
            steps=(*found.steps, change),
            before=found.before if before is None else {**found.before, RETRY_COUNT: before},
            after={**found.after, RETRY_COUNT: str(wanted)},
        )


@dataclass(frozen=True)
class ReturnedPolicy(HelloPolicy):
    """A document that is returned instead of kept: nothing changes anywhere. With nothing to say it is an empty one."""

    def plan(self, current: CurrentDocument) -> Plan[Step]:
        return replace(super().plan(current), steps=(), before={}, after={})

    def report(self, plan: Plan[Step], current: CurrentDocument) -> View:
        full = super().plan(current)
        document = self.writer.render(_changes(full), current.document)
        return {**self._told(full, current), "document": document.decode("utf-8")}
