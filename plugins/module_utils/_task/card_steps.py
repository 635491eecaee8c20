# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a card in its TPM, step by step of its plan."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from .._card import lifecycle
from .._card.attestation_key import equip
from .._card.plan import Adjust, Create, Destroy, MakeAttestationKey, MakeKeys, Step, Tidy
from .._card.record import Record
from .._card.specification import Secrets, Specification
from .._errors import HardboundError
from .._spine import unknown
from .._tpm.errors import OWNER, naming_auth
from .card_task import CardTask
from .existing_card import naming, opened


class CardSteps:
    """Carries out the steps of a task."""

    def __init__(self, task: CardTask) -> None:
        self._task = task
        self._wanted, self._store = task.wanted, task.store

    def carry_out(self, steps: t.Sequence[Step], card: t.Optional[Record]) -> t.Optional[Record]:
        """What fails after a card was made takes the card with it."""
        made: t.Optional[Record] = None
        try:
            for step in steps:
                # The one authorisation that a step gets from the task and a TPM can find wrong, beside the PIN.
                with naming_auth(OWNER, bool(self._wanted.owner_auth)):
                    card = self._do(step, card)
                made = card if isinstance(step, Create) else made
            self._task.prove(card, any(isinstance(step, (Create, MakeAttestationKey)) for step in steps))
        except BaseException:
            if made is not None:
                with contextlib.suppress(HardboundError):
                    lifecycle.destroy(self._store, self._task.tpm(made.tcti), made.number)
            raise
        return card

    def _do(self, step: Step, card: t.Optional[Record]) -> t.Optional[Record]:
        """Returns the card as it is after the step."""
        if isinstance(step, Tidy):
            lifecycle.recover(self._store, self._task.tpm)
            return card
        if isinstance(step, Create):
            return self._create(step.specification)
        if card is None:
            raise LookupError(f"the step {step!r} is for a card, and there is none")
        if isinstance(step, Destroy):
            lifecycle.destroy(self._store, self._task.tpm(card.tcti), step.number)
            return None
        if isinstance(step, MakeKeys):
            return self._make_keys(card, step)
        if isinstance(step, MakeAttestationKey):
            with self._task.tpm(card.tcti).taken() as tpm:
                return equip(self._store, tpm, card.number)
        if isinstance(step, Adjust):
            return self._adjust(card, step.specification)
        return unknown(step)

    def _create(self, specification: Specification) -> Record:
        self._store.prepare()
        rules = self._store.host_policy().rules(specification.pin_policy)
        self._task.pin, self._task.told["pin_escrow"] = self._wanted.pin.make(rules)
        admin_key, self._task.told["admin_key_escrow"] = self._wanted.admin_key.make()
        secrets = Secrets(self._task.pin, self._wanted.puk, admin_key, self._wanted.halves)
        return lifecycle.create(self._store, self._task.tpm(str(specification.tcti)), specification, secrets)

    def _make_keys(self, record: Record, step: MakeKeys) -> Record:
        from .._card.certificate import make_shown_key  # It imports cryptography.

        with opened(self._store, self._task.tpm(record.tcti), record.number) as card:
            with naming("pin"):
                card.verify(self._task.pin.encode(), provisioning=True)
            for key in step.keys:
                make_shown_key(card, key)
            return card.record

    def _adjust(self, record: Record, specification: Specification) -> Record:
        with self._store.changing(record.number):
            present = self._store.read(record.number)
            generated = present.generated or specification.generate
            adjusted = replace(present, generated=generated, **specification.changeable)
            self._store.write(adjusted)
        return adjusted
