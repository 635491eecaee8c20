# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of TPM entities: TPM 2.0 part 1, clause 16. Always with SHA-256 as the name algorithm."""

from __future__ import annotations

import hashlib
import struct

from .algorithm import Algorithm

NV_WRITTEN = 1 << 29
"""TPMA_NV_WRITTEN: TPM 2.0 part 2, clause 13.4."""


def digest(*parts: bytes) -> bytes:
    """Returns the SHA-256 of the parts in a row, 32 bytes."""
    return hashlib.sha256(b"".join(parts)).digest()


def object_name(public: bytes) -> bytes:
    """Returns the 34-byte Name of an object from its marshalled TPMT_PUBLIC."""
    return struct.pack(">H", Algorithm.SHA256) + digest(public)


def nv_public(handle: int, attributes: int, policy: bytes, size: int) -> bytes:
    """Returns a marshalled TPMS_NV_PUBLIC: TPM 2.0 part 2, clause 13.5."""
    return struct.pack(">IHIH", handle, Algorithm.SHA256, attributes, len(policy)) + policy + struct.pack(">H", size)


def nv_name(handle: int, attributes: int, policy: bytes, size: int) -> bytes:
    """Returns the 34-byte Name of an NV index that has been written."""
    return object_name(nv_public(handle, attributes | NV_WRITTEN, policy, size))
