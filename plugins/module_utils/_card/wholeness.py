# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a card is still in its TPM, as it was made."""

from __future__ import annotations

from .._tpm import nv
from .._tpm.connection import Tpm
from .._tpm.storage_root import holds, is_kept
from .record import Record


def is_whole(tpm: Tpm, record: Record) -> bool:
    """Whether storage root key and indices in the TPM are those that the card was made with. Bare commands only, but
    for a card from before store version 3, whose parent is loaded.
    """
    if any(nv.name(tpm, each.handle) != each.name for each in record.model.indices.values()):
        return False
    return is_kept(tpm, record.storage_root) if record.storage_root else holds(tpm, record.parent)
