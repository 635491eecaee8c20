# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shows of its cards: what the TPM states of them, over a nonce. No PIN is needed for it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._encoding import command as wire
from .._encoding.blob import Blob
from .._encoding.evidence import CardEvidence, Evidence, IndexEvidence, KeyEvidence
from .._encoding.policy import Command
from .._encoding.wire import unsized
from .._tpm.certify import certify_creation, certify_index
from .._tpm.connection import Tpm
from .._tpm.endorsement import endorsement_public, find_endorsement
from .._tpm.object import placed
from .._tpm.storage_root import storage_root_handle, storage_root_public
from .attestation_key import make
from .key import slot_name
from .model import Model, Role
from .record import Record
from .store import Store

_SHOWN = (Role.PIN, Role.PUK, Role.POLICY)
"""The indices that decide over the PIN."""


@dataclass(frozen=True)
class Question:
    """What is asked about one card.

    :param number: the card
    :param nonce: what its statements are made over
    :param slots: the keys to show; one that is not there, or was not made in the TPM, is not shown
    """

    number: int
    nonce: bytes
    slots: t.FrozenSet[int]


def collect(store: Store, tpm: Tpm, questions: t.Sequence[Question]) -> Evidence:
    """Returns the evidence for a host's cards, and changes nothing.

    A card without an attestation key gets one for this evidence alone, which nobody keeps.

    :raises TpmError: if the TPM refuses
    :raises CardGone: if there is no such card
    """
    with tpm.taken():
        found = find_endorsement(tpm)
        ek = endorsement_public(tpm, found)
        cards = tuple(show_card(tpm, _equipped(tpm, store.read(each.number)), each) for each in questions)
        root = storage_root_public(tpm)
        return Evidence(ek, found.certificates, root, cards)


def _equipped(tpm: Tpm, record: Record) -> Record:
    return record if record.ak is not None else replace(record, ak=make(tpm, record.storage_root))


def show_card(tpm: Tpm, record: Record, question: Question) -> CardEvidence:
    """Returns the evidence for one card that has an attestation key.

    :raises TpmError: if the TPM refuses
    """
    model = record.model
    ak_blob = t.cast(Blob, record.ak)
    parent = storage_root_handle(tpm, record.storage_root)
    with placed(tpm, wire.load(parent, ak_blob.private, ak_blob.public)) as ak:
        indices = {
            role.name.lower(): _index(tpm, ak, model, role, question.nonce) for role in _SHOWN if role in model.indices
        }
        return CardEvidence(
            name=record.name,
            first_handle=record.first_handle,
            genesis=record.genesis,
            puk=model.has_puk,
            admin=model.has_admin,
            ak=_unsized(ak_blob.public),
            parent=_unsized(record.parent.public),
            indices=indices,
            keys=tuple(_keys(tpm, ak, record, question)),
            genesis_proof=record.genesis_proof,
        )


def _index(tpm: Tpm, ak: int, model: Model, role: Role, nonce: bytes) -> IndexEvidence:
    index = model.indices[role]
    policy = None if role is Role.POLICY else index.authorise(model.open_to_all(Command.NV_CERTIFY))
    return certify_index(tpm, ak, index.handle, index.size, nonce, policy)


def _keys(tpm: Tpm, ak: int, record: Record, question: Question) -> t.Iterator[KeyEvidence]:
    for slot, key in sorted(record.keys.items()):
        if slot in question.slots and not key.imported:
            statement = certify_creation(tpm, ak, key.blob, key.creation, question.nonce)
            creation = unsized(key.creation.data, "TPM2B_CREATION_DATA")
            yield KeyEvidence(slot_name(slot), _unsized(key.blob.public), creation, statement)


def _unsized(public: bytes) -> bytes:
    return unsized(public, "TPM2B_PUBLIC")
