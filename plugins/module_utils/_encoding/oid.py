# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Object identifiers in DER: X.690, clause 8.19."""

from __future__ import annotations

from .tlv import encode

_TAG = 0x06


def encode_oid(dotted: str) -> bytes:
    """Returns an OBJECT IDENTIFIER, such as ``1.3.6.1.5.2.2``."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(_TAG, *(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc > 0x7F:
        arc >>= 7
        digits.append(0x80 | (arc & 0x7F))
    return bytes(reversed(digits))
