# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passkeys of a card in use: keys of the TPM that sign for whoever has the PIN, made for one relying party each."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace

from .._encoding.blob import Blob
from .._encoding.evidence import Statement
from .._encoding.key_algorithm import KeyAlgorithm
from .._errors import StateError
from .._tpm import object as tpm_object
from .._tpm.capability import supports
from .._tpm.template import Template
from .._tpm.workbench import SavedKey
from .derivation import box, unbox
from .errors import NoSuchKey, NotOffered
from .gate import Gates
from .key import PinUse
from .key_slots import KeySlots
from .passkey import ALGORITHMS, Passkey, PasskeyAttestation, PasskeyStore, PasskeyUser, WantedPasskey, rp_hash
from .private_keys import PrivateKeys, UsableKey
from .readiness import check_host_policy
from .room import left
from .session import CardSession

_IDENTIFIER_SIZE = 32
"""Of a discoverable passkey, whose identifier only finds it."""
_WRAPPING = b"credential ids"
_LARGE_BLOB_KEY = b"large blob key"
"""What the HMAC keys are asked for beside salts, which have 32 bytes."""


class Passkeys:
    """All methods that use a passkey's keys raise NotVerified or PinDue unless the PIN was verified."""

    def __init__(self, session: CardSession, slots: KeySlots, keys: PrivateKeys) -> None:
        self._session = session
        self._slots = slots
        self._keys = keys
        self._algorithms: t.Tuple[KeyAlgorithm, ...] = ()
        self._unwrapping: t.Tuple[t.Optional[Blob], bytes] = (None, b"")
        self._unwrapped: t.Tuple[bytes, str, bytes, t.Optional[Passkey]] = (b"", "", b"", None)
        """The last credential id that was no listed one: a browser asks whether it is there, and then has it used."""

    def algorithms(self) -> t.Tuple[KeyAlgorithm, ...]:
        """Those that passkeys of this card can have: what its TPM has of them."""
        if not self._algorithms:
            session = self._session
            with session.turn():
                self._algorithms = tuple(each for each in ALGORITHMS if supports(session.tpm, each))
        return self._algorithms

    @property
    def attestation_chain(self) -> t.Tuple[bytes, ...]:
        """The certificate of the card's attestation key, and its issuer's if the card has that, DER; empty if none."""
        record = self._session.record
        return tuple(
            each for each in (record.ak_certificate, record.attestation_issuer) if record.ak_certificate and each
        )

    @property
    def enterprise_parties(self) -> t.Tuple[str, ...]:
        """Relying parties that alone shall see the attestation key, if any are named."""
        return self._session.record.enterprise_attestation

    @property
    def attestation(self) -> PasskeyAttestation:
        """Who attests a new passkey, where none are named."""
        return self._session.record.passkey_attestation

    # What there is.

    def listed(self) -> t.Tuple[Passkey, ...]:
        """The discoverable ones, the oldest first."""
        store = self._session.record.passkey_store
        return store.passkeys if store else ()

    @property
    def room(self) -> int:
        """Bytes that are left for more."""
        return left(self._session.record.taken)

    def find(self, rp: str, identifier: bytes) -> t.Optional[Passkey]:
        """Returns the passkey with this credential id, None if it is none of this card and this relying party."""
        store = self._session.record.passkey_store
        if store is None:
            return None
        listed = store.find(identifier)
        if listed is not None:
            return listed if listed.rp == rp else None
        secret = self._wrapping_secret(store.wrapping)
        if self._unwrapped[:3] != (secret, rp, identifier):
            self._unwrapped = secret, rp, identifier, self._unwrap(secret, rp, identifier)
        return self._unwrapped[3]

    def _unwrap(self, secret: bytes, rp: str, identifier: bytes) -> t.Optional[Passkey]:
        try:
            return Passkey.unpacked(unbox(secret, self._label(rp), identifier), identifier, rp)
        except (ValueError, IndexError):
            return None

    # Making and removing.

    def make(self, wanted: WantedPasskey) -> Passkey:
        """Makes a passkey. A discoverable one takes the place of the one that its user has there.

        :raises NotOffered: if the TPM does not know the algorithm, or the host's policy allows no passkeys in it
        :raises CardFull:
        """
        session = self._session
        self._require_allowed()
        if wanted.algorithm not in self.algorithms():
            raise NotOffered(f"The TPM has no passkeys of {wanted.algorithm.value}.")
        self._prepare_store()
        if not wanted.discoverable:
            self._wrapping_secret(self._require_store().wrapping)  # The TPM is asked for it once, and not in between.
        session.require_pin().contents()  # While the session that has proved the PIN is still there.
        with session.changing() if wanted.discoverable else session.making_room() as gates:
            session.require_pin()
            made, loaded = self._create(gates, wanted)
            if wanted.discoverable:
                session.write(session.known.with_passkeys(lambda store: store.with_passkey(made)))
        self._keys.remember(made.identifier, loaded)
        return made

    def _require_allowed(self) -> None:
        """A passkey is what Windows Hello makes, too: where cards may not be made, no passkey is."""
        session = self._session
        with session.turn():
            try:
                check_host_policy(session.store.host_policy(), session.tpm)
            except StateError as error:
                raise NotOffered(f"The host's rules don't allow the passkey: {error}") from error

    def _create(self, gates: Gates, wanted: WantedPasskey) -> t.Tuple[Passkey, SavedKey]:
        """Returns a passkey, and its key loaded: what attests it comes next, and the parent is loaded once.

        While the TPM loads the key, the passkey gets its identifier.
        """
        policy = gates.model.key_policy(PinUse.ONCE)
        gives_secrets = wanted.hmac_secret or wanted.large_blob
        with self._slots.open_parent(PinUse.ONCE) as parent:
            key = parent.create(wanted.algorithm, policy)
            secret = parent.create(None, policy) if gives_secrets else None
            flags = wanted.hmac_secret, wanted.large_blob
            made = Passkey(b"", wanted.rp, wanted.algorithm, wanted.protection, key, secret, *flags)
            placed = self._keys.place_under(parent, UsableKey(PinUse.ONCE, key))
            try:
                identified = self._discoverable(made, wanted) if wanted.discoverable else self._wrapped(made)
            finally:
                loaded = placed()
            return identified, loaded

    def _discoverable(self, made: Passkey, wanted: WantedPasskey) -> Passkey:
        identifier, blob = os.urandom(_IDENTIFIER_SIZE), b""
        if wanted.blob:
            blob = box(
                self._session.require_pin().contents().parent_auth, self._label(wanted.rp, identifier), wanted.blob
            )
        return replace(made, identifier=identifier, user=wanted.user, made_at=int(time.time()), blob=blob)

    def _wrapped(self, made: Passkey) -> Passkey:
        store = self._require_store()
        return replace(made, identifier=box(self._wrapping_secret(store.wrapping), self._label(made.rp), made.packed()))

    def remove(self, identifier: bytes) -> None:
        """Forgets a discoverable passkey.

        :raises NoSuchKey:
        """
        self._change(identifier, lambda store: store.without(identifier))

    def rename(self, identifier: bytes, user: PasskeyUser) -> None:
        """Says anew what a discoverable passkey's user is called.

        :raises NoSuchKey:
        :raises CardFull:
        """

        def renamed(store: PasskeyStore) -> PasskeyStore:
            passkeys = (replace(each, user=user) if each.identifier == identifier else each for each in store.passkeys)
            return replace(store, passkeys=tuple(passkeys))

        self._change(identifier, renamed)

    def _change(self, identifier: bytes, change: t.Callable[[PasskeyStore], PasskeyStore]) -> None:
        session = self._session
        with session.store.changing(session.number):
            store = session.record.passkey_store
            if store is None or store.find(identifier) is None:
                raise NoSuchKey("The card has no such passkey.")
            session.write(session.known.with_passkeys(change))
        session.saved_keys.pop(identifier, None)

    # Their keys at work.

    def sign(self, passkey: Passkey, digest: bytes) -> bytes:
        """Returns a signature over a digest of the algorithm's own hash: DER ECDSA-Sig-Value, or PKCS#1 v1.5."""
        key = UsableKey(PinUse.ONCE, passkey.key)
        return self._keys.sign_digest(passkey.identifier, key, passkey.algorithm, digest)

    def certify(self, passkey: Passkey, qualifying: bytes) -> Statement:
        """Returns what the TPM states of the passkey, signed by the card's attestation key.

        :param qualifying: up to 64 bytes that the statement holds
        """
        return self._keys.certify_key(passkey.identifier, UsableKey(PinUse.ONCE, passkey.key), qualifying)

    def secret(self, passkey: Passkey, salt: bytes) -> bytes:
        """Returns the HMAC-SHA-256 of a salt, 32 bytes, by a key that is the passkey's own and stays in the TPM.

        :raises NotOffered: if the passkey was made without
        """
        if not passkey.hmac_secret:
            raise NotOffered("The passkey was made without hmac-secret.")
        return self._hmac(passkey, salt)

    def large_blob_key(self, passkey: Passkey) -> bytes:
        """Returns the 32 bytes by which a client encrypts what the relying party keeps here.

        :raises NotOffered: if the passkey was made without
        """
        if not passkey.large_blob:
            raise NotOffered("The passkey was made without largeBlobKey.")
        return self._hmac(passkey, _LARGE_BLOB_KEY)

    def _hmac(self, passkey: Passkey, data: bytes) -> bytes:
        blob = t.cast(Blob, passkey.secret)
        return self._keys.hmac(b"secret of " + passkey.identifier, UsableKey(PinUse.ONCE, blob), data)

    def blob(self, passkey: Passkey) -> bytes:
        """Returns what a relying party has left with a passkey: credBlob; empty if nothing."""
        opened, label = self._session.require_pin(), self._label(passkey.rp, passkey.identifier)
        return unbox(opened.contents().parent_auth, label, passkey.blob) if passkey.blob else b""

    # What belongs to all of them.

    @property
    def large_blobs(self) -> bytes:
        """The serialised large blob array; empty for one that was never written."""
        store = self._session.record.passkey_store
        return store.large_blobs if store else b""

    def store_large_blobs(self, blobs: bytes) -> None:
        """:raises CardFull:"""
        self._prepare_store()
        self._session.revise(lambda record: record.with_passkeys(lambda store: replace(store, large_blobs=blobs)))

    @property
    def pin_length_readers(self) -> t.Tuple[str, ...]:
        """Relying parties that may know how long a PIN has to be."""
        store = self._session.record.passkey_store
        return store.pin_length_readers if store else ()

    def require_longer_pins(self, shortest: int, readers: t.Optional[t.Sequence[str]] = None) -> None:
        """Has new PINs have so many characters at the least, and says which relying parties may know it.

        :raises InputError: for a length that no PIN can have
        """
        self._prepare_store()

        def revised(record: t.Any) -> t.Any:
            rules = replace(record.pin_policy, minlen=shortest).validate()
            who = record.passkey_store.pin_length_readers if readers is None else tuple(readers)
            changed = record.with_passkeys(lambda store: replace(store, pin_length_readers=who))
            return replace(changed, pin_policy=rules)

        self._session.revise(revised)

    # The key of credential ids.

    def _require_store(self) -> PasskeyStore:
        store = self._session.record.passkey_store
        if store is None:
            raise NoSuchKey("The card has no passkeys yet.")
        return store

    def _prepare_store(self) -> None:
        """Makes the HMAC key of credential ids, if the card has none yet."""
        session = self._session
        if session.record.passkey_store is not None:
            return
        with session.changing() as gates:
            if session.known.passkey_store is None:
                policy = gates.model.key_policy(PinUse.NEVER)
                wrapping, _creation = tpm_object.create(session.tpm, gates.root(), Template.hmac(), policy)
                session.write(replace(session.known, passkey_store=PasskeyStore(wrapping)))

    def _wrapping_secret(self, wrapping: Blob) -> bytes:
        """The TPM gives it without the PIN, so that a client may ask whether a credential id is one of this card."""
        if self._unwrapping[0] != wrapping:
            secret = self._keys.hmac(_WRAPPING, UsableKey(PinUse.NEVER, wrapping), _WRAPPING)
            self._unwrapping = wrapping, secret
        return self._unwrapping[1]

    def _label(self, rp: str, identifier: bytes = b"") -> bytes:
        return b"passkey" + self._session.known.serial + rp_hash(rp) + identifier
