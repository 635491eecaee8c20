# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard``: a card in the TPM, and the way for programs to reach it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._card.outlasting import TICKETS
from .._card.plan import Create, Destroy
from .._card.plan import Step as CardStep
from .._card.record import Record, presented
from .._card.report import report
from .._edge.presentation import Present, Presentation, Presented
from .._edge.reader_name import reader_name
from .._errors import HardboundError, Interrupted
from .._spine import Plan, View
from .readers import Readers, warnings
from .tpm_card import FoundCard, TpmCard

Step = t.Union[CardStep, Present]


@dataclass(frozen=True)
class FoundSmartcard:
    """The card as it is, and how the host's cards are presented; None where no card service was set up."""

    card: FoundCard
    presented: t.Optional[Presented] = None


class Smartcard:
    """One card through the spine: read, plan, apply."""

    def __init__(self, card: TpmCard, readers: Readers) -> None:
        self._card = card
        self._readers = readers

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> Smartcard:
        """:raises InputError: for a parameter that is not right"""
        return cls(TpmCard.from_task(task), Readers(Presentation(task["store"])))

    def read(self) -> FoundSmartcard:
        return FoundSmartcard(self._card.read(), self._readers.read())

    def plan(self, found: FoundSmartcard) -> Plan[Step]:
        plan, host = self._card.plan(found.card), found.card
        present = self._readers.plan(plan.steps, host.current.records, host.policy, found.presented)
        told = warnings(plan.steps, host.policy, found.presented) if self._card.wanted.specification else ()
        steps: t.Tuple[Step, ...] = (*plan.steps, *present)
        return Plan(steps, plan.before, plan.after, plan.title, (*plan.warnings, *told))

    def apply(self, plan: Plan[Step], found: FoundSmartcard) -> View:
        began = time.time()
        inside, present = split(plan.steps)
        card = self._card.apply(inside, found.card)
        try:
            for step in present:
                self._readers.apply(step, [card] if card else [], began)
        except HardboundError as error:
            raise Interrupted(error, self._view(card)) from error
        made, gone = (any(isinstance(step, kind) for step in plan.steps) for kind in (Create, Destroy))
        return {**self._view(card), "created": made, TICKETS: gone}

    def report(self, plan: Plan[Step], found: FoundSmartcard) -> View:
        self._card.prove(found.card.card)
        return {**self._view(found.card.card), "created": False, TICKETS: False}

    def _view(self, card: t.Optional[Record]) -> View:
        if card is None:
            return {"instance_id": None, "reader": None, "card": None, **self._card.told}
        cards = presented(self._card.store.records())
        return {
            "instance_id": card.instance_id,
            "reader": reader_name(card.number, cards) if card.has_reader else None,
            "card": report(card),
            **self._card.told,
        }


def split(steps: t.Sequence[Step]) -> t.Tuple[t.List[CardStep], t.List[Present]]:
    """Returns what is done to the card, and what is done to readers afterwards."""
    inside: t.List[CardStep] = []
    present: t.List[Present] = []
    for step in steps:
        if isinstance(step, Present):
            present.append(step)
        else:
            inside.append(step)
    return inside, present
