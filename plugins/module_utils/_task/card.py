# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard``: a card in the TPM, and the way for programs to reach it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, replace

from .._card import lifecycle
from .._card.plan import Adjust, Create, Current, after, plan_absent, plan_present
from .._card.readiness import check_algorithms, check_host_policy, check_tpm
from .._card.record import Record, presented
from .._card.report import report
from .._card.specification import Specification
from .._card.store import Store
from .._edge.access import holders
from .._edge.presentation import Present, Presentation, Presented
from .._edge.reader import reader_name
from .._errors import HardboundError, Interrupted, StateError
from .._spine import Plan, View
from .admin_key import secret_of
from .arguments import register_secrets
from .card_steps import CardSteps
from .wanted_card import WantedCard

NOT_SET_UP = (
    "No program reaches the card yet: the role hardbound.identity.tpm_host has not set up this host and store, "
    "so there is no reader for it."
)
KEPT_OUT = "The card gets no reader, now or later: the host's Hello policy turns smart card emulation off."


@dataclass(frozen=True)
class Found:
    """What was found on the host: all cards, the one in question, and how they are presented."""

    current: Current
    card: t.Optional[Record]
    presented: t.Optional[Presented]


class Smartcard:
    """One card through the spine: read, plan, apply.

    :param presentation: readers and access rules of the host
    """

    def __init__(self, wanted: WantedCard, store: Store, presentation: Presentation) -> None:
        self._wanted = wanted
        self._store = store
        self._presentation = presentation
        self._steps = CardSteps(wanted, store)

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> Smartcard:
        """:raises InputError: for a parameter that is not right"""
        register_secrets(task["pin"], task["puk"], task["tpm_owner_auth"], secret_of(task))
        return cls(WantedCard.parse(task), Store(task["store"]), Presentation(task["store"]))

    @property
    def pin(self) -> str:
        """The PIN, as far as this task knows it: it gives it, or has made a random one; else empty."""
        return self._steps.pin

    def read(self) -> Found:
        records = tuple(self._store.records())
        current = Current(records)
        card = current.find(self._wanted.name, self._wanted.number)
        specification = self._wanted.specification
        if specification is not None:
            if card is None or any(key.slot not in card.keys for key in specification.keys):
                self._check(specification, card)
            if card is not None:
                with self._steps.tpm(card.tcti).taken() as tpm:
                    current = replace(current, whole=lifecycle.is_whole(tpm, card.model))
        presented = self._presentation.read() if self._presentation.is_set_up else None
        return Found(current, card, presented)

    def _check(self, specification: Specification, card: t.Optional[Record]) -> None:
        """Finds out what would go wrong before anything is changed."""
        policy = self._store.host_policy()
        self._wanted.check_secrets(card, policy.rules(specification.pin_policy))
        with self._steps.tpm(str(specification.tcti)).taken() as tpm:
            check_tpm(tpm)
            if card is None:
                check_host_policy(policy, tpm)
            check_algorithms(tpm, specification.keys)

    def plan(self, found: Found) -> Plan[t.Any]:
        wanted = self._wanted
        if wanted.specification is None:
            plan: Plan[t.Any] = plan_absent(found.card, found.current, wanted.name)
        else:
            plan = replace(plan_present(wanted.specification, found.current), warnings=wanted.admin_key.warnings)
        policy = self._store.host_policy()
        if not policy.present_new_cards and any(isinstance(step, Create) for step in plan.steps):
            plan = replace(plan, warnings=(*plan.warnings, KEPT_OUT))
        if found.presented is None:
            return replace(plan, warnings=(*plan.warnings, NOT_SET_UP)) if wanted.specification else plan
        held = holders(after(plan, found.current.records, policy.present_new_cards))
        holders_changed = any(isinstance(step, Adjust) for step in plan.steps)
        present = self._presentation.plan(held, found.presented, holders_changed, policy.everyone_sees_readers)
        return replace(plan, steps=(*plan.steps, present)) if present.changed else plan

    def apply(self, plan: Plan[t.Any], found: Found) -> View:
        began = time.time()
        inside = [step for step in plan.steps if not isinstance(step, Present)]
        with self._steps.closing():
            card = self._steps.carry_out(inside, found.card)
        try:
            for step in plan.steps[len(inside) :]:
                self._presentation.apply(step)
                if card is not None and card.presented:
                    self._await(card, began if step.readers.changed else 0)
        except HardboundError as error:
            raise Interrupted(error, self._view(card)) from error
        return self._view(card)

    def _await(self, card: Record, since: float) -> None:
        if not self._presentation.await_card(card.number, since):
            found = f"the card {card.name!r} was made, but the card service does not put it into its reader"
            raise StateError(found, "look at the log of hardbound-cards, and apply the role tpm_host again")

    def report(self, plan: Plan[t.Any], found: Found) -> View:
        with self._steps.closing():
            self._steps.prove(found.card, has_new_key=False, keep=False)
        return self._view(found.card)

    def _view(self, card: t.Optional[Record]) -> View:
        if card is None:
            return {"instance_id": None, "reader": None, "card": None, **self._steps.told}
        cards = presented(self._store.records())
        return {
            "instance_id": card.instance_id,
            "reader": reader_name(card.number, cards) if card.presented else None,
            "card": report(card),
            **self._steps.told,
        }
