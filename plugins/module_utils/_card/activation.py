# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second visit on the host: the TPM opens a challenge, the card gets its certificates. No PIN is needed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._encoding.challenge import Challenge, answer, unseal
from .._encoding.payload import Payload
from .._encoding.wire import WireError
from .._errors import HardboundError, StateError
from .._tpm import object as tpm_object
from .._tpm.connection import Tpm
from .._tpm.endorsement import Endorsement, activate, endorsement_key, find_endorsement
from .._tpm.storage_root import storage_root_of
from .errors import CardGone
from .key import slot_number
from .record import Record, State
from .store import Store


@dataclass(frozen=True)
class Activation:
    """What came of a challenge.

    :param changed: whether the card got a certificate that it did not have
    :param answer: 32 bytes; empty if the challenge could not be opened
    :param failure: why not, in a sentence
    """

    card: str
    changed: bool = False
    answer: bytes = b""
    failure: str = ""


def activate_cards(store: Store, tpm: Tpm, challenges: t.Sequence[Challenge]) -> t.List[Activation]:
    """Opens each challenge and stores what it holds. One that fails does not hold the others.

    :raises TpmError: if the TPM has no endorsement key
    """
    with tpm.taken():
        found = find_endorsement(tpm)
        with endorsement_key(tpm, found) as (ek, _public):
            return [_activate(store, tpm, found, ek, challenge) for challenge in challenges]


def _activate(store: Store, tpm: Tpm, endorsement: Endorsement, ek: t.Any, challenge: Challenge) -> Activation:
    try:
        record = _find(store, challenge.card)
        content, said = _open(tpm, endorsement, ek, record, challenge)
        changed = _store(store, record.number, Payload.parse(content))
    except (HardboundError, WireError) as error:
        return Activation(challenge.card, failure=str(error))
    return Activation(challenge.card, changed, said)


def open_challenge(store: Store, tpm: Tpm, challenge: Challenge) -> t.Tuple[bytes, bytes]:
    """Returns what a challenge carries to its card, and the answer to it.

    :raises CardGone: if there is no such card
    :raises TpmError: if the challenge is for another TPM, or another card
    :raises WireError: if it was changed on its way
    """
    with tpm.taken():
        found, record = find_endorsement(tpm), _find(store, challenge.card)
        with endorsement_key(tpm, found) as (ek, _public):
            return _open(tpm, found, ek, record, challenge)


def _find(store: Store, name: str) -> Record:
    for record in store.records():
        if record.state is State.READY and record.name == name:
            return record
    raise CardGone(f"There is no card {name!r} in {store.folder}.")


def _open(tpm: Tpm, endorsement: Endorsement, ek: t.Any, record: Record, challenge: Challenge) -> t.Tuple[bytes, bytes]:
    if record.ak is None:
        raise StateError(f"the card {record.name!r} has no attestation key", "run the enrolment again")
    with tpm_object.loaded(tpm, storage_root_of(tpm, record.storage_root), record.ak) as ak:
        secret = activate(tpm, endorsement.template, ek, ak, challenge.credential)
    content = unseal(secret, challenge.card, challenge.sealed)
    return content, answer(secret, challenge.card, challenge.sealed)


def _store(store: Store, number: int, payload: Payload) -> bool:
    """Writes all certificates in one step; returns whether that changed the card."""
    with store.changing(number):
        record = changed = store.read(number)
        for name, certificate in payload.certificates.items():
            changed = changed.with_certificate(_slot_of(record, name, certificate), certificate)
        for name, certificate in payload.attestations.items():
            changed = changed.with_attestation(_slot_of(record, name, certificate), certificate)
        if payload.attestations:
            changed = replace(changed, attestation_issuer=payload.attestation_issuer)
        changed = replace(changed, ak_certificate=payload.ak_certificate)
        if changed == record:
            return False
        store.write(changed)
        return True


def _slot_of(record: Record, name: str, certificate: bytes) -> int:
    """Returns the slot's number.

    :raises StateError: if the slot has another key by now
    """
    slot = slot_number(name)
    key = record.keys.get(slot)
    if key is None or key.public not in certificate:
        raise StateError(f"the certificate for the slot {name} is not for its key", "run the enrolment again")
    return slot
