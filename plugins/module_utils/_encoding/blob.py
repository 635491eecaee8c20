# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a TPM as they lie on disk. Opaque here; only the TPM can open them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_ATTRIBUTES_AT = 6
"""In a TPM2B_PUBLIC, after its size, the type and the nameAlg: TPM 2.0 part 2, clause 12.2.4."""


@dataclass(frozen=True)
class Blob:
    """TPM2B_PRIVATE, encrypted by the object's parent, and TPM2B_PUBLIC, both marshalled."""

    private: bytes
    public: bytes

    @property
    def attributes(self) -> int:
        """The object's TPMA_OBJECT."""
        return int(struct.unpack_from(">I", self.public, _ATTRIBUTES_AT)[0])


@dataclass(frozen=True)
class Creation:
    """What the TPM says of how an object was made, each marshalled.

    :param data: TPM2B_CREATION_DATA
    :param hash: TPM2B_DIGEST of it
    :param ticket: TPMT_TK_CREATION, with which this TPM recognises the hash
    """

    data: bytes
    hash: bytes
    ticket: bytes


NO_CREATION = Creation(b"", b"", b"")
"""Of an object that no TPM made."""
