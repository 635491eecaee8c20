# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data objects of PIV, as a program of PKCS#11 sees them: SP 800-73-4 part 1, table 3."""

from __future__ import annotations

import typing as t

from ..._card.edge import Edge
from ..._encoding import der
from ..._encoding.apdu import ApduError
from ..._encoding.tlv import encode
from ..card import Card
from ..piv import objects as piv
from ..piv.reference import PIN_PROTECTED, Object
from .attributes import Attributes
from .reference import Cka, ObjectClass

_FIRST_HANDLE = 0x600 << 3
"""No slot has handles from here on for as long as this table may get."""
_STEP = 8
_TAG_LIST = 0x5C

_PIV: t.Mapping[int, t.Tuple[str, str]] = {
    Object.CAPABILITY_CONTAINER: ("2.16.840.1.101.3.7.1.219.0", "Card Capability Container"),
    Object.CHUID: ("2.16.840.1.101.3.7.2.48.0", "Card Holder Unique Identifier"),
    Object.FINGERPRINTS: ("2.16.840.1.101.3.7.2.96.16", "Cardholder Fingerprints"),
    Object.PRINTED_INFORMATION: ("2.16.840.1.101.3.7.2.48.1", "Printed Information"),
    Object.FACIAL_IMAGE: ("2.16.840.1.101.3.7.2.96.48", "Cardholder Facial Image"),
    Object.SECURITY: ("2.16.840.1.101.3.7.2.144.0", "Security Object"),
    Object.DISCOVERY: ("2.16.840.1.101.3.7.2.96.80", "Discovery Object"),
}
"""Object identifier and label of each, the label as OpenSC gives it."""
_OBJECTS: t.Mapping[Edge, t.Mapping[int, t.Tuple[str, str]]] = {Edge.PIV: _PIV}


def visible(card: Card, to_user: bool) -> t.Dict[int, Attributes]:
    """Returns the data objects that a card holds, by handle.

    :param to_user: whether those are wanted, too, that take the PIN
    """
    found = {}
    for at, (tag, (oid, label)) in enumerate(_OBJECTS.get(card.edge, {}).items()):
        if tag in PIN_PROTECTED and not to_user:
            continue
        value = _value(card, tag)
        if value is not None:
            found[_FIRST_HANDLE + at * _STEP] = _attributes(tag, oid, label, value)
    return found


def _value(card: Card, tag: int) -> t.Optional[bytes]:
    """Returns what GET DATA would, or None."""
    try:
        return piv.read(card, encode(_TAG_LIST, tag.to_bytes((tag.bit_length() + 7) // 8, "big")))
    except ApduError:
        return None


def _attributes(tag: int, oid: str, label: str, value: bytes) -> Attributes:
    return {
        Cka.CLASS: int(ObjectClass.DATA),
        Cka.TOKEN: True,
        Cka.PRIVATE: tag in PIN_PROTECTED,
        Cka.MODIFIABLE: False,
        Cka.COPYABLE: False,
        Cka.LABEL: label.encode(),
        Cka.APPLICATION: label.encode(),
        Cka.OBJECT_ID: der.oid(oid),
        Cka.VALUE: value,
    }
