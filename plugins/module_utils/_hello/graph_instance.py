# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of settings in a policy of Graph's settings catalogue: made, read, and found in a document.

A definition's id is the node's path in lower case, with underscores. Settings below a tenant are children
of one group, whose id ends in ``{tenantid}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, cast

from .._errors import StateError
from .catalogue import setting_named
from .csp import BY_PATH, ROOTS, Leaf
from .setting import TENANT, CspNode, Format, Scope, ValueKind

_GRAPH = "#microsoft.graph.deviceManagementConfiguration"
_GROUPS, _CHOICE, _SIMPLE = "groupSettingCollectionValue", "choiceSettingValue", "simpleSettingValue"

Entry = Dict[str, object]


@dataclass(frozen=True)
class Instances:
    """The instances of the computer's or the users' settings."""

    scope: Scope

    def id(self, path: str) -> str:
        return _definition(self.scope, path)

    def path(self, instance: Entry) -> Optional[str]:
        return _PATHS[self.scope].get(str(instance.get("settingDefinitionId")).lower())

    def is_group(self, instance: Entry) -> bool:
        return str(instance.get("settingDefinitionId")).lower() == self.id(TENANT)

    def made(self, leaf: Leaf) -> Entry:
        definition = self.id(leaf.node.path)
        if not _is_choice(leaf.node):
            return {
                "@odata.type": _GRAPH + "SimpleSettingInstance",
                "settingDefinitionId": definition,
                _SIMPLE: {"@odata.type": _GRAPH + "IntegerSettingValue", "value": leaf.raw},
            }
        word = ("true" if leaf.raw else "false") if leaf.node.format is Format.BOOL else str(leaf.raw)
        return {
            "@odata.type": _GRAPH + "ChoiceSettingInstance",
            "settingDefinitionId": definition,
            _CHOICE: {"@odata.type": _GRAPH + "ChoiceSettingValue", "value": f"{definition}_{word}", "children": []},
        }

    def raw(self, path: str, instance: Entry) -> object:
        choice = instance.get(_CHOICE)
        if isinstance(choice, dict):
            word = str(choice.get("value")).lower()[len(self.id(path)) + 1 :]
            return {"true": 1, "false": 0}.get(word, int(word) if word in ("0", "1", "2") else word)
        simple = instance.get(_SIMPLE)
        return simple.get("value") if isinstance(simple, dict) else simple

    def all(self, settings: List[Entry]) -> Iterator[Entry]:
        """Yields the instances of a document, those of the tenant's group too."""
        for setting in settings:
            instance = instance_of(setting)
            if self.is_group(instance):
                yield from (child for group in groups(instance) for child in children(group))
            else:
                yield instance

    def group(self, members: List[Entry]) -> Entry:
        """Returns the tenant's group with these children."""
        return {
            "@odata.type": _GRAPH + "GroupSettingCollectionInstance",
            "settingDefinitionId": self.id(TENANT),
            _GROUPS: [{"children": members}],
        }


def with_groups(instance: Entry, standing: List[Entry]) -> Entry:
    return {**instance, _GROUPS: standing}


def with_value(instance: Entry, fresh: Entry) -> Entry:
    """Returns an instance with another's value, and its own references. The settings below a former choice go."""
    for key in (_CHOICE, _SIMPLE):
        value, standing = fresh.get(key), instance.get(key)
        if isinstance(value, dict) and isinstance(standing, dict):
            new = {part: value[part] for part in ("value", "children") if part in value}
            return {**instance, key: {**standing, **new}}
    kept = {key: value for key, value in instance.items() if key not in (_CHOICE, _SIMPLE)}
    return {**kept, **fresh}


def _definition(scope: Scope, path: str) -> str:
    return (ROOTS[scope][2:] + path).lower().replace("/", "_")


_PATHS = {scope: {_definition(scope, path): path for path in BY_PATH} for scope in Scope}


def _is_choice(node: CspNode) -> bool:
    """Whether the catalogue offers named options, as it does for all but plain numbers."""
    name, slot, _node = BY_PATH[node.path]
    return not any(each.name == slot and each.kind is ValueKind.NUMBER for each in setting_named(name).options)


def setting_of(instance: Entry) -> Entry:
    return {"@odata.type": _GRAPH + "Setting", "settingInstance": instance}


def settings_of(whole: Mapping[str, object]) -> List[Entry]:
    return _objects(whole.get("settings", []), "settings")


def instance_of(setting: Entry) -> Entry:
    return _objects([setting.get("settingInstance")], "settingInstance")[0]


def groups(instance: Entry) -> List[Entry]:
    return _objects(instance.get(_GROUPS, []), _GROUPS)


def children(group: Entry) -> List[Entry]:
    return _objects(group.get("children", []), "children")


def _objects(found: object, key: str) -> List[Entry]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise StateError(f"the settings catalogue document's {key} holds no objects", "repair or remove the file")
    return cast(List[Entry], found)
