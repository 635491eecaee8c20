# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML and JSON documents as the writers share them: parsed strictly, edited in place, always written alike."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple
from xml.dom import minidom
from xml.dom.minidom import Node, Text
from xml.parsers import expat
from xml.parsers.expat import ExpatError

from .._errors import StateError

# The published types of minidom change with the checker's version, and call every parent optional.
Document = Any
Element = Any

_STEP = "  "


def parse_json(document: bytes, what: str) -> Dict[str, object]:
    """Parses a JSON object in UTF-8, or in UTF-16 or 32, with a byte order mark or without.

    :raises StateError: for anything else, and for a key that stands twice
    """
    remedy = "repair or remove the file"
    try:
        found = json.loads(document.decode(json.detect_encoding(document)), object_pairs_hook=_unique)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise StateError(f"the {what} document is no JSON ({error})", remedy) from None
    if not isinstance(found, dict):
        raise StateError(f"the {what} document holds no JSON object", remedy)
    return found


def json_bytes(data: object) -> bytes:
    """Returns JSON in UTF-8. Half a surrogate pair, which has no bytes in UTF-8, stays the escape that it was."""
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _unique(pairs: List[Tuple[str, object]]) -> Dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def parse_xml(document: bytes, root: str) -> Document:
    """Parses XML with that root element.

    :raises StateError: for what is not well formed, for another root, and for a document type, since
        entities could hide in it
    """
    remedy = "repair or remove the file"
    try:
        _refuse_doctype(document, root)
        dom: Document = minidom.parseString(document)  # noqa: S318
    except (ExpatError, ValueError, LookupError) as error:
        raise StateError(f"the {root} document is no XML ({error})", remedy) from None
    if dom.documentElement.localName != root:
        raise StateError(f"the document's root is {dom.documentElement.localName}, not {root}", remedy)
    return dom


def _refuse_doctype(document: bytes, root: str) -> None:
    def refuse(*_parts: object) -> None:
        raise StateError(f"the {root} document declares a document type", "remove the declaration")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(document, True)


def xml_bytes(dom: Document) -> bytes:
    """Returns the document in UTF-8, its top level nodes one a line."""
    return "\n".join(
        ['<?xml version="1.0" encoding="utf-8"?>', *(node.toxml() for node in dom.childNodes), ""]
    ).encode()


def children(element: Element, name: str) -> List[Element]:
    """Returns the child elements of that local name."""
    return [node for node in elements(element) if node.localName == name]


def elements(element: Element) -> List[Element]:
    """Returns all child elements."""
    return [node for node in element.childNodes if node.nodeType == Node.ELEMENT_NODE]


def set_text(element: Element, text: str) -> None:
    """Puts a text in the place of all that the element holds."""
    for node in list(element.childNodes):
        element.removeChild(node)
    element.appendChild(element.ownerDocument.createTextNode(text))


def text_of(element: Element) -> str:
    """Returns the element's own text, CDATA sections among it."""
    texts = (Node.TEXT_NODE, Node.CDATA_SECTION_NODE)
    return "".join(node.data for node in element.childNodes if node.nodeType in texts)


def remove(element: Element) -> None:
    """Takes an element out, with the indentation before it."""
    before = element.previousSibling
    if before is not None and _is_space(before):
        element.parentNode.removeChild(before)
    element.parentNode.removeChild(element)


def insert(parent: Element, element: Element, before: Optional[Element], level: int) -> None:
    """Puts a new element, indented to its level, before another one or at the end."""
    anchor = before.previousSibling if before is not None else parent.lastChild
    if anchor is None or not _is_space(anchor):
        anchor = before
    _indent(element, level)
    parent.insertBefore(_space(parent, level), anchor)
    parent.insertBefore(element, anchor)
    if not _is_space(parent.lastChild):
        parent.appendChild(_space(parent, level - 1))


def _indent(element: Element, level: int) -> None:
    nodes = elements(element)
    for node in nodes:
        element.insertBefore(_space(element, level + 1), node)
        _indent(node, level + 1)
    if nodes:
        element.appendChild(_space(element, level))


def _space(element: Element, level: int) -> Element:
    return element.ownerDocument.createTextNode("\n" + _STEP * level)


def _is_space(node: object) -> bool:
    return isinstance(node, Text) and not node.data.strip()
