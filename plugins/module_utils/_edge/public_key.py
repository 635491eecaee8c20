# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys as cards tell them: the public key template of ISO/IEC 7816-8, clause 9.3."""

from __future__ import annotations

import enum
import typing as t

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
    """Returns the data objects of a public key."""
    if not key.algorithm.is_rsa:
        return encode(PublicKey.POINT, subject_public_key(key))
    modulus, exponent = rsa_numbers(key)
    return encode(PublicKey.MODULUS, modulus) + encode(PublicKey.EXPONENT, exponent)


def rsa_numbers(key: Key) -> t.Tuple[bytes, bytes]:
    """Returns modulus, without a leading zero, and exponent of an RSA key: RFC 3279, clause 2.3.1."""
    modulus, exponent = parse(parse_one(subject_public_key(key), Tag.SEQUENCE))
    return modulus.value.lstrip(b"\0"), exponent.value


def subject_public_key(key: Key) -> bytes:
    """Returns what a SubjectPublicKeyInfo is about, of an elliptic curve's key the point: RFC 5280, clause 4.1."""
    _unused, bit_string = parse(parse_one(key.public, Tag.SEQUENCE))
    return bit_string.value[1:]  # after the count of unused bits
