# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card of a task, as far as store and TPM hold it: read, planned, carried out. Its reader is another matter."""

from __future__ import annotations

import grp
import pwd
import typing as t
from dataclasses import dataclass, field, replace

from .._card.host_policy import HostPolicy
from .._card.plan import CurrentCards, Step, plan_absent, plan_present
from .._card.record import Record
from .._card.specification import Specification
from .._card.store import Store
from .._card.wholeness import is_whole
from .._spine import Plan
from .card_task import CardTask
from .wanted_card import WantedCard


@dataclass(frozen=True)
class FoundCard:
    """What was found: all cards of the store, the one in question, and what the host asks of its cards."""

    current: CurrentCards
    card: t.Optional[Record] = None
    policy: HostPolicy = field(default_factory=HostPolicy)
    strangers: t.Tuple[str, ...] = ()
    """What is to be said of an owner or group that the host does not know."""


class TpmCard:
    def __init__(self, wanted: WantedCard, store: Store) -> None:
        self.wanted = wanted
        self.store = store
        self._task = CardTask(wanted, store)

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> TpmCard:
        """:raises InputError: for a parameter that is not right"""
        return cls(WantedCard.parse(task), Store(task["store"]))

    @property
    def pin(self) -> str:
        """The PIN, as far as this task knows it: it gives it, or has made a random one; else empty."""
        return self._task.pin

    @property
    def told(self) -> t.Mapping[str, t.Any]:
        """What can be told but once; see :class:`.card_task.CardTask`."""
        return self._task.told

    def read(self) -> FoundCard:
        """Looks at store and TPM, and changes nothing.

        :raises InputError, StateError: for what would go wrong later
        """
        current, policy = CurrentCards(tuple(self.store.records())), self.store.host_policy()
        card = current.find(self.wanted.name, self.wanted.number)
        specification = self.wanted.specified(card)
        if specification is not None:
            if card is None or any(key.slot not in card.keys for key in specification.keys):
                self._check(specification, card, policy)
            if card is not None:
                with self._task.tpm(card.tcti).taken() as tpm:
                    current = replace(current, whole=is_whole(tpm, card))
        return FoundCard(current, card, policy, _strangers(self.wanted.specification))

    def _check(self, specification: Specification, card: t.Optional[Record], policy: HostPolicy) -> None:
        """Finds out what would go wrong before anything is changed."""
        from .._card.readiness import check_algorithms, check_host_policy, check_tpm

        self.wanted.check_secrets(card, policy.rules(specification.pin_policy))
        with self._task.tpm(str(specification.tcti)).taken() as tpm:
            check_tpm(tpm)
            if card is None:
                check_host_policy(policy, tpm)
            check_algorithms(tpm, specification.keys)

    def plan(self, found: FoundCard) -> Plan[Step]:
        """Compares. Pure."""
        specification = self.wanted.specified(found.card)
        if specification is None:
            return plan_absent(found.card, found.current, self.wanted.name or "")
        warnings = (*self.wanted.warnings, *found.strangers)
        return replace(plan_present(specification, found.current), warnings=warnings)

    def apply(self, steps: t.Sequence[Step], found: FoundCard) -> t.Optional[Record]:
        """Takes the steps, and returns the card as it is then."""
        from .card_steps import CardSteps  # It imports what makes cards, for which a run without changes has no use.

        return CardSteps(self._task).carry_out(steps, found.card)

    def prove(self, card: t.Optional[Record]) -> None:
        """Has the TPM state what a card is that stays as it is, if somebody wants to know."""
        self._task.prove(card, has_new_key=False)


def _strangers(specification: t.Optional[Specification]) -> t.Tuple[str, ...]:
    """Asks the host's name services for the owner and group that a task names."""
    if specification is None:
        return ()
    named = (("owner", specification.owner, pwd.getpwnam), ("group", specification.group, grp.getgrnam))
    return tuple(_stranger(field, name) for field, name, look_up in named if name and not _knows(look_up, name))


def _knows(look_up: t.Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except KeyError:
        return False
    return True


def _stranger(field: str, name: str) -> str:
    return f"{field} is {name!r}, whom this host does not know: until it does, the card is out of reach for them."
