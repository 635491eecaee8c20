# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as a settings catalogue policy of Microsoft Graph (configurationPolicies), and reads it back.

A definition's id is the node's path in lower case, with underscores. Settings below a tenant are children
of one group, whose id ends in ``{tenantid}``. Other settings, and all other keys, stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Tuple, cast

from .._errors import StateError
from . import csp
from .catalogue import setting_named
from .csp import BY_PATH, ROOTS, Leaf, Tree
from .document import json_bytes, parse_json
from .setting import TENANT, CspNode, Format, Kind, Model, Scope, Setting, SettingState
from .slots import SWITCH
from .writer import Objection

_GRAPH = "#microsoft.graph.deviceManagementConfiguration"
_GROUP = _GRAPH + "GroupSettingCollectionInstance"

Entry = Dict[str, object]


@dataclass(frozen=True)
class GraphCatalog:
    """A JSON document to post to ``deviceManagement/configurationPolicies``. ``title`` is its ``name``."""

    scope: Scope = Scope.DEVICE
    title: str = "Windows Hello for Business"

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        found = csp.objection(setting, state, Tree(self.scope))
        if found is None and not all(leaf.node.in_catalog for leaf in self._leaves({setting.name: state})):
            return Objection("is not known to stand in Graph's settings catalogue", "use graph_custom or syncml for it")
        return found

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        if not document:
            return {}
        instances = self._instances(_settings(parse_json(document, "settings catalogue")))
        paths = [(self._path(instance), instance) for instance in instances]
        return csp.states((path, self._raw(path, instance)) for path, instance in paths if path is not None)

    def render(self, changes: Model, document: bytes) -> bytes:
        whole = parse_json(document, "settings catalogue") if document else self._empty()
        owned = csp.paths_of(changes)
        leaves = self._leaves(changes)
        settings = [entry for entry in (self._without(entry, owned) for entry in _settings(whole)) if entry is not None]
        tenant = [self._instance(leaf) for leaf in leaves if leaf.node.tenant_scoped]
        if tenant:
            _group_children(settings, self._id(TENANT)).extend(tenant)
        settings += [_setting(self._instance(leaf)) for leaf in leaves if not leaf.node.tenant_scoped]
        return json_bytes({**whole, "settings": settings})

    def _leaves(self, model: Model) -> Tuple[Leaf, ...]:
        """An option outside the catalogue is left out where it is off, as Windows takes it to be."""
        return tuple(leaf for leaf in csp.leaves(model, Tree(self.scope)) if leaf.node.in_catalog or not _is_off(leaf))

    def _empty(self) -> Entry:
        return {
            "name": self.title,
            "description": "",
            "platforms": "windows10",
            "technologies": "mdm",
            "settings": [],
        }

    def _id(self, path: str) -> str:
        return _definition(self.scope, path)

    def _path(self, instance: Entry) -> Optional[str]:
        return _PATHS[self.scope].get(str(instance.get("settingDefinitionId")).lower())

    def _instance(self, leaf: Leaf) -> Entry:
        definition = self._id(leaf.node.path)
        if not _is_choice(leaf.node):
            value: Entry = {"@odata.type": _GRAPH + "IntegerSettingValue", "value": leaf.raw}
            return {
                "@odata.type": _GRAPH + "SimpleSettingInstance",
                "settingDefinitionId": definition,
                "simpleSettingValue": value,
            }
        word = ("true" if leaf.raw else "false") if leaf.node.format is Format.BOOL else str(leaf.raw)
        value = {"@odata.type": _GRAPH + "ChoiceSettingValue", "value": f"{definition}_{word}", "children": []}
        return {
            "@odata.type": _GRAPH + "ChoiceSettingInstance",
            "settingDefinitionId": definition,
            "choiceSettingValue": value,
        }

    def _raw(self, path: str, instance: Entry) -> object:
        choice = instance.get("choiceSettingValue")
        if isinstance(choice, dict):
            word = str(choice.get("value")).lower()[len(self._id(path)) + 1 :]
            return {"true": 1, "false": 0}.get(word, int(word) if word in ("0", "1", "2") else word)
        simple = instance.get("simpleSettingValue")
        return simple.get("value") if isinstance(simple, dict) else simple

    def _instances(self, settings: List[Entry]) -> Iterator[Entry]:
        for setting in settings:
            instance = _instance_of(setting)
            if str(instance.get("settingDefinitionId")).lower() == self._id(TENANT):
                yield from (child for group in _groups(instance) for child in _children(group))
            else:
                yield instance

    def _without(self, setting: Entry, owned: Mapping[str, CspNode]) -> Optional[Entry]:
        """Returns the setting without what belongs to these paths, None if nothing is left of it."""
        instance = _instance_of(setting)
        if str(instance.get("settingDefinitionId")).lower() != self._id(TENANT):
            return None if self._path(instance) in owned else setting
        groups = [
            {**group, "children": [child for child in _children(group) if self._path(child) not in owned]}
            for group in _groups(instance)
        ]
        if not any(_children(group) for group in groups):
            return None
        return {**setting, "settingInstance": {**instance, "groupSettingCollectionValue": groups}}


def _definition(scope: Scope, path: str) -> str:
    return (ROOTS[scope][2:] + path).lower().replace("/", "_")


_PATHS = {scope: {_definition(scope, path): path for path in BY_PATH} for scope in Scope}


def _is_off(leaf: Leaf) -> bool:
    return BY_PATH[leaf.node.path][1] != SWITCH and leaf.raw == 0


def _is_choice(node: CspNode) -> bool:
    """Whether the catalogue offers named options, as it does for all but plain numbers."""
    name, slot, _node = BY_PATH[node.path]
    return not any(each.name == slot and each.kind is Kind.NUMBER for each in setting_named(name).options)


def _group_children(settings: List[Entry], definition: str) -> List[Entry]:
    for setting in settings:
        instance = _instance_of(setting)
        if str(instance.get("settingDefinitionId")).lower() == definition and _groups(instance):
            return _children(_groups(instance)[0])
    children: List[Entry] = []
    group: Entry = {
        "@odata.type": _GROUP,
        "settingDefinitionId": definition,
        "groupSettingCollectionValue": [{"children": children}],
    }
    settings.insert(0, _setting(group))
    return children


def _setting(instance: Entry) -> Entry:
    return {"@odata.type": _GRAPH + "Setting", "settingInstance": instance}


def _settings(whole: Mapping[str, object]) -> List[Entry]:
    return _objects(whole.get("settings", []), "settings")


def _instance_of(setting: Entry) -> Entry:
    return _objects([setting.get("settingInstance")], "settingInstance")[0]


def _groups(instance: Entry) -> List[Entry]:
    return _objects(instance.get("groupSettingCollectionValue", []), "groupSettingCollectionValue")


def _children(group: Entry) -> List[Entry]:
    return _objects(group.get("children", []), "children")


def _objects(found: object, key: str) -> List[Entry]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise StateError(f"the settings catalogue document's {key} holds no objects", "repair or remove the file")
    return cast(List[Entry], found)
