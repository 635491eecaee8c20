# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard_passkey``: the discoverable passkeys of a card that shall be gone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._card.passkey import Passkey, PasskeyStore
from .._card.record import Record
from .._card.report import report_passkeys
from .._errors import InputError
from .._spine import Plan, View
from .existing_card import CARD, ExistingCard
from .secret_arguments import Arguments

ARGUMENTS: Arguments = {
    **CARD,
    "relying_party": {"type": "str", "required": True},
    "user_name": {"type": "str"},
    "state": {"type": "str", "choices": ["absent"], "required": True},
}


@dataclass(frozen=True)
class RemovePasskey:
    """Forget one. :param identifier: its credential id"""

    identifier: bytes


@dataclass(frozen=True)
class WantedPasskeys:
    """Those that shall be gone: of a relying party, and of one user there if a name is given."""

    relying_party: str
    user_name: t.Optional[str]

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedPasskeys:
        """:raises InputError: for what can be no relying party"""
        party = task["relying_party"]
        if not party or "/" in party or party != party.strip():
            remedy = "give it as the browser shows it, such as corp.example, without https://"
            raise InputError("relying_party", f"is {party!r}, which is no relying party id", remedy)
        return cls(party, task["user_name"])

    def mean(self, passkey: Passkey) -> bool:
        name = passkey.user.name if passkey.user else None
        return passkey.rp == self.relying_party and self.user_name in (None, name)


class SmartcardPasskeys:
    """The passkeys of a card through the spine: read, plan, apply. Neither PIN nor TPM are asked."""

    def __init__(self, unwanted: WantedPasskeys, chosen: ExistingCard) -> None:
        self._unwanted = unwanted
        self._chosen = chosen

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> SmartcardPasskeys:
        """:raises InputError: for a parameter that is not right"""
        return cls(WantedPasskeys.parse(task), ExistingCard.from_task(task))

    def read(self) -> Record:
        return self._chosen.record()

    def plan(self, card: Record) -> Plan[RemovePasskey]:
        steps = tuple(RemovePasskey(each.identifier) for each in _passkeys(card) if self._unwanted.mean(each))
        title = f"passkeys of the virtual smart card {card.name}"
        return Plan(steps, _shown(card), _shown(_without(card, steps)), title)

    def apply(self, plan: Plan[RemovePasskey], found: Record) -> View:
        store = self._chosen.store
        with store.changing(found.number):
            record = _without(store.read(found.number), plan.steps)
            store.write(record)
        return self._view(record)

    def report(self, plan: Plan[RemovePasskey], found: Record) -> View:
        return self._view(found)

    def _view(self, card: Record) -> View:
        return {"name": card.name, "instance_id": card.instance_id, **_shown(card)}


def _passkeys(card: Record) -> t.Tuple[Passkey, ...]:
    return card.passkey_store.passkeys if card.passkey_store else ()


def _without(card: Record, steps: t.Sequence[RemovePasskey]) -> Record:
    gone = {step.identifier for step in steps}

    def kept(store: PasskeyStore) -> PasskeyStore:
        return replace(store, passkeys=tuple(each for each in store.passkeys if each.identifier not in gone))

    return card.with_passkeys(kept) if gone else card


def _shown(card: Record) -> View:
    return {"discoverable_passkeys": report_passkeys(card)}
