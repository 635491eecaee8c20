# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card in use: what its edge and the modules ask of it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._encoding.evidence import Statement
from .._tpm.workbench import Workbench
from . import renewal
from .admin_key import AdminChallenge, AdminKey
from .admin_session import AdminSession
from .edge import Edge
from .external_key import ExternalKey
from .face import Face
from .gate import ROLES
from .kept import Kept
from .key import Key
from .key_slots import Certify, KeySlots
from .objects import Objects
from .passkey import PasskeyPresence
from .passkeys import Passkeys
from .pin_record import Due
from .pins import Pins
from .private_keys import PrivateKeys
from .record import Record
from .secret import Reference, Tries
from .session import CardSession
from .specification import KeySpecification
from .store import Store


class Card:
    """One card of a store. Not for several threads. After a ``with`` of it, it is closed.

    A verified PIN is a ticket of the TPM; it is dropped at once when another process changes the card's
    secrets or destroys the card.

    :raises CardGone: by every method, once the card is destroyed
    """

    def __init__(self, store: Store, bench: Workbench, number: int, kept: t.Optional[Kept] = None) -> None:
        self.number = number
        self._session = CardSession(store, bench, number, kept)
        self._pins = Pins(self._session)
        self._admin = AdminSession(self._session)
        self._slots = KeySlots(self._session)
        self._private_keys = PrivateKeys(self._session, self._slots)
        self._objects = Objects(self._session)
        self.passkeys = Passkeys(self._session, self._slots, self._private_keys)

    def __enter__(self) -> Card:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # What everybody may know.

    @property
    def record(self) -> Record:
        """The card's record as the disk has it now."""
        return self._session.record

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def edge(self) -> Edge:
        """The application that the card shows to programs; it stays for the card's life."""
        return self._session.known.edge

    @property
    def serial(self) -> bytes:
        """16 random bytes, unique to the card."""
        return self._session.known.serial

    @property
    def presented(self) -> bool:
        """Whether programs shall meet the card in a reader."""
        return self._session.known.presented

    @property
    def faces(self) -> t.Tuple[Face, ...]:
        """The ways by which programs reach the card, if it is presented."""
        return self.record.faces

    @property
    def pin_length(self) -> int:
        """Bytes of the PIN, where the card's edge has to know it; else 0."""
        return self.record.pin.length

    @property
    def shortest_pin(self) -> int:
        """Characters that a new PIN has at the least, by the card's own rules."""
        return self.record.pin_policy.minlen

    @property
    def shortest_new_pin(self) -> int:
        """The same, by the rules of card and host together.

        :raises StateError: if no PIN can follow both
        """
        return self._session.store.host_policy().rules(self.record.pin_policy).minlen

    @property
    def pin_must_change(self) -> bool:
        """Whether the PIN was given by somebody else than its user, who has to change it first."""
        return self.record.pin.must_change

    @property
    def owner(self) -> str:
        """The user whose card it is; empty for nobody's."""
        return self.record.owner

    @property
    def presence(self) -> PasskeyPresence:
        """What tells a passkey's relying party that somebody is there."""
        return self.record.presence

    @property
    def pin_due(self) -> t.Optional[Due]:
        """Why the PIN can do nothing but be changed: it was given so, or has expired."""
        return self._pins.due()

    @property
    def pin_expires_at(self) -> t.Optional[int]:
        """Seconds since 1970, or None for a PIN that does not expire."""
        return self._pins.expires_at()

    def has(self, reference: Reference) -> bool:
        return ROLES[reference] in self.record.model.indices

    # Data objects and certificates.

    @property
    def generated(self) -> bool:
        """Whether the card has a file system; without one only its management can do something with it."""
        return self.record.generated

    def generate(self) -> None:
        """Gives the card its file system."""
        self._session.revise(lambda record: replace(record, generated=True))

    def object(self, tag: int) -> t.Optional[bytes]:
        """Returns what a data object holds, or None."""
        return self._objects.read(tag)

    def store_object(self, tag: int, value: t.Optional[bytes]) -> None:
        """Writes a data object, or removes it.

        :raises CardFull:
        """
        self._objects.write(tag, value)

    def protected(self, tag: int) -> t.Optional[bytes]:
        """Returns what a data object holds that takes the PIN or the admin key, or None.

        :raises NotVerified: before the PIN was verified or the administrator authenticated
        """
        return self._objects.read_protected(tag)

    def store_protected(self, tag: int, value: t.Optional[bytes]) -> None:
        """Writes or removes such an object. On disk it is encrypted: root does not read it without the PIN either.

        :raises NotVerified: as :meth:`protected`
        :raises CardFull:
        """
        self._objects.write_protected(tag, value)

    @property
    def certificates(self) -> t.Mapping[int, bytes]:
        """All certificates, DER, by slot."""
        return self.record.certificates

    def certificate(self, slot: int) -> t.Optional[bytes]:
        """Returns the slot's certificate, DER, or None."""
        return self.certificates.get(slot)

    @property
    def attestation_issuer(self) -> bytes:
        """DER, of the CA that signed what attests the keys; empty for a card that was never enrolled."""
        return self.record.attestation_issuer

    def store_certificate(self, slot: int, certificate: t.Optional[bytes]) -> None:
        """Writes a slot's certificate, DER, or removes it.

        :raises CardFull:
        """
        self._session.revise(lambda record: record.with_certificate(slot, certificate))

    # PIN and PUK.

    def tries(self, reference: Reference) -> Tries:
        """What the TPM's counter says, or said when it was full and nobody had tried since; costs no try.

        :raises NotOffered: if the card has no such secret
        """
        return self._pins.tries(reference)

    def verify(self, pin: bytes, provisioning: bool = False) -> None:
        """Opens the card until :meth:`logout`, for TICKET_SECONDS at most.

        A PIN may be given as its :class:`~.derivation.PinHash`, here and as the old one of :meth:`change`.

        A PIN that has expired or must be changed opens it too, but does nothing: programs verify a PIN before they
        change it.

        :param provisioning: whether the card is still in the hands of its issuer, who uses the first PIN
        :raises WrongSecret, Blocked, TpmLockout: and the card is closed then
        """
        self._pins.verify(pin, provisioning)

    @property
    def verified(self) -> bool:
        """Whether the card is open. Looks at the disk, not at the TPM."""
        self._session.look()
        return self._session.opened is not None

    def require_pin(self) -> None:
        """:raises NotVerified, PinDue: unless a PIN that is good for more than its change is verified"""
        self._session.look()
        self._session.require_pin()

    def logout(self) -> None:
        """Closes the card: whatever its keys are used for next, the PIN is given anew before."""
        self._session.logout()

    def check(self, reference: Reference, secret: bytes) -> None:
        """Finds out whether a secret is right, and leaves the card closed. A wrong one costs a try.

        :raises WrongSecret, Blocked, NotOffered, TpmLockout:
        """
        self._pins.check(reference, secret)

    def set_by_task(self, reference: Reference) -> bool:
        """Whether a task has set the secret last, so that :meth:`candidates` can tell something."""
        return self._pins.set_by_task(reference)

    def candidates(self, reference: Reference, secrets: t.Sequence[bytes]) -> t.List[bytes]:
        """Returns those that may be right, as far as the disk tells; see :mod:`.telltale`. Costs no try."""
        return self._pins.candidates(reference, secrets)

    def must_change_pin(self) -> None:
        """From now on the PIN can do nothing but be changed."""
        self._pins.must_change()

    def change(
        self, reference: Reference, old: bytes, new: bytes, by_task: bool = False, must_change: bool = False
    ) -> None:
        """Changes PIN or PUK. If it is cut off, the one or the other is valid, and the next use tidies up.

        Whoever has changed the PIN has given it, so the card is open afterwards, as after :meth:`verify`.

        :param by_task: whether a task does it, which may run again and has to know the new one then
        :param must_change: whether the new PIN can do nothing but be changed
        :raises WrongSecret, Blocked, NotOffered, TpmLockout, InputError:
        """
        self._pins.change(reference, old, new, by_task, must_change)

    def unblock(self, puk: bytes, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        """Gives the card a new PIN with all its tries. If it is cut off, doing it again completes it.

        It neither opens nor closes the card.

        :param by_task: as in :meth:`change`
        :param must_change: as in :meth:`change`
        :raises WrongSecret, Blocked, NotOffered, TpmLockout, InputError:
        """
        self._pins.unblock(puk, new_pin, by_task, must_change)

    # The admin key.

    @property
    def challenge(self) -> AdminChallenge:
        """What the card asks of whoever says to have the admin key. It stays until somebody has answered it.

        :raises NotOffered: if the card has no admin key that anybody knows
        """
        return self._admin.challenge

    def authenticate(self, answer: bytes, prove: t.Callable[[AdminKey], bytes] = lambda _key: b"") -> bytes:
        """Lets an administrator in until :meth:`end_administration`. The card has another challenge afterwards.

        :param answer: to the challenge; its cipher's block size
        :param prove: makes the card's own proof that it knows the admin key; if it fails, nobody is let in
        :returns: the proof
        :raises WrongSecret, NotOffered:
        """
        return self._admin.authenticate(answer, prove)

    def administer(self, key: AdminKey) -> None:
        """Does :meth:`authenticate` for whoever has the admin key itself.

        :raises WrongSecret: also if the key is one of another cipher
        :raises NotOffered:
        """
        self._admin.administer(key)

    @property
    def administered(self) -> bool:
        """Whether the challenge was answered. Looks at the disk, not at the TPM."""
        self._session.look()
        return self._session.administrator is not None

    def end_administration(self) -> None:
        self._session.end_administration()

    def change_admin_key(self, key: AdminKey) -> None:
        """Gives the card another admin key. If it is cut off, the old or the new one is valid.

        :raises NotVerified: before the challenge was answered
        :raises InputError: for a weak key
        """
        self._admin.change_key(key)

    def reset_pin(self, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        """Lets the administrator give a new PIN with all its tries. If it is cut off, doing it again completes it.

        It neither opens nor closes the card.

        :param by_task: as in :meth:`change`
        :param must_change: as in :meth:`change`
        :raises NotVerified: before the challenge was answered
        :raises NotOffered: if the card has a PUK, which alone may do that then
        :raises InputError:
        """
        self._pins.reset(new_pin, by_task, must_change)

    def set_tries(self, pin: int, puk: int) -> None:
        """Lets the administrator and the verified PIN together set the tries of PIN and PUK, none of them spent.

        :param puk: of no effect for a card without PUK
        :raises NotVerified: before both were given
        :raises InputError:
        """
        self._admin.set_tries(pin, puk)

    def make_anew(self) -> None:
        """Makes a new card in place of one whose PIN and PUK are blocked. PIN, PUK and admin key are well-known then.

        :raises NotOffered: if whoever made the card does not allow that, or the TPM's owner does not
        :raises NotBlocked: if PIN or PUK have tries left
        """
        renewal.renew(self._session)

    # Keys.

    def keys(self) -> t.Mapping[int, Key]:
        return self._slots.keys()

    def make_key(self, wanted: KeySpecification, certify: t.Optional[Certify] = None) -> Key:
        """Makes a key in a slot, in place of what was there.

        :param certify: makes the slot's certificate, with the key; both are kept or none
        :raises NotVerified: before the PIN was verified or the administrator authenticated
        :raises NotOffered: if the TPM does not know the algorithm
        """
        return self._slots.make(wanted, certify)

    def import_key(self, wanted: KeySpecification, key: ExternalKey) -> Key:
        """Puts a key that was made elsewhere into a slot. The TPM vouches for nothing but its use.

        :raises NotVerified, NotOffered: as :meth:`make_key`
        """
        return self._slots.import_key(wanted, key)

    def remove_key(self, slot: int) -> None:
        """Forgets a key. A copy of the card's file still holds it, and still asks for the PIN.

        :raises NoSuchKey:
        """
        self._slots.remove(slot)

    def sign(self, slot: int, digest: bytes) -> bytes:
        """Returns a DER ECDSA-Sig-Value over a digest of any length.

        :raises NoSuchKey, NotVerified:
        :raises NotOffered: for more than 64 bytes and a curve that does not cut them off
        """
        return self._private_keys.sign(slot, digest)

    def ecdsa(self, slot: int, digest: bytes) -> t.Tuple[bytes, bytes]:
        """Returns r and s as the TPM gives them, big-endian, of as many bytes as the curve at most.

        :raises NoSuchKey, NotVerified, NotOffered: as :meth:`sign`
        """
        return self._private_keys.ecdsa(slot, digest)

    def rsa_private(self, slot: int, block: bytes) -> bytes:
        """Returns the bare RSA private operation on a block of the modulus' size.

        What leaves the TPM is encrypted on its way, unless the block is evidently a signature's.

        :raises NoSuchKey, NotVerified:
        :raises InputError: for a block that, as a number, is not below the modulus
        """
        return self._private_keys.rsa_private(slot, block)

    def ecdh(self, slot: int, point: bytes) -> bytes:
        """Returns the X coordinate of the ECDH shared point.

        :param point: the other side's, uncompressed: 04 X Y
        :raises NoSuchKey, NotVerified:
        :raises InputError: for a point that is not on the key's curve
        """
        return self._private_keys.ecdh(slot, point)

    def certify(self, slot: int, qualifying: bytes) -> Statement:
        """Returns what the TPM states of a key, signed by the card's attestation key: TPM2_Certify.

        :param qualifying: up to 64 bytes that the statement holds
        :raises NoSuchKey, NotVerified:
        :raises NotOffered: for a key from before store version 3
        """
        return self._private_keys.certify(slot, qualifying)

    def close(self) -> None:
        """Ends what a verified PIN and an administrator may do."""
        self._session.close()
