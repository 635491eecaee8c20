# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of owners, answered. Each opens the card anew, and leaves it closed: no login outlives its question."""

from __future__ import annotations

import contextlib
import typing as t

from ..._card import errors
from ..._card.key import Key, PinUse, slot_name, slot_number
from ..._card.secret import Reference
from ..._encoding.fields import encoded
from ..._encoding.owner_call import Message, MessageError, OwnerCall, OwnerFault, bytes_of
from ..._encoding.rsa_padding import digest_info, pad_pkcs1
from ..._errors import HardboundError, InputError
from ..card import Card, CardPasskeys, PasskeyCard
from ..directory import UserCards
from .view import ReaderSight, passkey_view, view

_FAULTS: t.Tuple[t.Tuple[t.Type[Exception], OwnerFault], ...] = (
    (MessageError, OwnerFault.QUESTION),
    (errors.CardGone, OwnerFault.NO_CARD),
    (errors.WrongSecret, OwnerFault.WRONG),
    (errors.Blocked, OwnerFault.BLOCKED),
    (errors.PinDue, OwnerFault.DUE),
    (errors.TpmLockedOut, OwnerFault.TPM),
    (errors.CardError, OwnerFault.CARD),
    (InputError, OwnerFault.RULE),
    (HardboundError, OwnerFault.TPM),
)
"""The first that fits. What a card does not answer for, is the TPM's."""


class OwnerCalls:
    """:param cards: those of whoever asks
    :param readers: which card is in which reader
    :param failed: told of what is no answer
    """

    def __init__(self, cards: UserCards, readers: ReaderSight, failed: t.Callable[[Exception], None]) -> None:
        self._cards = cards
        self._readers = readers
        self._failed = failed

    def answer(self, question: Message) -> Message:
        """Answers any message, and raises nothing."""
        try:
            call = _CALLS.get(str(question.get("call")))
            if call is None:
                raise MessageError("The card service does not know what is asked: bring the command up to date.")
            return {"answer": call(self, question)}
        except Exception as error:
            return self._refusal(error)

    def _refusal(self, error: Exception) -> Message:
        fault = next((fault for kind, fault in _FAULTS if isinstance(error, kind)), OwnerFault.SERVICE)
        if fault in (OwnerFault.SERVICE, OwnerFault.TPM):
            self._failed(error)
        told = str(error) if fault is not OwnerFault.SERVICE else "The card service failed: its log says where."
        left = {"left": error.left} if isinstance(error, errors.WrongSecret) else {}
        return {"fault": fault.value, "message": told, **left}

    def cards(self, _question: Message) -> t.List[Message]:
        return [view(card, self._readers) for card in self._all()]

    def due(self, _question: Message) -> t.List[Message]:
        """Asks no TPM, because somebody waits for it who wants to sign in."""
        due = [(card, card.pin_due) for card in self._all()]
        return [{"card": card.number, "name": card.name, "pin_due": why.value} for card, why in due if why]

    def _all(self) -> t.Iterator[Card]:
        for number in self._cards.usable():
            try:
                card = self._cards.open(number)
            except errors.CardGone:
                continue
            with contextlib.closing(card):
                yield card

    def change_pin(self, question: Message) -> None:
        """:raises WrongSecret, Blocked, TpmLockout, InputError:"""
        with self._open(question) as card:
            card.change(Reference.PIN, _secret(card, question, Reference.PIN), _text(question, "new_pin"))

    def unblock(self, question: Message) -> None:
        """:raises WrongSecret, Blocked, NotOffered, TpmLockout, InputError:"""
        with self._open(question) as card:
            if not card.has(Reference.PUK):
                raise errors.NotOffered(f"The card {card.name!r} has no PUK: ask your administrator for a new PIN.")
            card.unblock(_secret(card, question, Reference.PUK), _text(question, "new_pin"))

    def sign(self, question: Message) -> str:
        """:raises WrongSecret, Blocked, PinDue, NoSuchKey, TpmLockout:"""
        with self._open(question) as card:
            key = _key(card, question)
            digest = bytes_of(question.get("digest"))
            if len(digest) != key.algorithm.digest_size:
                raise MessageError("The digest has not the size of the key's own hash.")
            if key.pin is not PinUse.NEVER:
                card.verify(_secret(card, question, Reference.PIN))
            return encoded(_signature(card, key, digest))

    def passkeys(self, question: Message) -> t.List[Message]:
        """Whom somebody has accounts with, is told for the PIN alone, as it is to clients of FIDO2.

        :raises WrongSecret, Blocked, PinDue, TpmLockout:
        """
        with self._unlocked(question) as card:
            return [passkey_view(each) for each in _passkeys(card).listed()]

    def remove_passkey(self, question: Message) -> None:
        """:raises WrongSecret, Blocked, PinDue, NoSuchKey, TpmLockout:"""
        with self._unlocked(question) as card:
            _passkeys(card).remove(bytes_of(question.get("passkey")))

    @contextlib.contextmanager
    def _unlocked(self, question: Message) -> t.Iterator[Card]:
        """:raises WrongSecret, Blocked, PinDue, TpmLockout:"""
        with self._open(question) as card:
            card.verify(_secret(card, question, Reference.PIN))
            card.require_pin()
            yield card

    def _open(self, question: Message) -> t.ContextManager[Card]:
        """:raises CardGone: for a card of somebody else as for one that is not there"""
        number = question.get("card")
        if not isinstance(number, int) or not self._cards.may_use(number):
            raise errors.CardGone("You have no such card: see which there are with status.")
        return contextlib.closing(self._cards.open(number))


def _passkeys(card: Card) -> CardPasskeys:
    """Every card has them, if none is among them: the edges of PIV and GIDS alone do not need to know."""
    return t.cast(PasskeyCard, card).passkeys


def _signature(card: Card, key: Key, digest: bytes) -> bytes:
    if not key.algorithm.is_rsa:
        return card.sign(key.slot, digest)
    return card.rsa_private(key.slot, pad_pkcs1(digest_info(key.algorithm.hash.name, digest), key.algorithm.size))


def _key(card: Card, question: Message) -> Key:
    """:raises NoSuchKey: where the slot is empty"""
    slot = slot_number(str(question.get("slot")))
    found = card.keys().get(slot)
    if found is None:
        raise errors.NoSuchKey(f"The slot {slot_name(slot)} holds no key.")
    return found


def _secret(card: Card, question: Message, reference: Reference) -> bytes:
    """Returns PIN or PUK. What no card can have costs no try.

    :raises InputError: for such a one
    """
    secret = _text(question, reference.value)
    if not 0 < len(secret) <= card.edge.longest_pin:
        raise InputError(reference.title, "has not the length of one", "enter the right one")
    return secret


def _text(question: Message, field: str) -> bytes:
    """:raises MessageError: if there is none"""
    text = question.get(field)
    if not isinstance(text, str):
        raise MessageError(f"The question lacks {field}.")
    return text.encode()


_CALLS: t.Mapping[str, t.Callable[[OwnerCalls, Message], t.Any]] = {
    OwnerCall.CARDS: OwnerCalls.cards,
    OwnerCall.DUE: OwnerCalls.due,
    OwnerCall.CHANGE_PIN: OwnerCalls.change_pin,
    OwnerCall.UNBLOCK: OwnerCalls.unblock,
    OwnerCall.SIGN: OwnerCalls.sign,
    OwnerCall.PASSKEYS: OwnerCalls.passkeys,
    OwnerCall.REMOVE_PASSKEY: OwnerCalls.remove_passkey,
}
