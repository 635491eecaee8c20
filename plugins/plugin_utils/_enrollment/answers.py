# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answers, read: it may be anything, and what is not as it should be was not said."""

from __future__ import annotations

import base64
import binascii
import typing as t
from dataclasses import dataclass, field

from ...module_utils._card.key import slot_number
from ...module_utils._encoding.evidence import LONGEST_NAME, MOST_CARDS, Document
from ...module_utils._encoding.recovery_order import is_identifier
from ...module_utils._escrow import ESCROWED
from . import words

_MOST_ENTRIES = 64
"""Keys of a card, and more."""


@dataclass(frozen=True)
class HeldCard:
    """What a host says of a card that it has made or has.

    :param changed: whether it was made or changed in this run
    :param escrowed: PIN and admin key of a card that was just made, encrypted for whom the inventory says
    :param digests: SHA-256, in hex, of the certificates on it, by the reference of the slot
    :param ak_digest: the same of the attestation key's certificate
    :param attestations: the same of what attests its keys, each followed by the signer's certificate
    :param signatures: over requests for another CA, by slot
    :param recovery: identifiers of the halves that its PUK is made of, the newest first
    """

    changed: bool = False
    escrowed: t.Mapping[str, t.Optional[str]] = field(default_factory=lambda: dict.fromkeys(ESCROWED))
    digests: t.Mapping[str, str] = field(default_factory=dict)
    ak_digest: str = ""
    attestations: t.Mapping[str, str] = field(default_factory=dict)
    signatures: t.Mapping[str, bytes] = field(default_factory=dict)
    recovery: t.Tuple[str, ...] = ()

    @classmethod
    def read(cls, card: t.Mapping[str, t.Any]) -> HeldCard:
        return cls(
            changed=card.get("changed") is True,
            escrowed=escrowed(card),
            digests=_texts(card.get("certificates")),
            ak_digest=text(card.get("ak_certificate")),
            attestations=_texts(card.get("attestations")),
            signatures={slot: octets(value) for slot, value in _texts(card.get("signatures")).items()},
            recovery=identifiers(card.get("recovery")),
        )

    def digest(self, slot: str) -> str:
        """Returns the digest of what a slot holds; of the attestation key's certificate for no slot."""
        return self.digests.get(_reference(slot), "") if slot else self.ak_digest

    def attestation(self, slot: str) -> str:
        """Returns the digest of what attests the slot's key."""
        return self.attestations.get(_reference(slot), "")


def _reference(slot: str) -> str:
    return f"{slot_number(slot):02X}"


@dataclass(frozen=True)
class FirstAnswer:
    """The answer of ``smartcard_evidence``.

    :param evidence: for the verifier, as it came
    :param shown: the slots that the evidence shows, by card
    :param before: cards as a diff shows them
    """

    cards: t.Mapping[str, HeldCard]
    evidence: t.Any
    shown: t.Mapping[str, t.AbstractSet[str]]
    before: t.Any = None
    after: t.Any = None
    warnings: t.Tuple[str, ...] = ()

    @classmethod
    def read(cls, answer: t.Any) -> FirstAnswer:
        said = answer if isinstance(answer, dict) else {}
        made = said.get("diff")
        diff = made if isinstance(made, dict) else {}
        return cls(
            cards={name: HeldCard.read(card) for name, card in _named(said.get("cards")).items()},
            evidence=said.get("evidence"),
            shown=_shown(said.get("evidence")),
            before=words.plain(diff.get("before")),
            after=words.plain(diff.get("after")),
            warnings=tuple(words.sentences(said.get("warnings"))),
        )

    def card(self, name: str) -> HeldCard:
        return self.cards.get(name, HeldCard())


@dataclass(frozen=True)
class SecondAnswer:
    """What ``smartcard_activate`` answers for one card.

    :param answer: to the challenge
    :param failure: why there is none, in the host's words
    """

    answer: bytes = b""
    failure: str = ""

    @classmethod
    def read_all(cls, answer: t.Any) -> t.Dict[str, SecondAnswer]:
        """Returns the answers by card."""
        said = answer if isinstance(answer, dict) else {}
        cards = _named(said.get("cards"))
        return {
            name: cls(octets(card.get("answer")), words.sentence(card.get("failure"))) for name, card in cards.items()
        }


def identifiers(value: t.Any) -> t.Tuple[str, ...]:
    """Returns what a host says of the halves that a card has."""
    some = value[:_MOST_ENTRIES] if isinstance(value, list) else []
    return tuple(each for each in some if isinstance(each, str) and is_identifier(each))


def escrowed(card: t.Mapping[str, t.Any]) -> t.Dict[str, t.Optional[str]]:
    """Returns what a host tells once of a card that it has made."""
    return {what: text(card.get(what)) or None for what in ESCROWED}


def told_cards(cards: t.Any) -> t.List[Document]:
    """Returns of what a host says of its cards what it tells once: see :func:`escrowed`."""
    told = ((name, escrowed(card)) for name, card in _named(cards).items())
    return [{"name": name, **{what: value for what, value in each.items() if value}} for name, each in told]


def _named(cards: t.Any) -> t.Dict[str, t.Dict[str, t.Any]]:
    found: t.Dict[str, t.Dict[str, t.Any]] = {}
    for card in cards[: 2 * MOST_CARDS] if isinstance(cards, list) else ():
        name = card.get("name") if isinstance(card, dict) else None
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME:
            found.setdefault(words.sentence(name), card)
    return found


def _shown(evidence: t.Any) -> t.Dict[str, t.Set[str]]:
    cards = _named(evidence.get("cards")) if isinstance(evidence, dict) else {}
    return {name: {text(key.get("slot")) for key in _objects(card.get("keys"))} for name, card in cards.items()}


def _objects(value: t.Any) -> t.List[t.Dict[str, t.Any]]:
    some = value[:_MOST_ENTRIES] if isinstance(value, list) else []
    return [each for each in some if isinstance(each, dict)]


def _texts(value: t.Any) -> t.Dict[str, str]:
    entries = list(value.items())[:_MOST_ENTRIES] if isinstance(value, dict) else []
    return {str(name): str(each) for name, each in entries if isinstance(name, str) and isinstance(each, str)}


def text(value: t.Any) -> str:
    """Returns what a host says, if that is text, without what would not print; else nothing."""
    return words.text(str(value)) if isinstance(value, str) else ""


def octets(value: t.Any) -> bytes:
    """Returns bytes that a host says in base64, or none."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (ValueError, binascii.Error):
        return b""
