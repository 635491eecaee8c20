# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH's key revocation list: PROTOCOL.krl. sshd takes it in ``RevokedKeys``.

A list of lines can't do: sshd compares public keys with those, so the line of one certificate refuses each certificate
for its key.
"""

from __future__ import annotations

import struct
import typing as t

MAGIC = b"SSHKRL\n\0"
FORMAT = 1
CERTIFICATES, EXPLICIT_KEY = 1, 2
"""Sections."""
SERIAL_LIST = 0x20
"""A section within :data:`CERTIFICATES`."""


def build(version: int, at: int, serials: t.Sequence[int], keys: t.Sequence[bytes]) -> bytes:
    """Returns a list.

    :param version: rises from list to list
    :param at: seconds since 1970
    :param serials: of certificates, by whichever CA: ours are 64 random bits
    :param keys: public keys in their wire form; each is refused, and every certificate for it
    """
    head = MAGIC + struct.pack(">IQQQ", FORMAT, version, at, 0) + string(b"") + string(b"")
    numbers = b"".join(struct.pack(">Q", each) for each in serials)
    blobs = b"".join(string(each) for each in keys)
    listed = string(b"") + string(b"") + _section(SERIAL_LIST, numbers)
    return (
        head + (_section(CERTIFICATES, listed) if serials else b"") + (_section(EXPLICIT_KEY, blobs) if keys else b"")
    )


def _section(kind: int, data: bytes) -> bytes:
    return struct.pack(">B", kind) + string(data)


def string(value: bytes) -> bytes:
    """RFC 4251 section 5."""
    return len(value).to_bytes(4, "big") + value
