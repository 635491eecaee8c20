# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as SyncML for a device management server, and reads it back (OMA-TS-SyncML-RepPro 1.2).

What is written is the body of a message: the server that sends it puts its own header (SyncHdr) before it.
The tenant's node is added first, each leaf is replaced (Windows adds a leaf that is missing), a setting
that is not configured is deleted. Windows carries commands out in their order, so a later one counts. A leaf
that is set already keeps its place, such as that within an Atomic; commands of other nodes stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from .._errors import StateError
from . import csp
from .csp import BY_PATH, Leaf, Tree
from .document import Document, Element, children, elements, insert, parse_xml, remove, set_text, text_of, xml_bytes
from .setting import NOT_CONFIGURED, CspNode, Format, Model, Scope, Setting, SettingState
from .writer import Objection

_SYNCML = "SYNCML:SYNCML1.2"
_META = "syncml:metinf"
_SETS, _DELETE = ("Add", "Replace"), "Delete"
_FRAMES = ("Atomic", "Sequence")


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
        values, deleted = self._outcome(parse_xml(document, "SyncML"))
        gone = {BY_PATH[path][0]: NOT_CONFIGURED for path in deleted}
        return {**gone, **csp.states((path, _raw(BY_PATH[path][2], item)) for path, item in values)}

    def render(self, changes: Model, document: bytes) -> bytes:
        dom = parse_xml(document or _EMPTY, "SyncML")
        body = _body(dom)
        owned = csp.paths_of(changes)
        values = dict(self._outcome(dom)[0])
        leaves = csp.leaves(changes, self.tree, values)
        kept = {leaf.node.path: values[leaf.node.path] for leaf in leaves if leaf.node.path in values}
        for _command, item, path in list(self._items(dom)):
            if path in owned and item is not kept.get(path):
                _take_out(item)
        for leaf in leaves:
            if leaf.node.path in kept:
                _fill(dom, kept[leaf.node.path], leaf, self.tree.uri(leaf.node))
        numbers = _numbers(body)
        for command in self._commands(dom, changes, [leaf for leaf in leaves if leaf.node.path not in kept]):
            command.firstChild.appendChild(dom.createTextNode(str(next(numbers))))
            insert(body, command, next(iter(children(body, "Final")), None), level=2)
        return xml_bytes(dom)

    def _outcome(self, dom: Document) -> Tuple[List[Tuple[str, Element]], List[str]]:
        """Returns what is left once Windows has carried out all commands: items by path, and what is deleted."""
        values: List[Tuple[str, Element]] = []
        deleted: List[str] = []
        for item in dom.getElementsByTagNameNS("*", "Item"):
            command, uri = item.parentNode.localName, _uri(item)
            if command == _DELETE:
                gone = self.tree.paths(uri)
                values = [(path, each) for path, each in values if path not in gone]
                deleted.extend(gone)
            path = self.tree.path(uri)
            if command in _SETS and path is not None:
                values.append((path, item))
        return values, deleted

    def _commands(self, dom: Document, changes: Model, leaves: Sequence[Leaf]) -> Iterable[Element]:
        if any(leaf.node.tenant_scoped for leaf in leaves) and not self._has_tenant(dom):
            yield self._add_tenant(dom)
        for leaf in leaves:
            yield self._replace(dom, leaf)
        gone = csp.paths_of(name for name, state in changes.items() if state == NOT_CONFIGURED)
        for node in gone.values():
            if self.tree.scope is Scope.DEVICE or node.user:
                yield self._command(dom, _DELETE, self.tree.uri(node))

    def _items(self, dom: Document) -> Iterator[Tuple[str, Element, str]]:
        """Yields command name, item and catalogue path of each item that is a setting's, in order."""
        for item in dom.getElementsByTagNameNS("*", "Item"):
            command, path = item.parentNode.localName, self.tree.path(_uri(item))
            if command in (*_SETS, _DELETE) and path is not None:
                yield command, item, path

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


def _take_out(item: Element) -> None:
    """Takes an item out, and what would be empty without it: its command, and the frame around that."""
    command = item.parentNode
    if len(children(command, "Item")) > 1:
        remove(item)
        return
    frame = command.parentNode
    remove(command)
    while frame.localName in _FRAMES and not _commands_in(frame):
        outer = frame.parentNode
        remove(frame)
        frame = outer


def _commands_in(frame: Element) -> List[Element]:
    return [each for each in elements(frame) if each.localName not in ("CmdID", "Meta", "NoResp")]


def _fill(dom: Document, item: Element, leaf: Leaf, uri: str) -> None:
    """Sets the value of an item that stands, its node in the spelling that Windows takes, and its format."""
    set_text(children(children(item, "Target")[0], "LocURI")[0], uri)
    for meta in children(item, "Meta"):
        for form in children(meta, "Format"):
            set_text(form, leaf.node.format.value)
    if _raw(leaf.node, item) == leaf.raw:
        return
    for data in children(item, "Data"):
        item.removeChild(data)
    _append(dom, item, "Data", _text(leaf))


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
