# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card whose passkeys are in software: what the FIDO2 edge is tested on without a TPM."""

from __future__ import annotations

import hashlib
import hmac
import os
import typing as t
from dataclasses import replace

from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import PinHash
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import NoSuchKey, NotOffered
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import (
    Passkey,
    PasskeyAttestation,
    PasskeyPresence,
    PasskeyStore,
    PasskeyUser,
    WantedPasskey,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import Due
from ansible_collections.hardbound.identity.plugins.module_utils._card.room import check_room, left, taken
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.card import PasskeyCard
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm, Curve
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import Statement
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    EccArea,
    ObjectAttribute,
    Public,
    Scheme,
    Symmetric,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import sized
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

_ALGORITHM = KeyAlgorithm.ECC_P256


class SoftPasskeys:
    """Behaves as the card core's ``Passkeys`` does. All are on P-256, and the key of one is found by its blob."""

    attestation_chain: t.Tuple[bytes, ...] = ()
    enterprise_parties: t.Tuple[str, ...] = ()
    attestation = PasskeyAttestation.TPM

    def __init__(self, card: SoftPasskeyCard) -> None:
        self._card = card
        self._keys: t.Dict[bytes, ec.EllipticCurvePrivateKey] = {}
        self._unlisted: t.Dict[bytes, Passkey] = {}
        self._store = PasskeyStore(Blob(b"", b""))

    def algorithms(self) -> t.Tuple[KeyAlgorithm, ...]:
        return (_ALGORITHM,)

    def listed(self) -> t.Tuple[Passkey, ...]:
        return self._store.passkeys

    @property
    def _taken(self) -> int:
        return taken(self._card.objects, self._card.certificates, sizes=self._store.sizes)

    @property
    def room(self) -> int:
        return left(self._taken)

    def _change(self, changed: PasskeyStore) -> None:
        before, kept = self._taken, self._store
        self._store = changed
        try:
            check_room(before, self._taken)
        except Exception:
            self._store = kept
            raise

    def find(self, rp: str, identifier: bytes) -> t.Optional[Passkey]:
        found = self._store.find(identifier) or self._unlisted.get(identifier)
        return found if found and found.rp == rp else None

    def make(self, wanted: WantedPasskey) -> Passkey:
        self._card.require_pin()
        if wanted.algorithm is not _ALGORITHM:
            raise NotOffered("P-256 alone")
        key, identifier = ec.generate_private_key(ec.SECP256R1()), os.urandom(32)
        blob = Blob(identifier, sized(_public(key)))
        flags = wanted.hmac_secret, wanted.large_blob
        made = Passkey(identifier, wanted.rp, _ALGORITHM, wanted.protection, blob, blob, *flags)
        self._keys[identifier] = key
        if wanted.discoverable:
            made = replace(made, user=wanted.user, made_at=1, blob=wanted.blob)
            self._change(self._store.with_passkey(made))
        else:
            self._unlisted[identifier] = made
        return made

    def _named(self, identifier: bytes) -> Passkey:
        found = self._store.find(identifier)
        if found is None:
            raise NoSuchKey("no such passkey")
        return found

    def remove(self, identifier: bytes) -> None:
        self._named(identifier)
        self._change(self._store.without(identifier))

    def rename(self, identifier: bytes, user: PasskeyUser) -> None:
        renamed = replace(self._named(identifier), user=user)
        passkeys = tuple(renamed if each.identifier == identifier else each for each in self._store.passkeys)
        self._change(replace(self._store, passkeys=passkeys))

    def sign(self, passkey: Passkey, digest: bytes) -> bytes:
        self._card.require_pin()
        key = self._keys[passkey.key.private]
        return key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    def certify(self, passkey: Passkey, qualifying: bytes) -> Statement:
        raise NotOffered("no attestation key")

    def secret(self, passkey: Passkey, salt: bytes) -> bytes:
        self._card.require_pin()
        return hmac.digest(passkey.key.private, salt, hashlib.sha256)

    def large_blob_key(self, passkey: Passkey) -> bytes:
        return self.secret(passkey, b"large blob key")

    def blob(self, passkey: Passkey) -> bytes:
        self._card.require_pin()
        return passkey.blob

    @property
    def large_blobs(self) -> bytes:
        return self._store.large_blobs

    def store_large_blobs(self, blobs: bytes) -> None:
        self._change(replace(self._store, large_blobs=blobs))

    @property
    def pin_length_readers(self) -> t.Tuple[str, ...]:
        return self._store.pin_length_readers

    def require_longer_pins(self, shortest: int, readers: t.Optional[t.Sequence[str]] = None) -> None:
        self._card.policy = replace(self._card.policy, minlen=shortest).validate()
        if readers is not None:
            self._store = replace(self._store, pin_length_readers=tuple(readers))


class SoftPasskeyCard(SoftCard):
    """A soft card that also takes the hash of its PIN."""

    owner = "alice"
    presence = PasskeyPresence.PIN

    def __init__(self) -> None:
        super().__init__()
        self.passkeys = SoftPasskeys(self)

    @property
    def shortest_new_pin(self) -> int:
        return self.shortest_pin

    @property
    def pin_due(self) -> t.Optional[Due]:
        return Due.MUST_CHANGE if self.due else None

    def must_change_pin(self) -> None:
        self.due = Due.MUST_CHANGE.value
        self.logout()

    def _check(self, reference: Reference, secret: bytes) -> None:
        pin = self._secrets[reference]
        super()._check(reference, pin if isinstance(secret, PinHash) and secret == PinHash.of(pin) else secret)


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
    area = EccArea(Symmetric(), Scheme(), Curve.NIST_P256, Scheme(), x, y)
    return Public(Algorithm.SHA256, ObjectAttribute.SIGN_ENCRYPT, bytes(32), area).marshal()


def as_the_fido2_edge_sees_it(card: SoftPasskeyCard) -> PasskeyCard:
    """Type checkers hold here that a soft card can stand where the edge asks a card."""
    return card
