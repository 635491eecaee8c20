# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a TPM as they lie on disk. Opaque here; only the TPM can open them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Blob:
    """TPM2B_PRIVATE, encrypted by the object's parent, and TPM2B_PUBLIC, both marshalled."""

    private: bytes
    public: bytes


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
