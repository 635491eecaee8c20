# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few DER types that are written here: ITU-T X.690, clause 8 to 10."""

from __future__ import annotations

import enum

from .tlv import encode


class Tag(enum.IntEnum):
    """Universal tags, ITU-T X.680 clause 8.4; sequence and set with the constructed bit."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OID = 0x06
    UTF8_STRING = 0x0C
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    GENERAL_STRING = 0x1B
    SEQUENCE = 0x30
    SET = 0x31


CONTEXT_CONSTRUCTED = 0xA0
"""Of ``[0]``; the number is added."""


def sequence(*members: bytes) -> bytes:
    return encode(Tag.SEQUENCE, *members)


def explicit(number: int, *contents: bytes) -> bytes:
    """Returns the contents in a context-specific constructed tag, ``[number]``."""
    return encode(CONTEXT_CONSTRUCTED | number, *contents)


def integer(value: int) -> bytes:
    """Returns a non-negative INTEGER; a leading zero byte keeps the sign bit clear."""
    return encode(Tag.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    return encode(Tag.OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """Returns a BIT STRING of whole bytes."""
    return encode(Tag.BIT_STRING, b"\x00", value)


def oid(dotted: str) -> bytes:
    """Returns an OBJECT IDENTIFIER, such as ``1.3.6.1.5.2.2``: clause 8.19."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(Tag.OID, *(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc > 0x7F:
        arc >>= 7
        digits.append(0x80 | (arc & 0x7F))
    return bytes(reversed(digits))
