# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BER-TLV data objects with definite lengths: ISO/IEC 7816-4, clause 6.3; X.690, clause 8.1."""

from __future__ import annotations

import typing as t

_MORE_TAG_BYTES = 0x1F  # in the first byte: all ones say that the tag goes on
_LONGEST_TAG = 4
_LONGEST_LENGTH = 4  # bytes after 81 to 84


class TlvError(ValueError):
    """The bytes are no data objects. The message never holds any of them."""


class Tlv(t.NamedTuple):
    """One data object. The tag is the number that its bytes make, such as ``0x5FC105``."""

    tag: int
    value: bytes


def parse(data: bytes) -> t.List[Tlv]:
    """Returns the data objects that fill ``data`` to its last byte.

    A length may take more bytes than it needs, as X.690 permits and clients do.

    :raises TlvError: if a tag, a length or a value is cut short, or a length is indefinite
    """
    objects = []
    position = 0
    while position < len(data):
        tag, position = _tag(data, position)
        length, position = _length(data, position)
        end = position + length
        if end > len(data):
            raise TlvError("the value is shorter than its length says")
        objects.append(Tlv(tag, bytes(data[position:end])))
        position = end
    return objects


def parse_one(data: bytes, tag: int) -> bytes:
    """Returns the value of the only data object in ``data``.

    :raises TlvError: also if there is another number of objects, or another tag
    """
    objects = parse(data)
    if len(objects) != 1 or objects[0].tag != tag:
        raise TlvError(f"expected one data object {tag:X}")
    return objects[0].value


def parse_distinct(data: bytes) -> t.Dict[int, bytes]:
    """Returns the values by tag.

    :raises TlvError: also if a tag comes twice
    """
    objects = parse(data)
    values = dict(objects)
    if len(values) != len(objects):
        raise TlvError("a tag comes twice")
    return values


def encode(tag: int, *values: bytes) -> bytes:
    """Returns a data object whose value is the values one after the other, the length as short as it can be."""
    value = b"".join(values)
    return encode_tag(tag) + _encode_length(len(value)) + value


def encode_tag(tag: int) -> bytes:
    """Returns the bytes of a tag."""
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def _tag(data: bytes, position: int) -> t.Tuple[int, int]:
    end = position + 1
    if data[position] & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        end = _tag_end(data, end)
    tag = int.from_bytes(data[position:end], "big")
    if not data[position]:
        raise TlvError("00 is no tag")
    return tag, end


def _tag_end(data: bytes, position: int) -> int:
    """Returns where a tag of several bytes ends: bit 8 of each but the last is set."""
    for end in range(position, min(position + _LONGEST_TAG - 1, len(data))):
        if not data[end] & 0x80:
            return end + 1
    raise TlvError("the tag is cut short or too long")


def _length(data: bytes, position: int) -> t.Tuple[int, int]:
    if position >= len(data):
        raise TlvError("the length is missing")
    first = data[position]
    position += 1
    if first < 0x80:
        return first, position
    end = position + (first & 0x7F)
    if not position < end <= position + _LONGEST_LENGTH:
        raise TlvError("the length is indefinite or too long")
    if end > len(data):
        raise TlvError("the length is cut short")
    return int.from_bytes(data[position:end], "big"), end


def _encode_length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets
