# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER as it came: elements keep their original bytes, for those are what was signed. ITU-T X.690, clauses 8 and 10."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from ...module_utils._encoding.der import Tag

_LONGEST_LENGTH = 3
_LONGEST_OID = 128
"""Bytes. Python writes no number of more than 4300 digits."""


class DerError(ValueError):
    """The bytes are no DER, or not the type that was expected."""


@dataclass(frozen=True)
class Element:
    """A tag, its contents, and all its bytes with tag and length."""

    tag: int
    value: bytes
    raw: bytes

    def members(self, tag: int = Tag.SEQUENCE) -> t.List[Element]:
        """Returns the elements inside.

        :raises DerError: if the element has another tag, or no elements inside
        """
        return read_all(self.expect(tag).value)

    def pair(self) -> t.Tuple[Element, Element]:
        """Returns the two elements of a SEQUENCE.

        :raises DerError: if there are more or less
        """
        found = self.members()
        if len(found) != 2:
            raise DerError(f"{len(found)} elements stand where 2 are expected")
        return found[0], found[1]

    def first(self, tag: int = Tag.SEQUENCE) -> Element:
        """Returns the first element inside.

        :raises DerError: if the element has another tag, or none inside
        """
        found = self.members(tag)
        if not found:
            raise DerError("an element is empty")
        return found[0]

    def expect(self, tag: int) -> Element:
        """Returns itself.

        :raises DerError: if it has another tag
        """
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#04x} stands where {tag:#04x} is expected")
        return self

    def integer(self) -> int:
        if not self.expect(Tag.INTEGER).value:
            raise DerError("an integer is empty")
        return int.from_bytes(self.value, "big", signed=True)

    def boolean(self) -> bool:
        if self.expect(Tag.BOOLEAN).value not in (b"\x00", b"\xff"):
            raise DerError("a boolean is neither true nor false")
        return self.value == b"\xff"

    def bits(self) -> bytes:
        """Returns the bytes of a BIT STRING; unused bits at its end are 0."""
        unused, value = self.expect(Tag.BIT_STRING).value[:1], self.value[1:]
        if not unused or unused[0] > 7 or (unused[0] and not value) or (value and value[-1] & (1 << unused[0]) - 1):
            raise DerError("a bit string is malformed")
        return value

    def whole_bytes(self) -> bytes:
        """Returns the bytes of a BIT STRING that has no unused bits, such as a signature."""
        if self.expect(Tag.BIT_STRING).value[:1] != b"\x00":
            raise DerError("a bit string has not whole bytes")
        return self.value[1:]

    def oid(self) -> str:
        """Returns an OBJECT IDENTIFIER with dots."""
        value = self.expect(Tag.OID).value
        if not value or value[-1] & 0x80 or len(value) > _LONGEST_OID:
            raise DerError("an object identifier is cut off or too long")
        arcs, arc = [], 0
        for byte in value:
            arc = arc << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))

    def time(self) -> datetime:
        """Returns a Time of RFC 5280 section 4.1.2.5, GeneralizedTime before 2050 too."""
        text = self.value.decode("ascii", "replace")
        if self.tag == Tag.UTC_TIME and len(text) == 13:
            text = ("20" if text < "5" else "19") + text
        elif self.tag != Tag.GENERALIZED_TIME:
            raise DerError("a time has an unknown form")
        try:
            return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
        except ValueError:
            raise DerError("a time is malformed") from None


def read(data: bytes) -> Element:
    """Returns the one element that fills ``data``.

    :raises DerError: if there is more or less
    """
    element, end = _read(data, 0)
    if end != len(data):
        raise DerError(f"{len(data) - end} bytes follow the end")
    return element


def read_all(data: bytes) -> t.List[Element]:
    """Returns the elements that fill ``data``.

    :raises DerError: if they do not
    """
    elements, at = [], 0
    while at < len(data):
        element, at = _read(data, at)
        elements.append(element)
    return elements


def _read(data: bytes, start: int) -> t.Tuple[Element, int]:
    if len(data) < start + 2:
        raise DerError("an element is cut off")
    tag, size = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise DerError("a tag has several bytes")
    begin = start + 2
    if size >= 0x80:
        size, begin = _long_length(data, begin, size & 0x7F)
    end = begin + size
    if end > len(data):
        raise DerError("an element is cut off")
    return Element(tag, data[begin:end], data[start:end]), end


def _long_length(data: bytes, at: int, count: int) -> t.Tuple[int, int]:
    digits = data[at : at + count]
    size = int.from_bytes(digits, "big")
    if not 1 <= count <= _LONGEST_LENGTH or len(digits) != count or digits[0] == 0 or size < 0x80:
        raise DerError("a length is indefinite, too long or not in its shortest form")
    return size, at + count
