# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private keys of a card at work. What each method promises, :class:`~.card.Card` says."""

from __future__ import annotations

import typing as t

from .._cryptography import serialization
from .._encoding import command as wire
from .._encoding import der
from .._encoding.blob import Blob
from .._encoding.evidence import Statement
from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.rsa_padding import digest_info, pad_pkcs1
from .._errors import InputError
from .._tpm import object as tpm_object
from .._tpm.certify import certify_key
from .._tpm.errors import STALE_CONTEXT, STALE_TICKET, TpmError
from .._tpm.parent import Parent, Placing
from .._tpm.session import Given, Ticket, obtain_ticket
from .._tpm.workbench import SavedKey
from .errors import NoSuchKey, NotOffered, NotVerified
from .external_key import is_on_curve
from .gate import TICKET_SECONDS, Gates
from .kept import KeyPlace
from .key import PinUse, Slot, slot_name
from .key_slots import KeySlots
from .model import Role
from .record import KeyRecord
from .session import CardSession

Answer = t.TypeVar("Answer")

_SIGNATURE_START = b"\x00\x01" + b"\xff" * 8
"""A block padded for a PKCS#1 v1.5 signature: RFC 8017, clause 9.2."""
_SIGNING_SLOTS = frozenset((Slot.AUTHENTICATION, Slot.SIGNATURE, Slot.CARD_AUTHENTICATION))


class UsableKey(t.NamedTuple):
    """What of a key its use takes, whether it has a slot or is a passkey's."""

    pin: PinUse
    blob: Blob
    certifiable: bool = True


KeyInUse = t.Union[KeyRecord, UsableKey]
_MOST_SAVED = 64
"""Keys that are remembered as loaded. Passkeys are as many as a client likes, and each takes a kilobyte."""


class PrivateKeys:
    def __init__(self, session: CardSession, slots: KeySlots) -> None:
        self._session = session
        self._slots = slots
        self._open_ticket: t.Optional[Ticket] = None

    def sign(self, slot: int, digest: bytes) -> bytes:
        return _der(*self.ecdsa(slot, digest))

    def ecdsa(self, slot: int, digest: bytes) -> t.Tuple[bytes, bytes]:
        key = self._slots.record(slot)
        if key.algorithm.is_rsa:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} is no EC key.")
        return self._ecdsa(slot, key, _fit(digest, key.algorithm))

    def _ecdsa(self, place: KeyPlace, key: KeyInUse, digest: bytes) -> t.Tuple[bytes, bytes]:
        bench = self._session.bench
        return self._use(place, key, lambda saved, ticket: bench.sign(saved, ticket, digest))

    def sign_digest(self, place: KeyPlace, key: KeyInUse, algorithm: KeyAlgorithm, digest: bytes) -> bytes:
        """Signs a digest that a TPM takes: DER ECDSA-Sig-Value, or PKCS#1 v1.5 with the algorithm's own hash."""
        bench = self._session.bench
        if algorithm.is_rsa:
            block = pad_pkcs1(digest_info(algorithm.hash.name, digest), algorithm.size)
            return self._use(place, key, lambda saved, ticket: bench.rsa_private(saved, ticket, block))
        return _der(*self._ecdsa(place, key, digest))

    def hmac(self, place: KeyPlace, key: KeyInUse, data: bytes) -> bytes:
        """Returns the HMAC-SHA-256 of up to 1024 bytes."""
        tpm = self._session.tpm
        return self._use_encrypted(
            place, key, lambda entity, policy, given: tpm_object.hmac(tpm, entity, data, policy, given)
        )

    def rsa_private(self, slot: int, block: bytes) -> bytes:
        key = self._slots.record(slot)
        if not key.algorithm.is_rsa:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} is no RSA key.")
        _check_block(key, block)
        session = self._session
        if _is_for_signature(slot, block):
            return self._use(slot, key, lambda saved, ticket: session.bench.rsa_private(saved, ticket, block))
        return self._use_encrypted(
            slot, key, lambda entity, policy, given: tpm_object.decrypt_rsa(session.tpm, entity, block, policy, given)
        )

    def ecdh(self, slot: int, point: bytes) -> bytes:
        key = self._slots.record(slot)
        curve, size = key.algorithm.curve, key.algorithm.size
        if curve is None or len(point) != 1 + 2 * size or point[0] != 4:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} takes no such point for ECDH.")
        if not is_on_curve(curve, point):
            raise InputError("the point", "is not on the key's curve", "send one that is")
        x, y = point[1 : 1 + size], point[1 + size :]
        tpm = self._session.tpm
        secret = self._use_encrypted(
            slot, key, lambda entity, policy, given: tpm_object.ecdh(tpm, entity, x, y, policy, given)
        )
        return secret.rjust(size, b"\0")

    def certify(self, slot: int, qualifying: bytes) -> Statement:
        key = self._slots.record(slot)
        if not key.certifiable:
            which = f"The key in slot {slot_name(slot)}"
            raise NotOffered(f"{which} is from before keys could be certified: make a new one.")
        return self.certify_key(slot, key, qualifying)

    def certify_key(self, place: KeyPlace, key: KeyInUse, qualifying: bytes) -> Statement:
        """:raises NotOffered: for a card from before store version 3 that has had nothing to prove yet"""
        session = self._session
        ak = session.record.ak
        if ak is None:
            raise NotOffered("The card has no attestation key: have the host prove its cards first.")

        def act(saved: SavedKey, ticket: Ticket) -> Statement:
            rest = session.known.model.certify_policy(key.pin)[1:]
            command = wire.load(self._slots.root_handle(), ak.private, ak.public)
            with tpm_object.placed(session.tpm, command) as signer:
                return certify_key(session.bench, signer, saved, ticket, qualifying, rest)

        return self._use(place, key, act)

    def _ticket(self, pin: PinUse) -> Ticket:
        """The PIN's ticket, or for a key that never asks, one that the POLICY index gives to everybody."""
        session = self._session
        if pin is not PinUse.NEVER:
            return session.require_pin().ticket
        if self._open_ticket is None:
            gates = Gates(session.tpm, session.known)
            entity = gates.entity(Role.POLICY, b"")
            self._open_ticket = obtain_ticket(session.tpm, gates.model.name(Role.POLICY), entity, TICKET_SECONDS)
        return self._open_ticket

    def _use_encrypted(self, place: KeyPlace, key: KeyInUse, action: t.Callable[[t.Any, t.Any, Given], bytes]) -> bytes:
        """Uses a key by a command whose answer leaves the TPM encrypted."""
        session = self._session

        def act(saved: SavedKey, ticket: Ticket) -> bytes:
            policy = session.known.model.key_policy(key.pin, key.certifiable)
            with session.bench.entity(saved) as entity:
                return action(entity, policy, Given.ticket(ticket))

        return self._use(place, key, act)

    def _use(self, place: KeyPlace, key: KeyInUse, action: t.Callable[[SavedKey, Ticket], Answer]) -> Answer:
        session = self._session
        with session.turn():
            ticket = self._ticket(key.pin)
            try:
                return self._act(place, key, ticket, action)
            except TpmError as error:
                session.saved_keys.pop(place, None)
                if error.reason not in STALE_TICKET:
                    raise
                self._open_ticket = None
                session.logout()
                raise NotVerified("The PIN's verification is over: verify it again.") from error

    def _act(
        self, place: KeyPlace, key: KeyInUse, ticket: Ticket, action: t.Callable[[SavedKey, Ticket], Answer]
    ) -> Answer:
        saved = self._session.saved_keys.get(place)
        if saved is not None and saved.blob == key.blob:
            try:
                return action(saved, ticket)
            except TpmError as error:
                if error.reason not in STALE_CONTEXT:
                    raise
        return action(self._load(place, key), ticket)

    def _load(self, place: KeyPlace, key: KeyInUse) -> SavedKey:
        session = self._session
        session.bench.clear()
        with self._slots.open_parent(key.pin) as parent:
            saved = self.place_under(parent, key)()
        self.remember(place, saved)
        session.tpm.end_esapi()
        return saved

    def place_under(self, parent: Parent, key: KeyInUse) -> Placing:
        """Begins to load a key whose parent is loaded already. It can be used without the parent then."""
        session = self._session
        return parent.place(session.bench, key.blob, session.known.model.key_policy(key.pin, key.certifiable)[1:])

    def remember(self, place: KeyPlace, saved: SavedKey) -> None:
        session = self._session
        session.saved_keys[place] = saved
        if len(session.saved_keys) > _MOST_SAVED:
            del session.saved_keys[next(iter(session.saved_keys))]


def _der(r: bytes, s: bytes) -> bytes:
    return der.sequence(der.integer(int.from_bytes(r, "big")), der.integer(int.from_bytes(s, "big")))


def _check_block(key: KeyRecord, block: bytes) -> None:
    """:raises InputError: unless it is below the modulus, whose first bit is set"""
    if not block.startswith(b"\0"):
        public: t.Any = serialization.load_der_public_key(key.public)
        if int.from_bytes(block, "big") >= public.public_numbers().n:
            raise InputError("the block", "is not below the key's modulus", "pad it, or encrypt with the key's own")


def _fit(digest: bytes, algorithm: KeyAlgorithm) -> bytes:
    """Cuts a digest as ECDSA does (FIPS 186-5, clause 6.4.1), or pads it to one that a TPM takes.

    Neither changes the signature.

    :raises NotOffered: for more than a hash gives, where the curve has room for it
    """
    kept = digest[: algorithm.size]
    if len(kept) > algorithm.digest_size:
        raise NotOffered(f"The TPM signs no more than {algorithm.digest_size} bytes with a key of {algorithm.value}.")
    return kept.rjust(algorithm.digest_size, b"\0")


def _is_for_signature(slot: int, block: bytes) -> bool:
    """PKCS#1 v1.5 padding is beyond doubt; a PSS trailer (RFC 8017, clause 9.1.1) is in slots made for signing."""
    return block.startswith(_SIGNATURE_START) or (slot in _SIGNING_SLOTS and block.endswith(b"\xbc"))
