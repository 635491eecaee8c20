# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cards of a host in one slot, for the program that signs users in.

SSSD's helper ``p11_child`` takes the first slot, whoever signs in. So it gets but one, with the certificates of all
cards that have this face. SSSD knows which of them is the user's, and has that key sign. Then the PIN goes to that
card, and to no other.
"""

from __future__ import annotations

import dataclasses
import logging
import typing as t

from ..._card.edge import Edge
from ..._card.errors import CardGone, NotVerified
from ..._card.key import CONTAINER_SLOTS, Key, Slot
from ..._card.secret import Reference, Tries
from ..card import Card
from ..directory import Directory
from ..peer import ROOT, Peer
from .fault import CallRefused
from .reference import Rv

_log = logging.getLogger("hardbound")

_SLOT = 0
_UNTOLD = Tries(1, 1)
"""Each card has tries of its own; nothing is said of all together, and no TPM is asked."""


class _Member(t.NamedTuple):
    """A key that somebody may sign in with, and where it is."""

    card: Card
    slot: int


class Together:
    """Cards that look like one, whose containers hold the keys that people sign in with: 9A of PIV, all of GIDS.

    It has of :class:`~..card.Card` what a program needs that looks for a certificate and signs. The PIN is only kept
    until a key is used, unless there is but one card: which card's it is, nothing else tells.
    """

    edge = Edge.of(CONTAINER_SLOTS[0])
    name = "your smart card"  # SSSD asks for the "PIN for" this
    number = _SLOT
    serial = bytes(8)
    shortest_pin = 1
    pin_must_change = False
    administered = False

    def __init__(self, cards: t.Sequence[Card]) -> None:
        self._cards = cards
        self._pin: t.Optional[bytes] = None
        members = [_Member(card, slot) for card in cards for slot in _sign_in_slots(card)]
        if len(members) > len(CONTAINER_SLOTS):
            _log.warning("%d certificates to sign in with: %d are shown", len(members), len(CONTAINER_SLOTS))
        self._members = dict(zip(CONTAINER_SLOTS, members))

    @property
    def certificates(self) -> t.Mapping[int, bytes]:
        return {place: member.card.certificates[member.slot] for place, member in self._members.items()}

    def keys(self) -> t.Mapping[int, Key]:
        return {
            place: dataclasses.replace(member.card.keys()[member.slot], slot=place)
            for place, member in self._members.items()
        }

    def has(self, _reference: Reference) -> bool:
        return False

    def tries(self, _reference: Reference) -> Tries:
        return _UNTOLD

    def verify(self, pin: bytes) -> None:
        """Keeps the PIN. A card that is alone judges it at once.

        :raises WrongSecret, Blocked, TpmLockout:
        """
        if len(self._cards) == 1:
            _verify(self._cards[0], pin)
        self._pin = pin

    @property
    def verified(self) -> bool:
        return self._pin is not None

    def require_pin(self) -> None:
        """Whether a PIN has to be changed, its card says when the key is used."""

    def ecdsa(self, place: int, digest: bytes) -> t.Tuple[bytes, bytes]:
        """:raises WrongSecret, Blocked, PinDue, TpmLockout:"""
        member = self._opened(place)
        return member.card.ecdsa(member.slot, digest)

    def rsa_private(self, place: int, block: bytes) -> bytes:
        """:raises WrongSecret, Blocked, PinDue, TpmLockout:"""
        member = self._opened(place)
        return member.card.rsa_private(member.slot, block)

    def _refuse(self, *_whatever: object) -> t.NoReturn:
        """Nothing else is done here; a PIN is changed on its own card.

        :raises CallRefused: always
        """
        raise CallRefused(Rv.ACTION_PROHIBITED)

    ecdh = change = unblock = make_key = import_key = remove_key = store_certificate = _refuse

    def _opened(self, place: int) -> _Member:
        member = self._members[place]
        if self._pin is None:
            raise NotVerified("Enter the PIN first.")
        if not member.card.verified:
            _verify(member.card, self._pin)
        return member

    def logout(self) -> None:
        self._pin = None
        for card in self._cards:
            card.logout()

    def end_administration(self) -> None:
        """Nobody administers cards here."""

    def close(self) -> None:
        self._pin = None
        for card in self._cards:
            card.close()


def _sign_in_slots(card: Card) -> t.Iterator[int]:
    keys = card.keys()
    for slot in sorted(card.certificates):
        if slot in keys and (slot == Slot.AUTHENTICATION or slot in CONTAINER_SLOTS):
            yield slot


def _verify(card: Card, pin: bytes) -> None:
    """:raises CallRefused: for a PIN that the card can't have; a password that was typed for it costs no try"""
    if len(pin) > card.edge.longest_pin:
        raise CallRefused(Rv.PIN_INCORRECT)
    card.verify(pin)


class SignInCards:
    """The slot of a program that signs users in: one, and for root alone."""

    def __init__(self, directory: Directory, peer: Peer) -> None:
        self._directory = directory
        self._peer = peer

    @classmethod
    def of(cls, directory: Directory, peer: Peer) -> t.Optional[SignInCards]:
        """Returns the slot, or None for anybody but root."""
        return cls(directory, peer) if peer.uid == ROOT else None

    def usable(self) -> t.Sequence[int]:
        return [_SLOT] if self._directory.usable(self._peer) else []

    def may_use(self, number: int) -> bool:
        return number in self.usable()

    def open(self, _number: int) -> Card:
        """:raises CardGone: if there is no card left"""
        cards = list(self._open_all())
        if not cards:
            raise CardGone("There is no card to sign in with: make one.")
        return t.cast(Card, Together(cards))

    def _open_all(self) -> t.Iterator[Card]:
        for number in self._directory.usable(self._peer):
            try:
                yield self._directory.open(number)
            except CardGone:
                continue
