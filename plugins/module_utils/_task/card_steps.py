# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a card in its TPM, step by step of its plan."""

from __future__ import annotations

import base64
import contextlib
import typing as t
from dataclasses import replace

from .._card import lifecycle
from .._card.attestation_key import equip
from .._card.edge import Edge
from .._card.plan import Adjust, Create, Destroy, MakeAttestationKey, MakeKeys, Step, Tidy
from .._card.record import Record
from .._card.specification import Secrets, Specification
from .._card.store import Store
from .._errors import HardboundError
from .._escrow import ESCROWED
from .._spine import unknown
from .._tpm.connection import Tpm
from .._tpm.errors import OWNER, naming_auth
from .._tpm.tcti import Tcti
from .existing_card import naming, opened
from .wanted_card import WantedCard


class CardSteps:
    """Carries out steps, and holds what can be told but once: what was escrowed, and what was proved."""

    def __init__(self, wanted: WantedCard, store: Store) -> None:
        self.told: t.Dict[str, t.Any] = dict.fromkeys((*ESCROWED, "evidence", "attestation_nonce"))
        self._wanted = wanted
        self._store = store
        self._tpms: t.Dict[str, Tpm] = {}
        self.pin = wanted.pin.value or ""

    def tpm(self, tcti: str) -> Tpm:
        """Returns the TPM behind a TCTI, not yet taken; always the same."""
        if tcti not in self._tpms:
            wanted = self._wanted
            self._tpms[tcti] = Tpm(
                Tcti.parse(tcti), self._store.folder, wanted.owner_auth, endorsement_auth=wanted.endorsement_auth
            )
        return self._tpms[tcti]

    def carry_out(self, steps: t.Sequence[Step], card: t.Optional[Record]) -> t.Optional[Record]:
        """What fails after a card was made takes the card with it."""
        made: t.Optional[Record] = None
        try:
            for step in steps:
                # The one authorisation that a step gets from the task and a TPM can find wrong, beside the PIN.
                with naming_auth(OWNER, bool(self._wanted.owner_auth)):
                    card = self._do(step, card)
                made = card if isinstance(step, Create) else made
            self.prove(card, any(isinstance(step, (Create, MakeAttestationKey)) for step in steps))
        except BaseException:
            if made is not None:
                with contextlib.suppress(HardboundError):
                    lifecycle.destroy(self._store, self.tpm(made.tcti), made.number)
            raise
        return card

    def prove(self, card: t.Optional[Record], has_new_key: bool) -> None:
        """Has the TPM state what the card is, if somebody wants to know."""
        wanted = self._wanted.attestation
        nonce = wanted.nonce_for(has_new_key)
        if card is None or nonce is None:
            return
        from .._card.evidence import Question, collect  # It imports cryptography.

        slots = self._for_ca(card) if wanted.for_ca else frozenset(card.keys)
        evidence = collect(self._store, self.tpm(card.tcti), [Question(card.number, nonce, slots)])
        self.told.update(evidence=evidence.document(), attestation_nonce=base64.b64encode(nonce).decode())

    def _for_ca(self, card: Record) -> t.FrozenSet[int]:
        """Returns the slots of the keys that a CA shall attest: those of the task, on a card that has ATTEST."""
        specification = self._wanted.specification
        keys = specification.keys if specification and card.edge is Edge.PIV else ()
        return frozenset(key.slot for key in keys)

    def _do(self, step: Step, card: t.Optional[Record]) -> t.Optional[Record]:
        """Returns the card as it is after the step."""
        if isinstance(step, Tidy):
            lifecycle.recover(self._store, self.tpm)
            return card
        if isinstance(step, Create):
            return self._create(step.specification)
        if card is None:
            raise LookupError(f"the step {step!r} is for a card, and there is none")
        if isinstance(step, Destroy):
            lifecycle.destroy(self._store, self.tpm(card.tcti), step.number)
            return None
        if isinstance(step, MakeKeys):
            return self._make_keys(card, step)
        if isinstance(step, MakeAttestationKey):
            with self.tpm(card.tcti).taken() as tpm:
                return equip(self._store, tpm, card.number)
        if isinstance(step, Adjust):
            return self._adjust(card, step.specification)
        return unknown(step)

    def _create(self, specification: Specification) -> Record:
        self._store.prepare()
        rules = self._store.host_policy().rules(specification.pin_policy)
        self.pin, self.told["pin_escrow"] = self._wanted.pin.make(rules)
        admin_key, self.told["admin_key_escrow"] = self._wanted.admin_key.make()
        secrets = Secrets(self.pin, self._wanted.puk, admin_key, self._wanted.halves)
        return lifecycle.create(self._store, self.tpm(str(specification.tcti)), specification, secrets)

    def _make_keys(self, record: Record, step: MakeKeys) -> Record:
        from .._card.certificate import make_shown_key  # It imports cryptography.

        with opened(self._store, self.tpm(record.tcti), record.number) as card:
            with naming("pin"):
                card.verify(self.pin.encode(), provisioning=True)
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
