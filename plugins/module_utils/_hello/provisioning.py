# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy as a provisioning package's ``customizations.xml``, and reads it back.

The schema (Windows Configuration Designer) knows one setting: ``WindowsHelloForBusiness/SecurityKeys``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import List, Optional

from .catalogue_device import USE_SECURITY_KEY_FOR_SIGNIN
from .document import Document, Element, children, insert, parse_xml, remove, set_text, text_of, xml_bytes
from .setting import Model, Setting, SettingState
from .slots import SWITCH, from_slots, to_slots
from .writer import DEFAULT_TITLE, Objection

_ROOT = "WindowsCustomizations"
_PACKAGE = "urn:schemas-Microsoft-com:Windows-ICD-Package-Config.v1.0"
_SETTINGS = "urn:schemas-microsoft-com:windows-provisioning"
_PATH = ("Settings", "Customizations", "Common", "WindowsHelloForBusiness", "SecurityKeys")


@dataclass(frozen=True)
class Provisioning:
    """A ``customizations.xml``. The package's id comes from its ``title``, so that each run writes the same."""

    title: str = DEFAULT_TITLE

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        if setting is USE_SECURITY_KEY_FOR_SIGNIN:
            return None
        return Objection("is not in the schema of provisioning packages, which knows security keys only")

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        found = _keys(parse_xml(document, _ROOT)) if document else []
        if not found:
            return {}
        text = text_of(found[0]).strip()
        state = from_slots(USE_SECURITY_KEY_FOR_SIGNIN, {SWITCH: int(text) if text in ("0", "1") else text})
        return {} if state is None else {USE_SECURITY_KEY_FOR_SIGNIN.name: state}

    def render(self, changes: Model, document: bytes) -> bytes:
        dom = parse_xml(document or self._empty(), _ROOT)
        state = changes.get(USE_SECURITY_KEY_FOR_SIGNIN.name)
        if state is None:
            return xml_bytes(dom)
        slots = to_slots(USE_SECURITY_KEY_FOR_SIGNIN, state)
        for element in _keys(dom)[1 if slots else 0 :]:
            remove(element)
        if slots:
            set_text(_descend(dom, _PATH), str(slots[SWITCH]))
        return xml_bytes(dom)

    def _empty(self) -> bytes:
        dom = parse_xml(f"<{_ROOT}/>".encode(), _ROOT)
        package = dom.createElementNS(_PACKAGE, "PackageConfig")
        package.setAttribute("xmlns", _PACKAGE)
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{_PACKAGE}:{self.title}")
        parts = (
            ("ID", f"{{{identity}}}"),
            ("Name", self.title),
            ("Version", "1.0"),
            ("OwnerType", "ITAdmin"),
            ("Rank", "0"),
        )
        for name, text in parts:
            package.appendChild(dom.createElementNS(_PACKAGE, name)).appendChild(dom.createTextNode(text))
        insert(dom.documentElement, package, None, level=1)
        return xml_bytes(dom)


def _keys(dom: Document) -> List[Element]:
    found = [dom.documentElement]
    for name in _PATH:
        found = [child for element in found for child in children(element, name)]
    return found


def _descend(dom: Document, path: tuple[str, ...]) -> Element:
    """Returns the element at that path, made where it is missing."""
    element = dom.documentElement
    for level, name in enumerate(path, start=1):
        found = children(element, name)
        child = found[0] if found else dom.createElementNS(_SETTINGS, name)
        if not found:
            if level == 1:
                child.setAttribute("xmlns", _SETTINGS)
            insert(element, child, None, level)
        element = child
    return element
