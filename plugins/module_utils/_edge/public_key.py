# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys as cards tell them: the public key template of ISO/IEC 7816-8, clause 9.3."""

from __future__ import annotations

import enum

from .._card.key import Key
from .._encoding.der import Tag
from .._encoding.tlv import encode, parse, parse_one

TEMPLATE = 0x7F49


class PublicKey(enum.IntEnum):
    """Data objects in the template: SP 800-73-4 part 2, table 11."""

    MODULUS = 0x81
    EXPONENT = 0x82
    POINT = 0x86


def public_key(key: Key) -> bytes:
    """Returns the data objects of a public key.

    They are cut out of the SubjectPublicKeyInfo (RFC 5280, clause 4.1; RFC 3279, clause 2.3).
    """
    _unused, bit_string = parse(parse_one(key.public, Tag.SEQUENCE))
    content = bit_string.value[1:]  # after the count of unused bits
    if not key.algorithm.is_rsa:
        return encode(PublicKey.POINT, content)
    modulus, exponent = parse(parse_one(content, Tag.SEQUENCE))
    return encode(PublicKey.MODULUS, modulus.value.lstrip(b"\0")) + encode(PublicKey.EXPONENT, exponent.value)
