# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attestation key of a card: restricted, so it signs what the TPM itself states and nothing else."""

from __future__ import annotations

from dataclasses import replace

from .._encoding.blob import Blob
from .._tpm import object as tpm_object
from .._tpm.connection import Tpm
from .._tpm.object import Template
from .record import Record
from .store import Store


def make(tpm: Tpm) -> Blob:
    """Returns a new attestation key under the storage root key. It takes no PIN.

    :raises TpmError: if the TPM refuses
    """
    blob, _creation = tpm_object.create(tpm, tpm.storage_root, Template.attestation())
    return blob


def equip(store: Store, tpm: Tpm, number: int) -> Record:
    """Returns a card's record with its attestation key, which is made if it has none.

    :raises CardGone: if there is no such card
    :raises TpmError: if the TPM refuses
    """
    with store.changing(number):
        record = store.read(number)
        if record.ak is None:
            record = replace(record, ak=make(tpm))
            store.write(record)
    return record
