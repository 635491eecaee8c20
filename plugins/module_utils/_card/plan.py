# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for one card: what has to happen so that it is as specified. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._errors import InputError
from .._pin import PinPolicy
from .._spine import Plan
from . import outlasting
from .attestation import Attestation
from .errors import CardLost
from .face import Face
from .key import slot_name
from .record import Record, State, free_number, instance_id
from .specification import CHANGEABLE, KeySpecification, Specification


@dataclass(frozen=True)
class Tidy:
    """Remove what an interrupted run has left of a card."""

    number: int


@dataclass(frozen=True)
class Create:
    specification: Specification


@dataclass(frozen=True)
class MakeKeys:
    keys: t.Tuple[KeySpecification, ...]


@dataclass(frozen=True)
class MakeAttestationKey:
    """For a card that was made without one."""


@dataclass(frozen=True)
class Adjust:
    """Change what a card's record says and the TPM does not know."""

    specification: Specification


@dataclass(frozen=True)
class Destroy:
    number: int


Step = t.Union[Tidy, Create, MakeKeys, MakeAttestationKey, Adjust, Destroy]


@dataclass(frozen=True)
class CurrentCards:
    """What was found: all records of the store, and whether the card in question is whole in its TPM."""

    records: t.Tuple[Record, ...]
    whole: bool = True

    def find(self, name: t.Optional[str], number: t.Optional[int] = None) -> t.Optional[Record]:
        """Returns the card that a task names: by its name, by its number, or by both.

        :raises InputError: if name and number are those of two cards, or the one is of none. Numbers are used again, so
            an old one may be another card's by now
        """
        ready = [record for record in self.records if record.state is State.READY]
        by_name = next((card for card in ready if card.name == name), None)
        by_number = next((card for card in ready if card.number == number), None)
        if name is None or number is None:
            return by_number if name is None else by_name
        if by_name is not by_number:
            there = f"is the card {by_number.name!r}" if by_number else "no card has"
            named = f"has {by_name.instance_id}" if by_name else "does not exist"
            fault = f"is {instance_id(number)}, which {there}, but the card {name!r} {named}"
            raise InputError("instance_id", fault, "give one of the two, or those of one card")
        return by_name

    @property
    def remains(self) -> t.Tuple[Tidy, ...]:
        return tuple(Tidy(record.number) for record in self.records if record.state is not State.READY)


def plan_present(desired: Specification, current: CurrentCards) -> Plan[Step]:
    """Plans for a card to be as specified.

    :raises InputError: if it exists with something that can't be changed any more
    :raises StateError: if it exists, but not in the TPM
    """
    card = current.find(desired.name)
    if card is None:
        made: t.Tuple[Step, ...] = (*current.remains, Create(desired), *_missing(desired.keys))
        return Plan(made, {}, describe(desired), _title(desired.name))
    if not current.whole:
        raise CardLost(card.name, card.instance_id)
    _refuse_changes(desired, card)
    missing = tuple(key for key in desired.keys if key.slot not in card.keys)
    changes: t.Tuple[Step, ...] = (*_adjustments(desired, card), *_attestation_key(desired, card), *_missing(missing))
    steps: t.Tuple[Step, ...] = (*current.remains, *changes)
    return Plan(steps, describe_record(card), describe(desired, card), _title(desired.name))


def plan_absent(card: t.Optional[Record], current: CurrentCards, name: str) -> Plan[Step]:
    """Plans for a card to be gone. That can't be undone."""
    if card is None:
        return Plan(current.remains, {}, {}, _title(name))
    steps: t.Tuple[Step, ...] = (*current.remains, Destroy(card.number))
    return Plan(steps, describe_record(card), {}, _title(card.name), (outlasting.AFTER_END,))


def _missing(keys: t.Tuple[KeySpecification, ...]) -> t.Tuple[MakeKeys, ...]:
    return (MakeKeys(keys),) if keys else ()


def _attestation_key(desired: Specification, card: Record) -> t.Tuple[MakeAttestationKey, ...]:
    wanted = desired.attestation is not Attestation.NONE
    return (MakeAttestationKey(),) if wanted and card.ak is None else ()


def _title(name: str) -> str:
    return f"virtual smart card {name}"


def _adjustments(desired: Specification, card: Record) -> t.Tuple[Adjust, ...]:
    found = {name: getattr(card, name) for name in desired.changeable}
    return () if desired.changeable == found and card.generated >= desired.generate else (Adjust(desired),)


def _refuse_changes(desired: Specification, card: Record) -> None:
    """What the TPM was told when the card was made stays."""
    fixed = (
        ("tpm", str(desired.tcti), card.tcti),
        ("card_edge", desired.edge.value, card.edge.value),
        ("pin_retries", desired.pin_retries, card.pin_retries),
        ("puk_retries", desired.puk_retries, card.puk_retries),
    )
    for field, wanted, found in fixed:
        if wanted != found:
            raise _fixed(field, f"is {wanted}, but the card {card.name!r} was made with {found}")
    if desired.has_puk != card.has_puk:
        has = "has one" if card.has_puk else "has none"
        fault = f"is {'wanted' if desired.has_puk else 'left out'}, but the card {card.name!r} {has}"
        raise _fixed("puk", fault, "" if desired.has_puk else "say has_puk: true, ")
    if desired.has_admin != card.has_admin:
        has = "has one" if card.has_admin else "has none that anybody knows"
        fault = f"is {'wanted' if desired.has_admin else 'left out'}, but the card {card.name!r} {has}"
        raise _fixed("admin_key", fault, "" if desired.has_admin else "say has_admin_key: true, ")
    for key in desired.keys:
        made = card.keys.get(key.slot)
        if made is not None and made.algorithm is not key.algorithm:
            wanted = f"wants {key.algorithm.value} in slot {slot_name(key.slot)}"
            fault = f"{wanted}, but there is a key of {made.algorithm.value}"
            raise _fixed("keys", fault)


def _fixed(field: str, fault: str, first: str = "") -> InputError:
    return InputError(field, fault, f"{first}leave it as it is, or remove the card with state: absent and make it anew")


class Holding(t.NamedTuple):
    """A card as its host presents it.

    :param in_p11_kit: whether p11-kit shows it without a reader
    """

    number: int
    name: str
    owner: str
    group: str
    has_reader: bool = True
    in_p11_kit: bool = False

    @classmethod
    def of(cls, number: int, card: t.Union[Specification, Record], presented: bool) -> Holding:
        """Returns a card with the faces that are wanted of it, or that it has."""
        shown = [face for face in card.faces if presented]
        return cls(number, card.name, card.owner, card.group, Face.PCSC in shown, Face.PKCS11 in shown)


def after(plan: Plan[Step], records: t.Sequence[Record], present_new: bool = True) -> t.List[Holding]:
    """Returns the host's cards as they will be once the plan is carried out.

    :param present_new: whether a card that the plan makes gets a reader
    """
    ready = [record for record in records if record.state is State.READY]
    cards = {each.number: Holding.of(each.number, each, each.presented) for each in ready}
    shown = {each.number: each.presented for each in ready}
    for step in plan.steps:
        if isinstance(step, Destroy):
            del cards[step.number]
        elif isinstance(step, (Create, Adjust)):
            wanted = step.specification
            number = next((card.number for card in cards.values() if card.name == wanted.name), free_number(cards))
            cards[number] = Holding.of(number, wanted, shown.get(number, present_new))
    return list(cards.values())


def describe(desired: Specification, card: t.Optional[Record] = None) -> t.Dict[str, t.Any]:
    """Returns what a person reads of a card: of the desired one, with the keys that it has beside those asked for."""
    keys = {slot_name(slot): key.algorithm.value for slot, key in (card.keys if card else {}).items()}
    keys.update({slot_name(key.slot): key.algorithm.value for key in desired.keys})
    return {
        **_shown(desired),
        "generated": desired.generate or bool(card and card.generated),
        "attestation": max(desired.attestation, _attestation_of(card), key=lambda each: each.rank).value,
        "keys": keys,
    }


def describe_record(card: Record) -> t.Dict[str, t.Any]:
    """Returns the same of a card that exists."""
    return {
        **_shown(card),
        "generated": card.generated,
        "attestation": card.attestation.value,
        "keys": {slot_name(slot): key.algorithm.value for slot, key in sorted(card.keys.items())},
    }


def _shown(card: t.Union[Specification, Record]) -> t.Dict[str, t.Any]:
    """What is said of a wanted card and of one that exists by the same names."""
    return {
        **{name: _plain(getattr(card, name)) for name in ("name", "pin_retries", *CHANGEABLE)},
        "card_edge": card.edge.value,
        "tpm": str(card.tcti),
        "puk_retries": card.puk_retries if card.has_puk else None,
        "has_admin_key": card.has_admin,
    }


def _attestation_of(card: t.Optional[Record]) -> Attestation:
    """A card that is made gets an attestation key, whether it is asked for or not."""
    return card.attestation if card else Attestation.AIK_ONLY


def _plain(value: t.Any) -> t.Any:
    """Returns a field of a card as JSON has it."""
    if isinstance(value, PinPolicy):
        return {rule: _plain(each) for rule, each in asdict(value).items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return getattr(value, "value", value)
