# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as a settings catalogue policy of Microsoft Graph (configurationPolicies), and reads it back.

A document is merged with: what is there keeps its place and its other keys, such as a
template's references, and other settings stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Container, Dict, List, Optional

from . import csp
from .csp import Leaf, Tree
from .document import json_bytes, parse_json
from .graph_definitions import DEFINITIONS
from .graph_instance import (
    Entry,
    Instances,
    children,
    groups,
    instance_of,
    setting_of,
    settings_of,
    with_groups,
    with_value,
)
from .setting import Model, Scope, Setting, SettingState
from .writer import DEFAULT_TITLE, Objection


@dataclass(frozen=True)
class GraphCatalog:
    """A JSON document to post to ``deviceManagement/configurationPolicies``. ``title`` is its ``name``."""

    scope: Scope = Scope.DEVICE
    title: str = DEFAULT_TITLE

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        found = csp.objection(setting, state, Tree(self.scope))
        if found is not None:
            return found
        if all(leaf.node.path in DEFINITIONS for leaf in csp.leaves({setting.name: state}, Tree(self.scope))):
            return None
        return Objection("was not found in Graph's settings catalogue", "use graph_custom or syncml for it")

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        if not document:
            return {}
        instances = Instances(self.scope)
        found = [(instances.path(each), each) for each in instances.all(settings_of(_parsed(document)))]
        return csp.states((path, instances.raw(path, each)) for path, each in found if path is not None)

    def render(self, changes: Model, document: bytes) -> bytes:
        whole = _parsed(document) if document else self._empty()
        settings, instances = settings_of(whole), Instances(self.scope)
        standing = {instances.path(each) for each in instances.all(settings)}
        fresh = {leaf.node.path: leaf for leaf in csp.leaves(changes, Tree(self.scope), standing)}
        merge = _Merge(instances, csp.paths_of(changes), fresh)
        return json_bytes({**whole, "settings": merge.settings(settings)})

    def _empty(self) -> Entry:
        return {
            "name": self.title,
            "description": "",
            "platforms": "windows10",
            "technologies": "mdm",
            "settings": [],
        }


class _Merge:
    """Puts leaves into the settings of a document.

    :param owned: the paths that change
    :param fresh: what these shall hold. Each that has found its place is taken out
    """

    def __init__(self, instances: Instances, owned: Container[str], fresh: Dict[str, Leaf]) -> None:
        self._instances = instances
        self._owned = owned
        self._fresh = fresh

    def settings(self, settings: List[Entry]) -> List[Entry]:
        merged = [entry for entry in map(self._setting, settings) if entry is not None]
        tenant = [path for path, leaf in self._fresh.items() if leaf.node.tenant_scoped]
        if tenant:
            members = self._group_members(merged)
            members.extend(self._instances.made(self._fresh.pop(path)) for path in tenant)
        merged += [setting_of(self._instances.made(leaf)) for leaf in self._fresh.values()]
        return [entry for entry in merged if entry in settings or not self._is_empty_group(entry)]

    def _setting(self, setting: Entry) -> Optional[Entry]:
        instance = instance_of(setting)
        if self._instances.is_group(instance):
            return {**setting, "settingInstance": with_groups(instance, [*map(self._group, groups(instance))])}
        kept = self._instance(instance)
        return None if kept is None else {**setting, "settingInstance": kept}

    def _group(self, group: Entry) -> Entry:
        return {**group, "children": [kept for kept in map(self._instance, children(group)) if kept is not None]}

    def _instance(self, instance: Entry) -> Optional[Entry]:
        """Returns the instance as it shall be, None where it goes."""
        path = self._instances.path(instance)
        if path is None or path not in self._owned:
            return instance
        leaf = self._fresh.pop(path, None)
        if leaf is None:
            return None
        if self._instances.raw(path, instance) == leaf.raw:
            return instance
        return with_value(instance, self._instances.made(leaf))

    def _group_members(self, settings: List[Entry]) -> List[Entry]:
        """The children of the tenant's first group, which comes first where it has to be made."""
        for setting in settings:
            instance = instance_of(setting)
            if self._instances.is_group(instance) and groups(instance):
                return children(groups(instance)[0])
        members: List[Entry] = []
        settings.insert(0, setting_of(self._instances.group(members)))
        return members

    def _is_empty_group(self, setting: Entry) -> bool:
        instance = instance_of(setting)
        return self._instances.is_group(instance) and not any(children(group) for group in groups(instance))


def _parsed(document: bytes) -> Entry:
    return parse_json(document, "settings catalogue")
