# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as registry values: states to edits, values to states. Pure; Registry.pol and GPO share it.

A disabled setting writes its disabled value and deletes each element, as the Group Policy editor does.
A setting that lingers (see :class:`Setting`) is deleted on the client when it is not configured; any
other is merely left out, the client cleans its managed branches itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Tuple, Union

from .catalogue import SETTINGS
from .setting import NOT_CONFIGURED, Model, PolicyState, Raw, RegistryPlace, Scope, Setting, SettingState
from .slots import SWITCH, from_slots, to_slots


@dataclass(frozen=True)
class PutValue:
    """Set a value: a number is a REG_DWORD, a text a REG_SZ. A contrary ``**del.`` has to go."""

    key: str
    name: str
    data: Raw


@dataclass(frozen=True)
class Delete:
    """Write ``**del.<name>`` in place of the value, so that clients delete it."""

    key: str
    name: str


@dataclass(frozen=True)
class Forget:
    """Leave neither the value nor its ``**del.`` behind."""

    key: str
    name: str


Edit = Union[PutValue, Delete, Forget]


@dataclass(frozen=True)
class FoundEntry:
    """An entry as read. ``data`` is a number for a REG_DWORD, a text for a REG_SZ, bytes for all else.

    ``name`` has no ``**del.`` before it where ``deleted`` is true.
    """

    key: str
    name: str
    data: object
    deleted: bool = False


def edits(model: Model) -> Tuple[Edit, ...]:
    """Returns what has to be edited so that the settings of the model, and only these, are as they say."""
    found: List[Edit] = []
    for setting in SETTINGS:
        if setting.name in model:
            found.extend(_setting_edits(setting, model[setting.name]))
    return tuple(found)


def states(entries: Iterable[FoundEntry]) -> Dict[str, SettingState]:
    """Returns the states that registry entries tell. Entries of no setting are skipped."""
    values: Dict[str, Dict[str, object]] = {}
    deleted: Dict[str, List[str]] = {}
    for entry in entries:
        owner = _OWNERS.get((entry.key.lower(), entry.name.lower()))
        if owner is None:
            continue
        name, slot = owner
        if entry.deleted:
            deleted.setdefault(name, []).append(slot)
        else:
            values.setdefault(name, {})[slot] = entry.data
    model = {}
    for setting in SETTINGS:
        state = _state(setting, values.get(setting.name, {}), deleted.get(setting.name, []))
        if state is not None:
            model[setting.name] = state
    return model


def objection(setting: Setting, state: SettingState, scope: Scope) -> str:
    """Returns why a registry policy can't express the state, empty if it can."""
    if not setting.in_gpo:
        return "exists in the PassportForWork CSP only, Group Policy has no such setting"
    if scope is Scope.USER and not setting.user_gpo:
        return "is a setting of the computer, a user policy doesn't have it"
    if state.state is PolicyState.ALLOWED:
        return "has no value for allowed in Group Policy; not_configured means the same there"
    return ""


def _setting_edits(setting: Setting, state: SettingState) -> Iterable[Edit]:
    slots = to_slots(setting, state)
    for slot, place in _slots(setting):
        if slot in slots:
            yield PutValue(place.key, place.name, slots[slot])
        elif state.state is PolicyState.DISABLED or (state == NOT_CONFIGURED and setting.lingers):
            yield Delete(place.key, place.name)
        else:
            yield Forget(place.key, place.name)


def _slots(setting: Setting) -> List[Tuple[str, RegistryPlace]]:
    slots = [(option.name, option.place) for option in setting.options]
    if setting.switch is not None and setting.switch.place is not None:
        slots.insert(0, (SWITCH, setting.switch.place))
    return slots if setting.in_gpo else []


def _state(setting: Setting, values: Dict[str, object], deleted: List[str]) -> Union[SettingState, None]:
    if values or not deleted:
        return from_slots(setting, values)
    if setting.lingers:
        return NOT_CONFIGURED
    return SettingState(PolicyState.DISABLED) if setting.switch is None else None


_OWNERS = {
    (place.key.lower(), place.name.lower()): (setting.name, slot)
    for setting in SETTINGS
    for slot, place in _slots(setting)
}
