# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attestation key of a card: restricted, so it signs what the TPM itself states and nothing else."""

from __future__ import annotations

from dataclasses import replace

from .._encoding.blob import Blob
from .._encoding.evidence import GENESIS_NONCE, GenesisEvidence
from .._encoding.wire import unsized
from .._tpm import object as tpm_object
from .._tpm.certify import certify_loaded
from .._tpm.connection import Tpm
from .._tpm.object import Passing
from .._tpm.storage_root import storage_root_of
from .._tpm.template import Template
from .record import Record
from .store import Store


def make(tpm: Tpm, root: bytes) -> Blob:
    """Returns a new attestation key under the storage root key. It takes no PIN.

    :param root: Name of the card's storage root key, as its record has it

    :raises TpmError: if the TPM refuses
    """
    blob, _creation = tpm_object.create(tpm, storage_root_of(tpm, root), Template.attestation())
    return blob


def prove_genesis(tpm: Tpm, ak: Blob, genesis: Passing) -> GenesisEvidence:
    """Returns what the attestation key states of a genesis object, which is there for a moment only.

    The statement shows the hierarchy, which no Name does, and how often the TPM had been reset by then.
    """
    with tpm_object.loaded(tpm, tpm.storage_root(), ak) as key:
        statement = certify_loaded(tpm, tpm.handle(key), tpm.handle(genesis.entity), genesis.creation, GENESIS_NONCE)
    public = unsized(genesis.public, "TPM2B_PUBLIC")
    return GenesisEvidence(public, unsized(genesis.creation.data, "TPM2B_CREATION_DATA"), statement)


def equip(store: Store, tpm: Tpm, number: int) -> Record:
    """Returns a card's record with its attestation key, which is made if it has none: before store version 3.

    :raises CardGone: if there is no such card
    :raises TpmError: if the TPM refuses
    """
    with store.changing(number):
        record = store.read(number)
        if record.ak is None:
            record = replace(record, ak=make(tpm, record.storage_root))
            store.write(record)
    return record
