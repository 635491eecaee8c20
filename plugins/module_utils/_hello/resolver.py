# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which value of each setting takes effect where several sources speak, and which of them won.

Precedence (Microsoft, configure Windows Hello for Business): user GPO, computer GPO, user CSP, device CSP,
EAS. Some settings resolve in groups, from one source (Microsoft, manage Windows Hello for Business in your
organization). ``MDMWinsOverGP`` plays no part, since the PassportForWork CSP is not in the Policy CSP.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from . import csp, registry
from .catalogue import SETTINGS, setting_named
from .csp import Tree
from .desired import to_data
from .linux import Linux
from .rules import certificate_wins, dispute, min_over_max
from .setting import NOT_CONFIGURED, Group, Model, PolicyState, Scope, Setting, SettingState
from .source import Family, Source, SourceKind

NOTHING: Mapping[str, str] = MappingProxyType({})


class Platform(str, enum.Enum):
    """What kind of host the question is about."""

    WINDOWS = "windows"
    LINUX = "linux"


@dataclass(frozen=True)
class Loser:
    """A value that has no effect."""

    source: str
    state: SettingState


@dataclass(frozen=True)
class Effective:
    """What holds for one setting. ``source`` None is the default of Windows, or of the cards on Linux."""

    name: str
    state: SettingState
    source: Optional[str] = None
    losers: Tuple[Loser, ...] = ()
    notes: Tuple[str, ...] = ()

    @property
    def conflict(self) -> bool:
        return any(loser.state != self.state for loser in self.losers)

    def to_data(self) -> Dict[str, object]:
        """Returns plain data for a person or a program."""
        setting = setting_named(self.name)
        return {
            "name": self.name,
            "value": to_data(setting, self.state),
            "source": self.source,
            "default": setting.default,
            "conflict": self.conflict,
            "overridden": [{"source": each.source, "value": to_data(setting, each.state)} for each in self.losers],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Resolution:
    """What takes effect, in the order of the catalogue, and what can't where it was said."""

    effective: Tuple[Effective, ...]
    not_enforceable: Tuple[Tuple[str, str, str], ...] = ()
    warnings: Tuple[str, ...] = field(default=())


def resolve(
    sources: Sequence[Source], platform: Platform = Platform.WINDOWS, not_enabled: Mapping[str, str] = NOTHING
) -> Resolution:
    """Resolves all settings of the catalogue. Pure.

    :param not_enabled: settings that can't be enabled on the Linux host in question, each with the reason
    """
    rank = list(SourceKind)
    ordered = sorted(sources, key=lambda source: rank.index(source.kind))
    heard = [_enforceable(source, platform, not_enabled) for source in ordered]
    groups = {group: _group_winner(group, heard) for group in Group}
    effective = tuple(_effective(setting, ordered, heard, groups) for setting in SETTINGS)
    return Resolution(
        effective=tuple(_noted(each, {other.name: other.state for other in effective}) for each in effective),
        not_enforceable=tuple(each for source in ordered for each in _not_enforceable(source, platform, not_enabled)),
        warnings=tuple(_warnings(heard)),
    )


def _says(source: Source, name: str) -> bool:
    return source.model.get(name, NOT_CONFIGURED) != NOT_CONFIGURED


def _objection(
    kind: SourceKind, platform: Platform, not_enabled: Mapping[str, str], setting: Setting, state: SettingState
) -> str:
    """Returns why a state has no effect where it was said, empty if it has."""
    if platform is Platform.WINDOWS:
        return _ON_WINDOWS[kind.family](setting, state, kind.scope)
    if state.state is PolicyState.ENABLED and setting.name in not_enabled:
        return not_enabled[setting.name]
    objection = Linux().objection(setting, state)
    if objection is None and kind.family is not Family.LINUX:
        return "doesn't reach a Linux host from there: write it with target linux"
    return "" if objection is None else objection.reason


def _gpo_objection(setting: Setting, state: SettingState, scope: Scope) -> str:
    # A reader found the value in the registry, so being able to write it is beside the point.
    return "" if state.state is PolicyState.ALLOWED else registry.objection(setting, state, scope)


def _csp_objection(setting: Setting, state: SettingState, scope: Scope) -> str:
    objection = csp.objection(setting, state, Tree(scope))
    return "" if objection is None else objection.reason


def _eas_objection(setting: Setting, _state: SettingState, _scope: Scope) -> str:
    return "" if setting.group is Group.PIN and setting.scalar else "is not a rule that EAS has"


def _linux_objection(_setting: Setting, _state: SettingState, _scope: Scope) -> str:
    return "is the policy of a Linux host, Windows doesn't read it"


_ON_WINDOWS: Mapping[Family, Callable[[Setting, SettingState, Scope], str]] = {
    Family.GPO: _gpo_objection,
    Family.CSP: _csp_objection,
    Family.EAS: _eas_objection,
    Family.LINUX: _linux_objection,
}


def _enforceable(source: Source, platform: Platform, not_enabled: Mapping[str, str]) -> Source:
    model = {
        name: state
        for name, state in source.model.items()
        if not _objection(source.kind, platform, not_enabled, setting_named(name), state)
    }
    return replace(source, model=model)


def _not_enforceable(source: Source, platform: Platform, not_enabled: Mapping[str, str]) -> List[Tuple[str, str, str]]:
    found = []
    for name, state in source.model.items():
        if state == NOT_CONFIGURED:
            continue
        reason = _objection(source.kind, platform, not_enabled, setting_named(name), state)
        if reason:
            found.append((name, source.label, reason))
    return found


def _group_winner(group: Group, heard: Sequence[Source]) -> Optional[int]:
    """Returns the place of the source that all settings of the group come from."""
    members = [setting.name for setting in SETTINGS if setting.group is group]
    # Whoever says whether to use Hello decides for its group; else whoever says anything.
    leaders = members[:1] if group is Group.FEATURE else members
    for names in (leaders, members):
        for place, source in enumerate(heard):
            if any(_says(source, name) for name in names):
                return place
    return None


def _effective(
    setting: Setting, ordered: Sequence[Source], heard: Sequence[Source], groups: Mapping[Group, Optional[int]]
) -> Effective:
    speakers = [place for place, source in enumerate(heard) if _says(source, setting.name)]
    if setting.group is not None:
        winner = groups[setting.group]
        winner = winner if winner in speakers else None
    else:
        winner = speakers[0] if speakers else None
    losers = tuple(
        Loser(source.label, source.model[setting.name])
        for place, source in enumerate(ordered)
        if place != winner and _says(source, setting.name)
    )
    if winner is None:
        return Effective(setting.name, NOT_CONFIGURED, None, losers, _group_note(setting, speakers, heard, groups))
    return Effective(setting.name, heard[winner].model[setting.name], heard[winner].label, losers)


def _group_note(
    setting: Setting, speakers: Sequence[int], heard: Sequence[Source], groups: Mapping[Group, Optional[int]]
) -> Tuple[str, ...]:
    leader = groups[setting.group] if setting.group is not None else None
    if not speakers or leader is None or setting.group is None:
        return ()
    return (f"All settings of {setting.group.value} come from {heard[leader].label}, which doesn't set this one.",)


def _noted(each: Effective, model: Model) -> Effective:
    setting = setting_named(each.name)
    notes = [*each.notes, dispute(setting, each.state)]
    if each.name in ("pin_min_length", "pin_max_length") and min_over_max(model) is not None:
        notes.append("The minimum is over the maximum, so Windows uses its defaults for both.")
    if each.name == "use_cloud_trust_for_on_prem_auth":
        notes.append(certificate_wins(model))
    if each.state.state is PolicyState.UNKNOWN:
        notes.append("The source holds data that no state of this setting has.")
    return replace(each, notes=tuple(note for note in notes if note))


def _warnings(heard: Sequence[Source]) -> List[str]:
    families = {source.kind.family for source in heard if source.model}
    found = [note for source in heard for note in source.notes]
    if {Family.GPO, Family.CSP} <= families:
        found.append("GPO and CSP are mixed, which Microsoft doesn't support: clear the GPO before the CSP takes over.")
    if Family.EAS in families and len(families) > 1:
        found.append(
            "Sources disagree about EAS and DeviceLock beside another source: the strictest value wins, "
            "or the other source does, as is answered here."
        )
    return found
