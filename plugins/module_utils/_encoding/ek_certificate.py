# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EK certificates as they lie in NV: where they end, and what of them tells a host which of its EKs to show.

Nothing here decides whether a certificate is good: the controller does.
"""

from __future__ import annotations

import typing as t

from .der import Tag
from .ek_template import EkTemplate
from .public import EccArea

_LONG_FORM = 0x82
"""The length follows in two bytes: X.690, clause 8.1.3.5."""
_HEADER = 4
_KEY_USAGE = bytes.fromhex("0603551d0f")
_CRITICAL = bytes.fromhex("0101ff")
_KEY_ENCIPHERMENT, _KEY_AGREEMENT = 0x20, 0x08
"""KeyUsage, in its first byte: RFC 5280, section 4.2.1.3."""


def cut_certificate(data: bytes) -> bytes:
    """Returns the DER certificate at the start of an NV index, which is often padded.

    Some makers put it into an OCTET STRING. Returns nothing if none begins there, or if it is cut off.
    """
    wrapped = _cut(data, Tag.OCTET_STRING)
    return _cut(wrapped[_HEADER:] or data, Tag.SEQUENCE)


def cut_certificates(data: bytes) -> t.Tuple[bytes, ...]:
    """Returns the DER certificates that stand one after another, each in an OCTET STRING or not."""
    found: t.List[bytes] = []
    while True:
        certificate = cut_certificate(data)
        if not certificate:
            return tuple(found)
        found.append(certificate)
        data = data[len(_cut(data, Tag.OCTET_STRING) or certificate) :]


def _cut(data: bytes, tag: int) -> bytes:
    if len(data) < _HEADER or data[0] != tag or data[1] != _LONG_FORM:
        return b""
    size = _HEADER + int.from_bytes(data[2:_HEADER], "big")
    return data[:size] if size <= len(data) else b""


def suits(certificate: bytes, template: EkTemplate) -> bool:
    """Whether the certificate's key usage is that of such an EK: TCG EK Credential Profile 2.5, clause 3.

    One that can't be found is taken for right.
    """
    _before, found, after = certificate.partition(_KEY_USAGE)
    after = after[len(_CRITICAL) :] if after.startswith(_CRITICAL) else after
    # OCTET STRING, its size, BIT STRING, its size, how many bits are not used, the bits
    if not found or len(after) < 6 or after[0] != Tag.OCTET_STRING:
        return True
    wanted = _KEY_AGREEMENT if isinstance(template.public.area, EccArea) else _KEY_ENCIPHERMENT
    return bool(after[5] & wanted)
