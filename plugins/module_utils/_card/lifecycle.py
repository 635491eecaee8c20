# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a card: made, recovered after an interruption, destroyed.

What is about to be made in the TPM is written to disk first, and what is about to be removed is
marked there first. So a run that is killed at any point leaves a record by which the next one
removes the remains.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from dataclasses import replace

from .._encoding import command as wire
from .._encoding.blob import Blob
from .._encoding.name import nv_public, object_name
from .._errors import StateError
from .._tpm import nv
from .._tpm import object as tpm_object
from .._tpm.connection import Tpm
from .._tpm.session import Given
from .._tpm.template import Template
from .admin_gate import CARD_KEY_SIZE, answer_auth
from .admin_key import AdminChallenge, AdminKey
from .attestation_key import make as make_attestation_key
from .attestation_key import prove_genesis
from .derivation import forgotten
from .gate import Gates
from .model import COUNTER_SIZE, HANDLES_PER_CARD, SECRET_SIZE, Index, Role, counter_data
from .pin_record import PinRecord, remembered
from .readiness import check_host_policy
from .record import Administration, Record, State, free_number
from .recovery import Recovery
from .recovery_half import keep
from .specification import Secrets, Specification
from .store import Store

FIRST_HANDLE = 0x01815000
"""In the range that TCG's Registry of Reserved TPM 2.0 Handles leaves to owners."""
MOST_CARDS_IN_TPM = 512
SALT_SIZE = 16
SERIAL_SIZE = 16


def create(
    store: Store, tpm: Tpm, specification: Specification, secrets: Secrets, number: t.Optional[int] = None
) -> Record:
    """Makes a card without keys. If it fails, neither TPM nor disk keep anything of it.

    :param number: that it shall have, and no other card has
    :raises InputError: for a PIN against the rules of card and host
    :raises StateError: if the host's Hello policy does not allow the card
    :raises TpmError: if the TPM refuses, e.g. because its NV memory is full
    """
    policy = store.host_policy()
    rules = policy.rules(specification.pin_policy)
    secrets.check(rules)
    with store.changing_all(), tpm.taken():
        check_host_policy(policy, tpm)
        number = free_number(store.numbers()) if number is None else number
        root = tpm_object.name(tpm, tpm.storage_root())
        ak = make_attestation_key(tpm, root)
        with tpm_object.passing(tpm, Template.genesis(), forgotten(), os.urandom(SECRET_SIZE)) as genesis:
            record = _draft(number, _free_handles(tpm), tpm_object.name(tpm, genesis.entity), specification)
            proof = prove_genesis(tpm, ak, genesis)
            record = replace(record, presented=policy.present_new_cards)
            record = replace(record, storage_root=root, ak=ak, genesis_proof=proof)
            record, answer = _challenging(record, secrets.admin_key)
            store.write(record)
            with _discarded_on_failure(store, tpm, record):
                secret = _make_indices(tpm, record, genesis.entity, secrets, answer)
        with _discarded_on_failure(store, tpm, record):
            record = _make_objects(tpm, record, secret, secrets)
            record = replace(record, pin=replace(record.pin, must_change=specification.pin_must_change, rules=rules))
            store.write(record)
    return record


@contextlib.contextmanager
def _discarded_on_failure(store: Store, tpm: Tpm, record: Record) -> t.Iterator[None]:
    try:
        yield
    except BaseException:
        _discard(store, tpm, record)
        raise


def _draft(number: int, first_handle: int, genesis: bytes, specification: Specification) -> Record:
    return Record(
        number=number,
        serial=os.urandom(SERIAL_SIZE),
        tcti=str(specification.tcti),
        first_handle=first_handle,
        genesis=genesis,
        salt=os.urandom(SALT_SIZE),
        generated=specification.generate,
        **specification.kept,
    )


def _challenging(record: Record, key: t.Optional[AdminKey]) -> t.Tuple[Record, bytes]:
    """Returns the record with a challenge for its admin key, if it has one, and the authValue of the answer."""
    if key is None:
        return record, b""
    challenge, answer = AdminChallenge.make(key)
    auth = answer_auth(record.salt, challenge, answer)
    return replace(record, administration=Administration(challenge)), auth


def _free_handles(tpm: Tpm) -> int:
    taken = {(handle - FIRST_HANDLE) // HANDLES_PER_CARD for handle in tpm.handles(wire.NV)}
    for card in range(MOST_CARDS_IN_TPM):
        if card not in taken:
            return FIRST_HANDLE + card * HANDLES_PER_CARD
    raise StateError(f"the TPM holds {MOST_CARDS_IN_TPM} cards already", "remove some with state: absent")


def _make_indices(tpm: Tpm, record: Record, genesis: t.Any, secrets: Secrets, answer: bytes) -> bytes:
    """Makes the indices and returns what the SECRET index holds.

    :param answer: authValue of the ADMIN index, if there is one
    """
    model = record.model
    gates = Gates(tpm, record)
    secret = os.urandom(SECRET_SIZE)
    contents = {
        Role.ADMIN: (answer, bytes(COUNTER_SIZE)),
        Role.POLICY: (b"", model.policy_data),
        Role.PUK: (gates.new_auth(Role.PUK, (secrets.puk or "").encode()), counter_data(record.puk_retries)),
        Role.PIN: (gates.new_auth(Role.PIN, secrets.pin.encode()), counter_data(record.pin_retries)),
        Role.SECRET: (b"", secret),
    }
    for role, index in model.indices.items():
        auth, data = contents[role]
        entity = nv.define(tpm, index, auth)
        steps = index.authorise(model.first_write)
        nv.write(tpm, entity, data, steps, Given.entity(model.genesis, genesis))
    return secret


def _make_objects(tpm: Tpm, record: Record, secret: bytes, secrets: Secrets) -> Record:
    gates = Gates(tpm, record)
    key = os.urandom(CARD_KEY_SIZE)
    pin_auth = gates.new_auth(Role.PIN, secrets.pin.encode())
    seals: t.Dict[Role, Blob] = {Role.PIN: gates.make_seal(Role.PIN, pin_auth, key)}
    if secrets.puk is not None:
        seals[Role.PUK] = gates.make_seal(Role.PUK, gates.new_auth(Role.PUK, secrets.puk.encode()), key)
    if secrets.admin_key is not None:
        seals[Role.ADMIN] = gates.make_seal(Role.ADMIN, b"", key + secrets.admin_key.value)
    parent_auth = gates.parent_auth(key, secret)
    parent, _unused = tpm_object.create(tpm, tpm.storage_root(), Template.parent(), auth=parent_auth)
    former = remembered((), secrets.pin.encode(), gates.history_key(key), 1)
    pin = PinRecord(int(time.time()), former=former, length=record.edge.kept_length(secrets.pin.encode()))
    recovery = None if secrets.halves is None else Recovery(keep(gates, secrets.halves))
    return replace(record, state=State.READY, seals=seals, parent=parent, pin=pin, recovery=recovery)


def destroy(store: Store, tpm: Tpm, number: int) -> None:
    """Erases a card. What its SECRET index held is gone, and with it every key, for every copy of the disk."""
    with store.changing_all(), store.changing(number), tpm.taken():
        record = replace(store.read(number), state=State.DESTROYING)
        store.write(record)
        _discard(store, tpm, record)


def recover(store: Store, open_tpm: t.Callable[[str], Tpm]) -> t.List[Record]:
    """Removes what interrupted runs have left, and returns the records of all whole cards."""
    records = store.records()
    if all(record.state is State.READY for record in records):
        return records
    with store.changing_all():
        for record in store.records():
            if record.state is not State.READY:
                with store.changing(record.number), open_tpm(record.tcti).taken() as tpm:
                    _discard(store, tpm, record)
        return store.records()


def _discard(store: Store, tpm: Tpm, record: Record) -> None:
    model = record.model
    for role in sorted(model.indices, reverse=True):
        index = model.indices[role]
        if nv.name(tpm, index.handle) in _names(index):
            nv.undefine(tpm, index.handle)
    store.remove(record.number)


def _names(index: Index) -> t.Tuple[bytes, bytes]:
    """The Names of an index before and after it was first written."""
    unwritten = object_name(nv_public(index.handle, index.attributes, index.policy, index.size))
    return unwritten, index.name
