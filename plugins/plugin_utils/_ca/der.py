# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few DER types that a certificate needs and cryptography does not write: ITU-T X.690, clause 8 to 10."""

from __future__ import annotations

import enum

from ...module_utils._encoding.oid import encode_oid


class Tag(enum.IntEnum):
    """Universal tags, ITU-T X.680 clause 8.4; sequence and set with the constructed bit."""

    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    UTF8_STRING = 0x0C
    GENERAL_STRING = 0x1B
    SEQUENCE = 0x30
    SET = 0x31


CONTEXT_CONSTRUCTED = 0xA0


def tlv(tag: int, *contents: bytes) -> bytes:
    """Returns tag, definite length in its shortest form, and the contents joined."""
    value = b"".join(contents)
    return bytes([tag]) + _length(len(value)) + value


def sequence(*members: bytes) -> bytes:
    return tlv(Tag.SEQUENCE, *members)


def explicit(number: int, *contents: bytes) -> bytes:
    """Returns the contents in a context-specific constructed tag, ``[number]``."""
    return tlv(CONTEXT_CONSTRUCTED | number, *contents)


def integer(value: int) -> bytes:
    """Returns a non-negative INTEGER; a leading zero byte keeps the sign bit clear."""
    return tlv(Tag.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    return tlv(Tag.OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """Returns a BIT STRING of whole bytes."""
    return tlv(Tag.BIT_STRING, b"\x00", value)


def oid(dotted: str) -> bytes:
    """Returns an OBJECT IDENTIFIER, such as ``1.3.6.1.5.2.2``."""
    return encode_oid(dotted)


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes([count])
    size = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size)]) + size
