# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard_key``: one key of a card."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._card.key import PinUse, slot_name
from .._card.readiness import check_algorithms
from .._card.record import KeyRecord, Record
from .._card.report import report_key
from .._card.specification import KeySpecification
from .._errors import InputError
from .._spine import Plan, View, unknown
from .arguments import KEY
from .existing_card import CARD, ExistingCard, naming
from .secret_arguments import Arguments

if t.TYPE_CHECKING:
    from .._card.card import Card

ARGUMENTS: Arguments = {
    **CARD,
    **KEY,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pin": {"type": "str", "no_log": True},
}


@dataclass(frozen=True)
class WantedKey:
    """A key that shall be in its slot, or not."""

    key: KeySpecification
    present: bool
    pin: t.Optional[str] = field(default=None, repr=False)

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedKey:
        """:raises InputError: for an unknown slot"""
        return cls(KeySpecification.parse(task), task["state"] == "present", task["pin"])

    def check(self, found: t.Optional[KeyRecord], card: Record) -> None:
        """:raises InputError: for a key that can't be made as things are"""
        self.key.check(card.edge, card.faces)
        if found is not None and found.algorithm is not self.key.algorithm:
            there = f"is {self.key.algorithm.value}, but slot {slot_name(self.key.slot)} of the card {card.name!r}"
            fault = f"{there} holds a key of {found.algorithm.value}"
            raise InputError("algorithm", fault, "leave it as it is, or remove the key first with state: absent")
        if found is None and self.pin is None and self.key.pin is not PinUse.NEVER:
            raise InputError("pin", "is missing, and a new key needs it", "give it from a vaulted variable")


@dataclass(frozen=True)
class Make:
    """Make the key, which is not there."""


@dataclass(frozen=True)
class Remove:
    """Remove the key and its certificate."""


Step = t.Union[Make, Remove]


class SmartcardKey:
    """One key through the spine: read, plan, apply."""

    def __init__(self, wanted: WantedKey, chosen: ExistingCard) -> None:
        self._wanted = wanted
        self._chosen = chosen

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> SmartcardKey:
        """:raises InputError: for a parameter that is not right"""
        return cls(WantedKey.parse(task), ExistingCard.from_task(task))

    @property
    def _slot(self) -> int:
        return self._wanted.key.slot

    def read(self) -> Record:
        record = self._chosen.record()
        if self._wanted.present:
            found = record.keys.get(self._slot)
            self._wanted.check(found, record)
            if found is None:
                with self._chosen.tpm() as tpm:
                    check_algorithms(tpm, (self._wanted.key,), "algorithm")
        return record

    def plan(self, card: Record) -> Plan[Step]:
        name, found = slot_name(self._slot), card.keys.get(self._slot)
        before = {name: found.algorithm.value if found else None}
        after = {name: self._wanted.key.algorithm.value if self._wanted.present else None}
        step: Step = Make() if self._wanted.present else Remove()
        changed = self._wanted.present is (found is None)
        return Plan((step,) if changed else (), before, after, f"keys of the virtual smart card {card.name}")

    def apply(self, plan: Plan[Step], found: Record) -> View:
        with self._chosen.used() as card:
            for step in plan.steps:
                self._do(step, card)
            return self._view(card.record)

    def _do(self, step: Step, card: Card) -> None:
        if isinstance(step, Make):
            self._make(card)
        elif isinstance(step, Remove):
            card.store_certificate(self._slot, None)
            card.remove_key(self._slot)
        else:
            unknown(step)

    def _make(self, card: Card) -> None:
        from .._card.certificate import make_shown_key  # It imports cryptography.

        if self._wanted.pin is not None:
            with naming("pin"):
                card.verify(self._wanted.pin.encode())
        make_shown_key(card, self._wanted.key)

    def report(self, plan: Plan[Step], found: Record) -> View:
        return self._view(found)

    def _view(self, card: Record) -> View:
        key = card.keys.get(self._slot)
        return {
            "name": card.name,
            "instance_id": card.instance_id,
            "key": report_key(self._slot, key, card.certificates.get(self._slot)) if key else None,
        }
