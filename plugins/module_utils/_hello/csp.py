# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as leaves of the PassportForWork CSP: states to leaves, leaves to states. Pure.

SyncML, Graph's custom configuration and Graph's settings catalogue share it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Container, Dict, Iterable, List, Mapping, Optional, Tuple

from .._errors import InputError, StateError
from .catalogue import SETTINGS, setting_named
from .setting import TENANT, CspNode, Model, Option, PolicyState, Raw, Scope, Setting, SettingState, ValueKind
from .slots import SWITCH, from_slots, to_slots
from .writer import Objection

ROOTS = {Scope.DEVICE: "./Device/Vendor/MSFT/PassportForWork/", Scope.USER: "./User/Vendor/MSFT/PassportForWork/"}
# A path without a target means the device (OMA DM in Windows).
_IMPLIED = "./Vendor/MSFT/PassportForWork/"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Leaf:
    """A node with its value: a number, 0 and 1 for a bool too, or a text."""

    setting: str
    node: CspNode
    raw: Raw


@dataclass(frozen=True)
class Tree:
    """Where the leaves stand: the device's or the user's tree, below a tenant.

    Without a ``tenant``, a document of any one tenant is read.
    """

    scope: Scope = Scope.DEVICE
    tenant: Optional[str] = None

    def uri(self, node: CspNode) -> str:
        """Returns the node's LocURI. The tenant's id stands in it without braces.

        :raises InputError: for a node below a tenant where no tenant is known
        """
        if node.tenant_scoped and self.tenant is None:
            raise InputError("tenant_id", f"is missing, and {node.path} stands below a tenant", "give it")
        return ROOTS[self.scope] + node.path.replace(TENANT, self.tenant or "")

    def path(self, uri: str) -> Optional[str]:
        """Returns the catalogue's path of a LocURI in this tree, None for any other URI."""
        relative = self._below_root(uri.strip())
        return None if relative is None else _PATHS.get(relative)

    def paths(self, uri: str) -> Tuple[str, ...]:
        """Returns the catalogue's paths at and below a LocURI in this tree: what goes where that is deleted."""
        relative = self._below_root(uri.strip().rstrip("/") + "/")
        return () if relative is None else tuple(path for low, path in _PATHS.items() if f"{low}/".startswith(relative))

    def _below_root(self, text: str) -> Optional[str]:
        for root in (ROOTS[self.scope], *((_IMPLIED,) if self.scope is Scope.DEVICE else ())):
            if text.lower().startswith(root.lower()):
                return self._relative(text[len(root) :])
        return None

    def _relative(self, text: str) -> Optional[str]:
        first, slash, rest = text.partition("/")
        if first != TENANT and not _GUID.fullmatch(first.strip("{}").lower()):
            return text.lower()
        if self.tenant is not None and first.strip("{}").lower() != self.tenant:
            return None
        return (TENANT + slash + rest).lower()


def tenant_id(text: Optional[str], field: str = "tenant_id") -> Optional[str]:
    """Checks a tenant's id and returns it in lower case without braces.

    :raises InputError: for anything but a GUID
    """
    if text is None:
        return None
    bare = text.strip().strip("{}").lower()
    if not _GUID.fullmatch(bare):
        raise InputError(field, f"is {text!r}", "write the directory's id from Entra ID, a GUID")
    return bare


def objection(setting: Setting, state: SettingState, tree: Tree) -> Optional[Objection]:
    """Returns why the CSP can't express the state, None if it can."""
    if None in setting.nodes:
        return Objection("has no node in the PassportForWork CSP, only Group Policy has it")
    if setting.settled(state).state is PolicyState.DISABLED and setting.switch is None:
        return Objection("can't be disabled through the CSP", "give the value you want, or not_configured")
    for node in _needed(setting, state):
        if tree.scope is Scope.USER and not node.user:
            return Objection(f"has no user node {node.path} in the CSP", "use scope device")
    return None


def leaves(model: Model, tree: Tree, standing: Container[object] = ()) -> Tuple[Leaf, ...]:
    """Returns the leaves that hold the settings, in the order of the catalogue.

    An option that is off needs no leaf, and older builds of Windows don't know each: it has one only where
    the document says something of it already.

    :param standing: the paths that the document sets
    """
    found = [leaf for setting in SETTINGS if setting.name in model for leaf in _leaves(setting, model[setting.name])]
    return tuple(
        leaf
        for leaf in found
        if (tree.scope is Scope.DEVICE or leaf.node.user) and (leaf.node.path in standing or not _is_off(leaf))
    )


def _leaves(setting: Setting, state: SettingState) -> List[Leaf]:
    nodes = _slot_nodes(setting)
    return [Leaf(setting.name, nodes[slot], raw) for slot, raw in to_slots(setting, state).items()]


def _is_off(leaf: Leaf) -> bool:
    slot = BY_PATH[leaf.node.path][1]
    return any(each.name == slot and _at_raw_default(each, leaf.raw) for each in setting_named(leaf.setting).options)


def _at_raw_default(option: Option, raw: Raw) -> bool:
    return option.kind is ValueKind.FLAG and raw == int(bool(option.default))


def states(values: Iterable[Tuple[str, object]]) -> Dict[str, SettingState]:
    """Returns the states that catalogue paths and their raw values tell.

    :raises StateError: for a node that stands twice with different values
    """
    slots: Dict[str, Dict[str, object]] = {}
    for path, raw in values:
        name, slot, _node = BY_PATH[path]
        held = slots.setdefault(name, {})
        if held.get(slot, raw) != raw:
            raise StateError(f"the document sets {path} twice, to different values", "remove one, or give tenant_id")
        held[slot] = raw
    model = {}
    for setting in SETTINGS:
        state = from_slots(setting, slots.get(setting.name, {}))
        if state is not None:
            model[setting.name] = state
    return model


def paths_of(names: Iterable[str]) -> Mapping[str, CspNode]:
    """Returns the catalogue's paths of these settings, and their nodes."""
    chosen = set(names)
    return {path: node for path, (name, _slot, node) in BY_PATH.items() if name in chosen}


def _needed(setting: Setting, state: SettingState) -> List[CspNode]:
    """The nodes without which the state can't be told: an option at its default needs none."""
    options = [each for each in setting.options if not _at_default(each, state)]
    nodes = [option.node for option in options] if state.state is PolicyState.ENABLED else []
    if setting.switch is not None and setting.switch.node is not None:
        nodes.insert(0, setting.switch.node)
    return nodes or [node for node in setting.nodes if node is not None][:1]


def _at_default(option: Option, state: SettingState) -> bool:
    return option.kind is ValueKind.FLAG and state.option(option.name) == option.default


def _slot_nodes(setting: Setting) -> Dict[str, CspNode]:
    nodes = {option.name: option.node for option in setting.options}
    if setting.switch is not None and setting.switch.node is not None:
        nodes[SWITCH] = setting.switch.node
    return nodes


BY_PATH: Dict[str, Tuple[str, str, CspNode]] = {
    node.path: (setting.name, slot, node) for setting in SETTINGS for slot, node in _slot_nodes(setting).items()
}
"""A node's path to its setting, slot and node."""
_PATHS = {path.lower(): path for path in BY_PATH}
