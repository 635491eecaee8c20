# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key slots of a card in use: what is made, imported and removed there.

What each method promises, :class:`~.card.Card` says.
"""

from __future__ import annotations

import contextlib
import types
import typing as t

from .._encoding.blob import NO_CREATION, Blob, Creation
from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.public import Public
from .._encoding.wire import unsized
from .._tpm import object as tpm_object
from .._tpm.capability import supports
from .._tpm.parent import EsapiParent, Parent, bare_parent, bare_root
from .._tpm.storage_root import FoundKey, storage_root_handle, storage_root_of
from .._tpm.template import Template
from .errors import NoSuchKey, NotOffered
from .external_key import ExternalKey
from .key import Key, PinUse, slot_name
from .record import KeyRecord
from .session import CardSession
from .specification import KeySpecification

Certify = t.Callable[[], bytes]
"""Makes a certificate, DER, for a key that works already and is not on the disk yet."""


class KeySlots:
    def __init__(self, session: CardSession) -> None:
        self._session = session
        self._seen: t.Optional[t.Mapping[int, KeyRecord]] = None
        self._keys: t.Mapping[int, Key] = {}

    def keys(self) -> t.Mapping[int, Key]:
        records = self._session.record.keys
        if records is not self._seen:
            self._seen = records
            self._keys = types.MappingProxyType({slot: _key(slot, key) for slot, key in records.items()})
        return self._keys

    def record(self, slot: int) -> KeyRecord:
        """:raises NoSuchKey: if the slot is empty"""
        try:
            return self._session.record.keys[slot]
        except KeyError:
            raise NoSuchKey(f"The slot {slot_name(slot)} holds no key.") from None

    def make(self, wanted: KeySpecification, certify: t.Optional[Certify] = None) -> Key:
        session = self._session
        with session.changing() as gates:
            self._require_support(wanted.algorithm)
            template = Template.key(wanted.algorithm)
            with self._entity_of_parent(wanted.pin) as parent:
                policy = gates.model.key_policy(wanted.pin)
                blob, creation = tpm_object.create(session.tpm, parent, template, policy)
            return self._keep(wanted, blob, creation, certify)

    def import_key(self, wanted: KeySpecification, key: ExternalKey) -> Key:
        session = self._session
        with session.changing() as gates:
            self._require_support(wanted.algorithm)
            template = Template.external_key(wanted.algorithm, *key.public)
            with self._entity_of_parent(wanted.pin) as parent:
                policy = gates.model.key_policy(wanted.pin)
                blob = tpm_object.import_key(session.tpm, parent, template, policy, key.sensitive)
            return self._keep(wanted, blob, NO_CREATION)

    def _require_support(self, algorithm: KeyAlgorithm) -> None:
        if not supports(self._session.tpm, algorithm):
            raise NotOffered(f"The TPM has no keys of {algorithm.value}.")

    def _keep(
        self, wanted: KeySpecification, blob: Blob, creation: Creation, certify: t.Optional[Certify] = None
    ) -> Key:
        public = Public.parse(unsized(blob.public, "TPM2B_PUBLIC")).spki()
        key = KeyRecord(wanted.algorithm, wanted.pin, blob, public, creation, certifiable=True)
        session = self._session
        session.saved_keys.pop(wanted.slot, None)
        record = session.known.with_key(wanted.slot, key)
        if certify is not None:
            with session.supposing(record):
                record = record.with_certificate(wanted.slot, certify())
        session.write(record)
        return _key(wanted.slot, key)

    def remove(self, slot: int) -> None:
        session = self._session
        with session.store.changing(session.number):
            self.record(slot)
            session.write(session.known.without_key(slot))
        session.saved_keys.pop(slot, None)

    def open_parent(self, pin: PinUse) -> t.ContextManager[Parent]:
        """The parent of keys, loaded. One that never asks for the PIN can't be under a parent that does.

        :raises NotVerified: as :meth:`~.card.Card.make_key`
        """
        session, root = self._session, self._kept_root()
        if root is None:
            return self._esapi_parent(pin)
        auth = b"" if pin is PinUse.NEVER else self._parent_auth()
        session.tpm.end_esapi()
        if pin is PinUse.NEVER:
            return bare_root(session.tpm, root)
        return bare_parent(session.tpm, root, session.known.parent, auth)

    @contextlib.contextmanager
    def _esapi_parent(self, pin: PinUse) -> t.Iterator[Parent]:
        with self._entity_of_parent(pin) as entity:
            yield EsapiParent(self._session.tpm, entity)

    def _entity_of_parent(self, pin: PinUse) -> t.ContextManager[t.Any]:
        """The same as ESAPI knows it."""
        session = self._session
        root = storage_root_of(session.tpm, session.known.storage_root)
        if pin is PinUse.NEVER:
            return contextlib.nullcontext(root)
        return tpm_object.loaded(session.tpm, root, session.known.parent, self._parent_auth())

    def _parent_auth(self) -> bytes:
        return self._session.require_either().contents().parent_auth

    def _kept_root(self) -> t.Optional[FoundKey]:
        """The storage root key, if a login has found the one of the TCG's template there."""
        session = self._session
        return session.kept.root if session.kept.fits(session.known) else None

    def root_handle(self) -> int:
        """The TPM's handle of the storage root key that the card is under."""
        session, kept = self._session, self._kept_root()
        return kept.handle if kept else storage_root_handle(session.tpm, session.known.storage_root)


def _key(slot: int, record: KeyRecord) -> Key:
    return Key(slot, record.algorithm, record.pin, record.public, record.imported, record.attestation)
