# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card as one program knows it: who has logged in there, and what the program sees of it.

Each program has a :class:`~..._card.card.Card` of its own, so a PIN that one has given opens nothing to another.
"""

from __future__ import annotations

import typing as t

from ..._card.admin_key import AdminKey
from ..._card.errors import PinDue
from ..._card.key import Key, PinUse
from ..._card.secret import Reference
from ..card import Card
from . import attributes, data_objects
from .attributes import Attributes
from .fault import CallRefused
from .reference import Cka, ObjectClass, Rv, TokenFlag, User

_KINDS = 8
"""Handles of a slot: one for each kind of object. They stay the same as long as the card."""


class Token:
    """:param number: of the card, which is that of the slot"""

    def __init__(self, number: int, card: Card) -> None:
        self.number = number
        self.card = card
        self._user: t.Optional[User] = None
        self._puk = b""
        self._just_verified = False
        self._seen: t.Tuple[object, ...] = ()
        self._objects: t.Dict[int, Attributes] = {}

    # Who has logged in.

    @property
    def user(self) -> t.Optional[User]:
        """Who has logged in, unless another process has ended that."""
        ended = self._user is User.USER and not self.card.verified
        if ended or (self._user is User.SO and not self._puk and not self.card.administered):
            self._forget()
        return self._user

    def _forget(self) -> None:
        self._user, self._puk, self._just_verified = None, b"", False

    def log_in(self, pin: bytes) -> None:
        """Verifies the PIN. A wrong one ends what a right one had opened.

        :raises WrongSecret, Blocked, TpmLockout:
        :raises CallRefused: for one that no card has; it costs no try
        """
        self._check_length(pin)
        self._forget()
        self.card.verify(pin)
        self._user, self._just_verified = User.USER, True

    def _check_length(self, pin: bytes) -> None:
        if not 0 < len(pin) <= self.card.edge.longest_pin:
            raise CallRefused(Rv.PIN_INCORRECT)

    def log_in_officer(self, secret: bytes) -> None:
        """Lets in whoever has the admin key, written in hexadecimal digits, or the PUK.

        :raises WrongSecret, Blocked, NotOffered, TpmLockout:
        """
        self._forget()
        key = self._admin_key(secret)
        if key is not None:
            self.card.administer(key)
        else:
            self._check_puk(secret)
        self._user = User.SO

    def _admin_key(self, secret: bytes) -> t.Optional[AdminKey]:
        """Returns the admin key that the digits make, or None if they make none for this card."""
        if not self.card.has(Reference.ADMIN):
            return None
        cipher = self.card.challenge.cipher
        try:
            return AdminKey(cipher, bytes.fromhex(secret.decode("ascii")))
        except ValueError:
            return None

    def _check_puk(self, secret: bytes) -> None:
        if not self.card.has(Reference.PUK):
            raise CallRefused(Rv.PIN_INCORRECT)
        self._check_length(secret)
        self.card.check(Reference.PUK, secret)
        self._puk = secret

    def log_out(self) -> None:
        """Ends what PIN, PUK or admin key had opened."""
        self._forget()
        self.card.logout()
        self.card.end_administration()

    def close(self) -> None:
        """Ends everything: the program has gone."""
        self._forget()
        self.card.close()

    def take_turn(self, key: Key) -> None:
        """Lets a key be used. One that always asks takes a PIN that nothing else was done with.

        :raises CallRefused: unless it was given
        """
        just_verified, self._just_verified = self._just_verified, False
        if key.pin is PinUse.ALWAYS and not just_verified:
            raise CallRefused(Rv.USER_NOT_LOGGED_IN)

    # PIN, PUK and admin key.

    def change_secret(self, old: bytes, new: bytes) -> None:
        """Changes the PIN, or what the security officer has logged in with.

        :raises WrongSecret, Blocked, TpmLockout, InputError:
        """
        if self.user is User.SO:
            self._change_officers(old, new)
            return
        self._check_length(old)
        self.card.change(Reference.PIN, old, new)
        if self.user is not User.USER:
            self.card.logout()

    def _change_officers(self, old: bytes, new: bytes) -> None:
        if self._puk:
            self.card.change(Reference.PUK, old, new)
            self._puk = new
            return
        key, replacement = self._admin_key(old), self._admin_key(new)
        if replacement is None:
            raise CallRefused(Rv.PIN_INVALID)
        if key is None:
            raise CallRefused(Rv.PIN_INCORRECT)
        self.card.administer(key)
        self.card.change_admin_key(replacement)

    def give_pin(self, pin: bytes) -> None:
        """Lets the security officer give a new PIN.

        :raises NotOffered: if the admin key may not, because the card has a PUK
        :raises WrongSecret, Blocked, TpmLockout, InputError:
        """
        if self._puk:
            self.card.unblock(self._puk, pin)
        else:
            self.card.reset_pin(pin)

    def require_writer(self) -> None:
        """Lets the administrator change what is on the card, and the user where the card's edge has it so.

        :raises CallRefused, NotVerified, PinDue: for anybody else
        """
        if self.user is User.SO and self.card.administered:
            return
        if not self.card.edge.user_writes:
            raise CallRefused(Rv.USER_NOT_LOGGED_IN)
        self.card.require_pin()

    # Its state.

    def flags(self) -> TokenFlag:
        """:raises TpmError: if the TPM can't be asked for the tries"""
        flags = TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED | TokenFlag.TOKEN_INITIALIZED
        low, last, locked = TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED
        flags |= self._tries(Reference.PIN, low, last, locked)
        if self.card.has(Reference.PUK):
            low, last, locked = TokenFlag.SO_PIN_COUNT_LOW, TokenFlag.SO_PIN_FINAL_TRY, TokenFlag.SO_PIN_LOCKED
            flags |= self._tries(Reference.PUK, low, last, locked)
        return flags | (TokenFlag.USER_PIN_TO_BE_CHANGED if self._is_due() else TokenFlag(0))

    def _tries(self, reference: Reference, low: TokenFlag, last: TokenFlag, locked: TokenFlag) -> TokenFlag:
        tries = self.card.tries(reference)
        if not tries.left:
            return locked
        if tries.left == 1 and tries.limit > 1:
            return low | last
        return low if tries.left < tries.limit else TokenFlag(0)

    def _is_due(self) -> bool:
        if self.card.pin_must_change:
            return True
        if self.card.verified:
            try:
                self.card.require_pin()
            except PinDue:
                return True
        return False

    # Its objects.

    def objects(self) -> t.Mapping[int, Attributes]:
        """Returns the objects that the program may see now, by handle."""
        return {**self._keys_and_certificates(), **data_objects.visible(self.card, self._is_open)}

    def object(self, handle: int) -> t.Optional[Attributes]:
        """Returns one of them, or None. For a key or a certificate no data object is read from the card."""
        found = self._keys_and_certificates().get(handle)
        return data_objects.visible(self.card, self._is_open).get(handle) if found is None else found

    @property
    def _is_open(self) -> bool:
        """Whether the user has logged in, with a PIN that is good for more than its change."""
        return self.user is User.USER and not self._is_due()

    def _keys_and_certificates(self) -> t.Mapping[int, Attributes]:
        keys, certificates = self.card.keys(), self.card.certificates
        if self._seen != (keys, certificates):
            self._seen = (dict(keys), dict(certificates))
            self._objects = dict(_objects(keys, certificates))
        if self.user is User.USER:
            return self._objects
        return {handle: each for handle, each in self._objects.items() if not each[Cka.PRIVATE]}

    def private_key(self, handle: int) -> Key:
        """Returns the key behind a handle.

        :raises CallRefused: if the program sees none there
        """
        slot, kind = slot_and_kind(handle)
        key = self.card.keys().get(slot) if kind == ObjectClass.PRIVATE_KEY else None
        if key is None or (attributes.is_private(key) and self.user is not User.USER):
            raise CallRefused(Rv.KEY_HANDLE_INVALID)
        return key


def handle_of(slot: int, kind: ObjectClass) -> int:
    """Returns the handle of an object."""
    return slot * _KINDS + kind


def slot_and_kind(handle: int) -> t.Tuple[int, int]:
    """Returns what :func:`handle_of` was made from."""
    return divmod(handle, _KINDS)


def _objects(keys: t.Mapping[int, Key], certificates: t.Mapping[int, bytes]) -> t.Iterator[t.Tuple[int, Attributes]]:
    for slot, der in sorted(certificates.items()):
        yield handle_of(slot, ObjectClass.CERTIFICATE), attributes.certificate(slot, der)
    for slot, key in sorted(keys.items()):
        yield handle_of(slot, ObjectClass.PUBLIC_KEY), attributes.public_key(key)
        yield handle_of(slot, ObjectClass.PRIVATE_KEY), attributes.private_key(key, certificates.get(slot))
