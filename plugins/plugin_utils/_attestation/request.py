# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller asked for: from the inventory alone, and a nonce for each card."""

from __future__ import annotations

import enum
import os
import typing as t
from dataclasses import dataclass

from ...module_utils._card.key import PinUse, default_pin_use, slot_name
from ...module_utils._encoding.evidence import LONGEST_NAME, MOST_CARDS, MOST_KEYS, Document
from ...module_utils._encoding.fields import Fields, encoded
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._errors import InputError
from .._ca.oid import Assurance
from .._ledger.replacement import DIGITS, NOTHING, Replacement

NONCE_SIZE = 32
LONGEST_HOST = 253
MOST_TRIES = 2**32 - 1
_FINGERPRINT = 64


@dataclass(frozen=True)
class KeyRequest:
    """A key that the inventory asks for.

    :param assurance: what its profile wants to be verified
    """

    slot: str
    algorithm: KeyAlgorithm
    pin: PinUse
    assurance: Assurance = Assurance.FIXED

    @classmethod
    def of(cls, slot: int, algorithm: KeyAlgorithm, assurance: Assurance = Assurance.FIXED) -> KeyRequest:
        """Returns the request for a key that asks for the PIN as its slot does by default."""
        return cls(slot_name(slot), algorithm, default_pin_use(slot), assurance)

    @classmethod
    def read(cls, fields: Fields) -> KeyRequest:
        names = ("slot", "algorithm", "pin", "assurance")
        slot, algorithm, pin, assurance = (fields.text(name, 32) for name in names)
        fields.end()
        return cls(slot, KeyAlgorithm(algorithm), PinUse(pin), Assurance(assurance))

    def document(self) -> Document:
        enumerations: t.Dict[str, enum.Enum] = {
            "algorithm": self.algorithm,
            "pin": self.pin,
            "assurance": self.assurance,
        }
        return {"slot": self.slot, **{name: member.value for name, member in enumerations.items()}}


@dataclass(frozen=True)
class CardRequest:
    """A card that the inventory asks for.

    :param nonce: 32 random bytes, made for this host, card and run
    :param pin_retries: tries that the PIN has when none is spent
    :param puk_retries: the same for the PUK, where there is one
    :param fresh: whether the keys must have been made for this request
    :param sealed: whether the TPM must have been restarted since the card was made
    :param uncertified_ek: whether the EK may lack a certificate, where the request names the EK
    """

    name: str
    nonce: bytes
    keys: t.Tuple[KeyRequest, ...]
    pin_retries: int
    puk_retries: int = 0
    puk: bool = False
    admin: bool = False
    fresh: bool = False
    sealed: bool = False
    uncertified_ek: bool = False

    @classmethod
    def read(cls, fields: Fields) -> CardRequest:
        card = cls(
            name=fields.text("name", LONGEST_NAME),
            nonce=fields.octets("nonce", NONCE_SIZE),
            keys=tuple(KeyRequest.read(key) for key in fields.objects("keys", MOST_KEYS)),
            pin_retries=fields.number("pin_retries", MOST_TRIES),
            puk_retries=fields.number("puk_retries", MOST_TRIES),
            puk=fields.flag("puk"),
            admin=fields.flag("admin"),
            fresh=fields.flag("fresh"),
            sealed=fields.has("sealed") and fields.flag("sealed"),
            uncertified_ek=fields.has("uncertified_ek") and fields.flag("uncertified_ek"),
        )
        fields.end()
        return card

    def document(self) -> Document:
        demands = {name: True for name in ("sealed", "uncertified_ek") if getattr(self, name)}
        return {
            "name": self.name,
            "nonce": encoded(self.nonce),
            "keys": [key.document() for key in self.keys],
            "pin_retries": self.pin_retries,
            "puk_retries": self.puk_retries,
            "puk": self.puk,
            "admin": self.admin,
            "fresh": self.fresh,
            **demands,
        }


@dataclass(frozen=True)
class EvidenceRequest:
    """What one host is asked to show.

    :param host: its name in the inventory
    :param ek: the EK that the inventory names for it, SHA-256 of its SubjectPublicKeyInfo in hex, or empty
    :param replacement: what may be another than before
    """

    host: str
    cards: t.Tuple[CardRequest, ...]
    ek: str = ""
    replacement: Replacement = NOTHING

    def validate(self) -> EvidenceRequest:
        """Returns itself.

        :raises InputError: if a nonce is short or used twice, a card is named twice, or an EK is no fingerprint
        """
        names, nonces = [card.name for card in self.cards], [card.nonce for card in self.cards]
        if len(set(names)) != len(names):
            raise InputError("cards", "names a card twice", "name each card of a host once")
        if len(set(nonces)) != len(nonces) or any(len(nonce) != NONCE_SIZE for nonce in nonces):
            raise InputError("nonce", f"is not {NONCE_SIZE} bytes, or not one for each card", "make one with new_nonce")
        if self.ek and (len(self.ek) != _FINGERPRINT or set(self.ek) - set("0123456789abcdef")):
            raise InputError("ek", "is no SHA-256 in lower case hex", "take it from an earlier verification")
        return self

    @classmethod
    def parse(cls, document: t.Any) -> EvidenceRequest:
        """Returns a request out of a bundle.

        :raises WireError: if a field is missing, of a wrong type, or too large
        :raises ValueError: if an algorithm or use is unknown
        """
        fields = Fields(document, "request")
        request = cls(
            host=fields.text("host", LONGEST_HOST),
            cards=tuple(CardRequest.read(card) for card in fields.objects("cards", MOST_CARDS)),
            ek=fields.text("ek", _FINGERPRINT) if fields.has("ek") else "",
            replacement=_read_replacement(fields.object("replaces")),
        )
        fields.end()
        return request.validate()

    def document(self) -> Document:
        document: Document = {
            "host": self.host,
            "cards": [card.document() for card in self.cards],
            "replaces": _replacement_document(self.replacement),
        }
        return {**document, "ek": self.ek} if self.ek else document


def _replacement_document(replacement: Replacement) -> Document:
    cards = [{"name": name, "fingerprint": value} for name, value in sorted(replacement.cards.items())]
    return {"cards": cards, **({"tpm": replacement.tpm} if replacement.tpm else {})}


def _read_replacement(fields: Fields) -> Replacement:
    tpm = fields.text("tpm", DIGITS) if fields.has("tpm") else ""
    cards = {}
    for card in fields.objects("cards", MOST_CARDS):
        cards[card.text("name", LONGEST_NAME)] = card.text("fingerprint", DIGITS)
        card.end()
    fields.end()
    return Replacement(tpm, cards)


def new_nonce() -> bytes:
    """Returns the nonce of one card in one run: random, so it belongs to no other."""
    return os.urandom(NONCE_SIZE)
