# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has of a card all the while: its TPM, its PIN as far as it is known, and what can be told but once."""

from __future__ import annotations

import base64
import typing as t

from .._card.edge import Edge
from .._card.record import Record
from .._card.store import Store
from .._escrow import ESCROWED
from .._tpm.connection import Tpm
from .._tpm.tcti import Tcti
from .wanted_card import WantedCard


class CardTask:
    """A card that a task wants, and what came of it: what was escrowed, and what was proved."""

    def __init__(self, wanted: WantedCard, store: Store) -> None:
        self.told: t.Dict[str, t.Any] = dict.fromkeys((*ESCROWED, "evidence", "attestation_nonce"))
        self.wanted = wanted
        self.store = store
        self._tpms: t.Dict[str, Tpm] = {}
        self.pin = wanted.pin.value or ""

    def tpm(self, tcti: str) -> Tpm:
        """Returns the TPM behind a TCTI, not yet taken; always the same."""
        if tcti not in self._tpms:
            wanted = self.wanted
            self._tpms[tcti] = Tpm(
                Tcti.parse(tcti), self.store.folder, wanted.owner_auth, endorsement_auth=wanted.endorsement_auth
            )
        return self._tpms[tcti]

    def prove(self, card: t.Optional[Record], has_new_key: bool) -> None:
        """Has the TPM state what the card is, if somebody wants to know."""
        wanted = self.wanted.attestation
        nonce = wanted.nonce_for(has_new_key)
        if card is None or nonce is None:
            return
        from .._card.evidence import Question, collect  # It imports cryptography.

        slots = self._for_ca(card) if wanted.for_ca else frozenset(card.keys)
        evidence = collect(self.store, self.tpm(card.tcti), [Question(card.number, nonce, slots)])
        self.told.update(evidence=evidence.document(), attestation_nonce=base64.b64encode(nonce).decode())

    def _for_ca(self, card: Record) -> t.FrozenSet[int]:
        """Returns the slots of the keys that a CA shall attest: those of the task, on a card that has ATTEST."""
        specification = self.wanted.specification
        keys = specification.keys if specification and card.edge is Edge.PIV else ()
        return frozenset(key.slot for key in keys)
