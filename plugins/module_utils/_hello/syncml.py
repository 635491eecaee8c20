# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as SyncML for a device management server, and reads it back (OMA-TS-SyncML-RepPro 1.2).

The tenant's node is added first, each leaf is replaced (Windows adds a leaf that is missing), a setting
that is not configured is deleted. Commands of other nodes stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Optional, Tuple

from .._errors import StateError
from . import csp
from .csp import BY_PATH, Leaf, Tree
from .document import Document, Element, children, insert, parse_xml, remove, text_of, xml_bytes
from .setting import NOT_CONFIGURED, CspNode, Format, Model, Scope, Setting, SettingState
from .writer import Objection

_SYNCML = "SYNCML:SYNCML1.2"
_META = "syncml:metinf"
_SETS = ("Add", "Replace")


@dataclass(frozen=True)
class SyncMl:
    """A SyncML document with one command an item."""

    tree: Tree

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        return csp.objection(setting, state, self.tree)

    def keeps_removal(self, setting: Setting) -> bool:
        return all(node is not None for node in setting.nodes)

    def read(self, document: bytes) -> Model:
        if not document:
            return {}
        found = list(self._items(parse_xml(document, "SyncML")))
        sets = [(path, _raw(BY_PATH[path][2], item)) for command, item, path in found if command in _SETS]
        deleted = {BY_PATH[path][0]: NOT_CONFIGURED for command, _item, path in found if command == "Delete"}
        return {**deleted, **csp.states(sets)}

    def render(self, changes: Model, document: bytes) -> bytes:
        dom = parse_xml(document or _EMPTY, "SyncML")
        body = _body(dom)
        owned = csp.paths_of(changes)
        for _command, item, path in list(self._items(dom)):
            if path in owned:
                command = item.parentNode
                remove(item if len(children(command, "Item")) > 1 else command)
        numbers = _numbers(body)
        for command in self._commands(dom, changes):
            command.firstChild.appendChild(dom.createTextNode(str(next(numbers))))
            insert(body, command, next(iter(children(body, "Final")), None), level=2)
        return xml_bytes(dom)

    def _commands(self, dom: Document, changes: Model) -> Iterable[Element]:
        leaves = csp.leaves(changes, self.tree)
        if any(leaf.node.tenant_scoped for leaf in leaves) and not self._has_tenant(dom):
            yield self._add_tenant(dom)
        for leaf in leaves:
            yield self._replace(dom, leaf)
        gone = csp.paths_of(name for name, state in changes.items() if state == NOT_CONFIGURED)
        for node in gone.values():
            if self.tree.scope is Scope.DEVICE or node.user:
                yield self._command(dom, "Delete", self.tree.uri(node))

    def _items(self, dom: Document) -> Iterator[Tuple[str, Element, str]]:
        """Yields command name, item and catalogue path of each item that is a setting's."""
        for name in (*_SETS, "Delete"):
            for command in dom.getElementsByTagNameNS("*", name):
                for item in children(command, "Item"):
                    path = self.tree.path(_uri(item))
                    if path is not None:
                        yield name, item, path

    def _tenant_uri(self) -> str:
        return csp.ROOTS[self.tree.scope] + (self.tree.tenant or "")

    def _has_tenant(self, dom: Document) -> bool:
        adds = [item for command in dom.getElementsByTagNameNS("*", "Add") for item in children(command, "Item")]
        return any(_uri(item).lower() == self._tenant_uri().lower() for item in adds)

    def _add_tenant(self, dom: Document) -> Element:
        command = self._command(dom, "Add", self._tenant_uri())
        _meta(dom, children(command, "Item")[0], "node")
        return command

    def _replace(self, dom: Document, leaf: Leaf) -> Element:
        command = self._command(dom, "Replace", self.tree.uri(leaf.node))
        item = children(command, "Item")[0]
        _append(dom, _meta(dom, item, leaf.node.format.value), "Type", "text/plain", namespace=_META)
        _append(dom, item, "Data", _text(leaf))
        return command

    def _command(self, dom: Document, name: str, uri: str) -> Element:
        command = dom.createElementNS(_SYNCML, name)
        _append(dom, command, "CmdID")
        target = _append(dom, _append(dom, command, "Item"), "Target")
        _append(dom, target, "LocURI", uri)
        return command


_EMPTY = f"""<SyncML xmlns="{_SYNCML}">
  <SyncBody>
    <Final/>
  </SyncBody>
</SyncML>""".encode()


def _body(dom: Document) -> Element:
    bodies = children(dom.documentElement, "SyncBody")
    if len(bodies) != 1:
        raise StateError(f"the SyncML document has {len(bodies)} SyncBody elements", "give it exactly one")
    return bodies[0]


def _uri(item: Element) -> str:
    targets = children(item, "Target")
    uris = children(targets[0], "LocURI") if targets else []
    return text_of(uris[0]).strip() if uris else ""


def _text(leaf: Leaf) -> str:
    if leaf.node.format is Format.BOOL:
        return "true" if leaf.raw else "false"
    return str(leaf.raw)


def _raw(node: CspNode, item: Element) -> object:
    data = children(item, "Data")
    text = text_of(data[0]).strip() if data else ""
    if node.format is Format.BOOL:
        return {"true": 1, "false": 0}.get(text.lower(), text)
    if node.format is Format.INT and text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 12:
        return int(text)
    return text


def _append(dom: Document, parent: Element, name: str, text: str = "", namespace: str = _SYNCML) -> Element:
    element = dom.createElementNS(namespace, name)
    if namespace != _SYNCML:
        element.setAttribute("xmlns", namespace)
    if text:
        # Rules are XML themselves. They hold no "]]>", since their own texts are escaped.
        element.appendChild(dom.createCDATASection(text) if "<" in text else dom.createTextNode(text))
    parent.appendChild(element)
    return element


def _meta(dom: Document, item: Element, format_: str) -> Element:
    meta = _append(dom, item, "Meta")
    _append(dom, meta, "Format", format_, namespace=_META)
    return meta


def _numbers(body: Element) -> Iterator[int]:
    """Command ids that no command has yet."""
    texts = [text_of(each) for each in body.getElementsByTagNameNS("*", "CmdID")]
    number = max((int(text) for text in texts if text.isascii() and text.isdigit()), default=0)
    while True:
        number += 1
        yield number
