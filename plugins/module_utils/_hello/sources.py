# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the policies that a resolver compares: GPOs, files, and what a task says itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .._errors import InputError, StateError
from .arguments import GPO
from .catalogue import setting_named
from .desired import parse_settings, view
from .linux import PATH, Linux
from .place import FilePlace
from .resolver import NOTHING, Platform, Resolution, resolve
from .source import Family, Source, SourceKind
from .target import TARGETS, gpo_to_read, target_named

Params = Mapping[str, Any]

FORMATS = [each.name for each in TARGETS if each.is_format]
"""The formats of a source that is a file."""

SOURCE: Dict[str, Dict[str, Any]] = {
    "kind": {"type": "str", "required": True, "choices": [each.value for each in SourceKind]},
    "label": {"type": "str"},
    "settings": {"type": "dict"},
    "path": {"type": "path"},
    "format": {"type": "str", "choices": FORMATS},
    "tenant_id": {"type": "str"},
    "gpo": {"type": "dict", "options": GPO},
}
ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "sources": {"type": "list", "elements": "dict", "options": SOURCE},
    "platform": {"type": "str", "choices": [each.value for each in Platform]},
}


def answer(params: Params, not_enabled: Mapping[str, str] = NOTHING) -> Dict[str, object]:
    """Returns what ``hello_policy_info`` reports, from its arguments ``sources`` and ``platform``.

    :param not_enabled: settings that this host can't enable, each with the reason. They count where it is about it
    :raises InputError: for a source that says too little or too much
    :raises StateError: for a file or GPO that can't be read
    """
    given = params["sources"] or []
    found = [_source(each, f"sources[{place}]") for place, each in enumerate(given)] or [_this_host()]
    platform = _platform(params["platform"], found)
    return {
        "platform": platform.value,
        "sources": [_told(each) for each in found],
        **_resolved(resolve(found, platform, NOTHING if given else not_enabled)),
    }


def _platform(name: Optional[str], found: Sequence[Source]) -> Platform:
    if name is not None:
        return Platform(name)
    linux = all(each.kind.family is Family.LINUX for each in found)
    return Platform.LINUX if linux else Platform.WINDOWS


def _this_host() -> Source:
    return Source(SourceKind.LINUX_HOST, PATH, Linux().read(FilePlace(PATH).load()))


def _source(params: Params, field: str) -> Source:
    kind = SourceKind(params["kind"])
    ways = [way for way in ("settings", "path", "gpo") if params.get(way) is not None]
    if len(ways) != 1:
        fault = f"has {' and '.join(ways)}" if ways else "says nothing"
        raise InputError(field, fault, "give it exactly one of settings, path and gpo")
    source = _READERS[ways[0]](params, kind, field)
    return replace(source, label=params.get("label") or source.label)


def _from_settings(params: Params, kind: SourceKind, field: str) -> Source:
    said = parse_settings(params["settings"], f"{field}.settings")
    return Source(kind, kind.value, {name: setting_named(name).settled(state) for name, state in said.items()})


def _from_path(params: Params, kind: SourceKind, field: str) -> Source:
    name = params.get("format") or kind.document
    if not name:
        raise InputError(
            f"{field}.format", "is missing, and a file of EAS has none of its own", "give settings instead"
        )
    document = FilePlace(params["path"]).load()
    if not document:
        raise StateError(f"{params['path']} is not there or empty", f"check {field}.path")
    return Source(kind, params["path"], target_named(name).writer(kind.scope, params).read(document))


def _from_gpo(params: Params, kind: SourceKind, field: str) -> Source:
    if kind.family is not Family.GPO:
        raise InputError(
            f"{field}.kind", f"is {kind.value}, but the source is a GPO", "choose user_gpo or computer_gpo"
        )
    place = gpo_to_read(params["gpo"], kind.scope)
    model = target_named("gpo").writer(kind.scope, {}).read(place.load())
    return Source(kind, place.title, model, tuple(place.warnings))


_READERS = {"settings": _from_settings, "path": _from_path, "gpo": _from_gpo}


def _told(source: Source) -> Dict[str, object]:
    return {"kind": source.kind.value, "label": source.label, "settings": view(source.model)}


def _resolved(resolution: Resolution) -> Dict[str, object]:
    settings: List[Dict[str, object]] = [each.to_data() for each in resolution.effective]
    return {
        "settings": settings,
        "conflicts": [each.name for each in resolution.effective if each.conflict],
        "not_enforceable": [
            {"name": name, "source": label, "reason": reason} for name, label, reason in resolution.not_enforceable
        ],
        "notes": list(resolution.warnings),
    }
