# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File control information: ISO/IEC 7816-4, clause 7.4."""

from __future__ import annotations

import enum
import typing as t

from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from .reference import ACCESSES, ADMIN_KEY_REFERENCE, AID, Access, File, Use


class Return(enum.IntEnum):
    """What SELECT shall return: bits 3 and 4 of P2, ISO/IEC 7816-4."""

    INFORMATION = 0x00
    PARAMETERS = 0x04
    NOTHING = 0x0C


_PARAMETERS = 0x62
_DESCRIPTOR = 0x82
_IDENTIFIER = 0x83
_SECURITY = 0x8C
_MECHANISMS = 0xA5
_KNOWN = frozenset((_DESCRIPTOR, _IDENTIFIER, _SECURITY, _MECHANISMS))
_OF_APPLICATION = b"\x38"
_OF_OBJECTS = b"\x39"
_OF_KEY = b"\x18"
_PUT_AND_GET = 0x03  # access mode byte: two security condition bytes follow
_KEY_SECURITY = bytes.fromhex("8F10101000")  # the PIN to generate, delete and use; everybody reads the public half
_ADMIN_KEY_SECURITY = bytes((0x87, Access.EVERYONE, Access.ADMINISTRATOR, Access.NOBODY))
_TRIPLE_DES = 0x02

# Application template: ISO/IEC 7816-4, clause 12.2.3. Mechanisms C0: external and mutual authentication.
_APPLICATION = encode(0x61, encode(0x4F, AID), encode(0x73, encode(0x40, b"\xc0")))


def describe(file: int, wanted: int) -> bytes:
    """Answers SELECT.

    :param wanted: its P2
    :raises ApduError: 6A86 if it is unknown
    """
    if wanted == Return.NOTHING:
        return b""
    if wanted not in tuple(Return):
        raise ApduError(StatusWord.INCORRECT_P1_P2)
    if file == File.APPLICATION and wanted == Return.INFORMATION:
        return _APPLICATION
    return parameters(file)


def parameters(file: int) -> bytes:
    """Returns a file's control parameters."""
    if file == File.APPLICATION:
        both = bytes((_PUT_AND_GET, Access.EITHER, Access.EITHER))
        return encode(_PARAMETERS, encode(_DESCRIPTOR, _OF_APPLICATION), encode(_SECURITY, both))
    name = encode(_IDENTIFIER, file.to_bytes(2, "big"))
    if file in ACCESSES:
        security = encode(_SECURITY, bytes((_PUT_AND_GET, *ACCESSES[file])))
        return encode(_PARAMETERS, encode(_DESCRIPTOR, _OF_OBJECTS), name, security)
    descriptor = encode(_DESCRIPTOR, _OF_KEY)
    if file != File.ADMIN_KEY:
        return encode(_PARAMETERS, descriptor, name, encode(_SECURITY, _KEY_SECURITY))
    use = encode(0x80, bytes((_TRIPLE_DES,))) + encode(0x83, bytes((ADMIN_KEY_REFERENCE,))) + encode(0x95, b"\xc0")
    mechanisms = encode(_MECHANISMS, encode(Use.AUTHENTICATION, use))
    return encode(_PARAMETERS, descriptor, name, encode(_SECURITY, _ADMIN_KEY_SECURITY), mechanisms)


def identifier(data: bytes) -> int:
    """Returns which file a program means to create.

    :raises ApduError: 6A80 if it is not said
    :raises TlvError: if the parameters are malformed
    """
    value = _asked(data).get(_IDENTIFIER, b"")
    if len(value) != 2:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return int.from_bytes(value, "big")


def check_key_file(data: bytes) -> None:
    """Checks that a key's file is asked for as this card has them: the TPM holds no other access rules.

    :raises ApduError: 6A81 for a file of another kind, or with other access rules
    """
    asked = {_SECURITY: _KEY_SECURITY, **_asked(data)}
    if set(asked) - _KNOWN or asked.get(_DESCRIPTOR) != _OF_KEY or asked[_SECURITY] != _KEY_SECURITY:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)


def _asked(data: bytes) -> t.Mapping[int, bytes]:
    return parse_distinct(parse_one(data, _PARAMETERS))
