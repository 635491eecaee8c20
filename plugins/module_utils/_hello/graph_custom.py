# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as a custom configuration of Microsoft Graph (windows10CustomConfiguration), and reads it back.

Entries of ``omaSettings`` that belong to no setting, and all other keys, stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, cast

from .._errors import StateError
from . import csp
from .csp import Leaf, Tree
from .document import json_bytes, parse_json
from .setting import Format, Model, Setting, SettingState
from .writer import DEFAULT_TITLE, Objection

_TYPE = "#microsoft.graph.windows10CustomConfiguration"
_TYPES = {
    Format.BOOL: "#microsoft.graph.omaSettingBoolean",
    Format.INT: "#microsoft.graph.omaSettingInteger",
    Format.CHR: "#microsoft.graph.omaSettingString",
}

Entry = Dict[str, object]


@dataclass(frozen=True)
class GraphCustom:
    """A JSON document to post to ``deviceManagement/deviceConfigurations``. ``title`` is its ``displayName``."""

    tree: Tree
    title: str = DEFAULT_TITLE

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        return csp.objection(setting, state, self.tree)

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        if not document:
            return {}
        entries = _entries(parse_json(document, "custom configuration"))
        paths = [(self._path(entry), entry) for entry in entries]
        return csp.states((path, _raw(entry.get("value"))) for path, entry in paths if path is not None)

    def render(self, changes: Model, document: bytes) -> bytes:
        whole = parse_json(document, "custom configuration") if document else self._empty()
        owned = csp.paths_of(changes)
        standing = {self._path(entry) for entry in _entries(whole)}
        fresh = {leaf.node.path: self._entry(leaf) for leaf in csp.leaves(changes, self.tree, standing)}
        entries: List[Entry] = []
        for entry in _entries(whole):
            path = self._path(entry)
            if path is None or path not in owned:
                entries.append(entry)
            elif path in fresh:
                entries.append({**fresh[path], **entry, **_value(fresh.pop(path))})
        return json_bytes({**whole, "omaSettings": entries + list(fresh.values())})

    def _empty(self) -> Entry:
        return {"@odata.type": _TYPE, "displayName": self.title, "description": "", "omaSettings": []}

    def _entry(self, leaf: Leaf) -> Entry:
        value = bool(leaf.raw) if leaf.node.format is Format.BOOL else leaf.raw
        return {
            "@odata.type": _TYPES[leaf.node.format],
            "displayName": leaf.node.path.rpartition("/")[2],
            "omaUri": self.tree.uri(leaf.node),
            "value": value,
        }

    def _path(self, entry: Mapping[str, object]) -> Optional[str]:
        uri = entry.get("omaUri")
        return self.tree.path(uri) if isinstance(uri, str) else None


def _entries(whole: Mapping[str, object]) -> List[Entry]:
    entries = whole.get("omaSettings", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise StateError("the custom configuration's omaSettings is no list of objects", "repair or remove the file")
    return cast(List[Entry], entries)


def _value(entry: Entry) -> Entry:
    """What of an entry that stands is replaced. Its name is whatever somebody called it."""
    return {key: entry[key] for key in ("@odata.type", "omaUri", "value")}


def _raw(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
