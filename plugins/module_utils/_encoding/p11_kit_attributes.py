# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of objects, as p11-kit writes them: how a value is written depends on the attribute's type.

Both sides have to agree on that: p11-kit 0.24.1 to 0.26.5, ``p11-kit/rpc-message.c``.
"""

from __future__ import annotations

import struct
import typing as t

from .wire import Reader, WireError

_NULL = 0xFFFFFFFF
_DEEPEST = 8  # templates within templates, as p11-kit has it
_SMALLEST_ATTRIBUTE = 5
_SMALLEST_WANTED = 8
_NESTED = 1
"""Programs that offer this version or a later one ask for the members of a template, too."""

_BOOLEANS = frozenset(
    (
        *(0x001, 0x002, 0x086),  # CKA_TOKEN, PRIVATE, TRUSTED
        *range(0x103, 0x10D),  # SENSITIVE to DERIVE
        *range(0x162, 0x166),  # EXTRACTABLE to ALWAYS_SENSITIVE
        *(0x170, 0x171, 0x200, 0x202),  # MODIFIABLE, COPYABLE, SECONDARY_AUTH, ALWAYS_AUTHENTICATE
        *(0x210, 0x301, 0x302, 0x405),  # WRAP_WITH_TRUSTED, RESET_ON_INIT, HAS_RESET, COLOR
    )
)
_NUMBERS = frozenset(
    (
        *(0x000, 0x080, 0x087, 0x088, 0x100, 0x121, 0x133, 0x134),  # CLASS, CERTIFICATE_TYPE to SUB_PRIME_BITS
        *(0x160, 0x161, 0x166, 0x201),  # VALUE_BITS, VALUE_LEN, KEY_GEN_MECHANISM, AUTH_PIN_FLAGS
        *(0x300, 0x400, 0x401, 0x402, 0x403, 0x404, 0x406, 0x500),  # HW_FEATURE_TYPE to MECHANISM_TYPE
    )
)
_TEMPLATES = frozenset((0x40000211, 0x40000212, 0x40000213))  # WRAP, UNWRAP, DERIVE
_MECHANISMS = 0x40000600  # ALLOWED_MECHANISMS

Value = t.Union[bool, int, bytes]


class Attribute(t.NamedTuple):
    """:param type: CK_ATTRIBUTE_TYPE
    :param value: None where there is none to tell
    """

    type: int
    value: t.Optional[Value]


class WantedAttribute(t.NamedTuple):
    """An attribute that a program wants to know, and the bytes that it has room for; 0 if it asks for the size."""

    type: int
    room: int


def read_attributes(reader: Reader, depth: int = 0) -> t.Tuple[Attribute, ...]:
    """Returns the next template.

    :raises WireError: if it is malformed or too deep
    """
    count = _count(reader, _SMALLEST_ATTRIBUTE)
    return tuple(_read_attribute(reader, depth) for _unused in range(count))


def _count(reader: Reader, smallest: int) -> int:
    """A count that the rest of the request has no room for is refused before it is believed."""
    count = reader.u32()
    if count * smallest > reader.left:
        raise reader.fault(f"counts {count} members, for which it is too short")
    return count


def _read_attribute(reader: Reader, depth: int) -> Attribute:
    kind = reader.u32()
    if not reader.u8():
        return Attribute(kind, None)
    size = reader.u32()
    value = _read_value(reader, kind, depth)
    return Attribute(kind, value if size or isinstance(value, bytes) else b"")


def _read_value(reader: Reader, kind: int, depth: int) -> Value:
    if kind in _BOOLEANS:
        return bool(reader.u8())
    if kind in _NUMBERS:
        return reader.u64()
    if kind == _MECHANISMS:
        return reader.take(8 * _count(reader, 8))
    if kind in _TEMPLATES:
        return _skip_template(reader, depth)
    size = reader.u32()
    return b"" if size == _NULL else reader.take(size)


def _skip_template(reader: Reader, depth: int) -> bytes:
    """No object of a card has one, so what is in it does not matter."""
    if depth >= _DEEPEST:
        raise reader.fault("has templates within templates too deep")
    read_attributes(reader, depth + 1)
    return b""


def read_wanted(reader: Reader, version: int, depth: int = 0) -> t.Tuple[WantedAttribute, ...]:
    """Returns the attributes that a program wants, those of a template beside it.

    :param version: what the program has offered
    :raises WireError: if it is malformed or too deep
    """
    if depth > _DEEPEST:
        raise reader.fault("asks for templates within templates too deep")
    wanted = []
    for _unused in range(_count(reader, _SMALLEST_WANTED)):
        each = WantedAttribute(reader.u32(), reader.u32())
        if version >= _NESTED and each.type in _TEMPLATES and each.room:
            read_wanted(reader, version, depth + 1)
        wanted.append(each)
    return tuple(wanted)


def write_attributes(attributes: t.Sequence[Attribute]) -> bytes:
    """Returns a template."""
    return struct.pack(">I", len(attributes)) + b"".join(map(_attribute, attributes))


def _attribute(attribute: Attribute) -> bytes:
    start = struct.pack(">IB", attribute.type, attribute.value is not None)
    return start if attribute.value is None else start + _sized_value(attribute.type, attribute.value)


def _sized_value(kind: int, value: Value) -> bytes:
    """:raises WireError: for a value of another type than the attribute has"""
    size = struct.pack(">I", memory_size(value))
    if isinstance(value, bool) and kind in _BOOLEANS:
        return size + bytes((value,))
    if isinstance(value, bytes):
        if kind == _MECHANISMS:
            return size + struct.pack(">I", len(value) // 8) + value
        if kind not in _BOOLEANS | _NUMBERS | _TEMPLATES:
            return size + struct.pack(">I", len(value)) + value
    elif isinstance(value, int) and kind in _NUMBERS:
        return size + struct.pack(">Q", value)
    raise WireError(f"the attribute {kind:#x} has no value of type {type(value).__name__}")


def memory_size(value: Value) -> int:
    """Returns the bytes that a value takes in the program's memory."""
    if isinstance(value, bytes):
        return len(value)
    return 1 if isinstance(value, bool) else 8
