# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task changes in a policy: pure, in the shape of the spine. The diff is setting names and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Mapping, Optional, Tuple, Union

from .._errors import InputError
from .._spine import Plan
from .catalogue import SETTINGS, setting_named
from .desired import view
from .rules import check, warnings
from .setting import NOT_CONFIGURED, Model, SettingState
from .writer import Writer


@dataclass(frozen=True)
class SettingChange:
    """One setting that takes another state. ``before`` is None where the document says nothing of it."""

    name: str
    before: Optional[SettingState]
    after: SettingState


@dataclass(frozen=True)
class Chore:
    """Something that the place needs besides its document, such as a link to a GPO."""

    text: str


Step = Union[SettingChange, Chore]


@dataclass(frozen=True)
class Fit:
    """What a target can hold of the desired settings, and why it can't hold the others."""

    model: Model
    not_applicable: Mapping[str, str]


def removal(names: Iterable[str], current: Model) -> Dict[str, SettingState]:
    """Returns the desired state of ``state: absent``: these settings not configured, or all that are there."""
    chosen = set(names) or set(current)
    return {setting.name: NOT_CONFIGURED for setting in SETTINGS if setting.name in chosen}


def fit(desired: Model, writer: Writer) -> Fit:
    """Asks the target which of the settings it can hold.

    :raises InputError: naming the first setting that the target refuses
    """
    model: Dict[str, SettingState] = {}
    not_applicable: Dict[str, str] = {}
    for name, state in desired.items():
        setting = setting_named(name)
        objection = writer.objection(setting, state)
        if objection is None:
            model[name] = setting.settled(state)
        # What the target can't hold is not configured there already.
        elif state != NOT_CONFIGURED:
            if objection.refuse:
                raise InputError(f"settings.{name}", objection.reason, objection.remedy)
            not_applicable[name] = objection.reason
    return Fit(model, not_applicable)


def plan(desired: Fit, current: Model, writer: Writer, title: str = "") -> Plan[Step]:
    """Compares what is desired with what the document says.

    :raises InputError: for settings that contradict each other, or what stands in the document
    """
    whole = {**current, **desired.model}
    check(whole, set(desired.model))
    changes = tuple(_changes(desired.model, current, writer))
    after = _after(current, changes, writer)
    return Plan(
        steps=changes,
        before=view(current),
        after=view(after),
        title=title,
        warnings=_left_out(desired) + warnings(whole, {change.name for change in changes}),
    )


def _changes(desired: Model, current: Model, writer: Writer) -> Iterable[SettingChange]:
    for name, state in desired.items():
        before = current.get(name)
        gone = state == NOT_CONFIGURED and before is None and not writer.keeps_removal(setting_named(name))
        if before != state and not gone:
            yield SettingChange(name, before, state)


def _after(current: Model, changes: Tuple[SettingChange, ...], writer: Writer) -> Model:
    after = {**current, **{change.name: change.after for change in changes}}
    return {
        name: state
        for name, state in after.items()
        if state != NOT_CONFIGURED or writer.keeps_removal(setting_named(name))
    }


def _left_out(desired: Fit) -> Tuple[str, ...]:
    return tuple(f"{name} {reason}." for name, reason in desired.not_applicable.items())
