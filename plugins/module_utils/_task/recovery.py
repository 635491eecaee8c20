# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``smartcard_recover``: a card whose holder has lost the PIN, as the controller's half opens it.

docs/recovery.md says who holds which half. The host is asked twice: to show the card, and to give it a new PIN.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._card.gate import Gates
from .._card.outlasting import TICKETS
from .._card.record import Record
from .._card.recovery import HostHalf, NewHalves, Recovery, derive_puk
from .._card.recovery_half import keep, reveal
from .._card.secret import Reference
from .._card.store import Store
from .._encoding.challenge import Challenge
from .._encoding.fields import encoded
from .._encoding.recovery_order import RecoveryOrder
from .._encoding.wire import WireError
from .._errors import InputError, StateError
from .._spine import View
from .._tpm.connection import Tpm
from .arguments import PLACE
from .attestation import parse_nonce
from .existing_card import ExistingCard
from .first_pin import WantedPin
from .pin import SmartcardPin, WantedSecrets, find_secret
from .place import tpm_of
from .recovery_halves import check_recovery_allowed, told_halves
from .secret_arguments import Arguments

ARGUMENTS: Arguments = {
    **PLACE,
    "name": {"type": "str", "required": True},
    "nonce": {"type": "str", "required": True},
    "challenge": {"type": "dict"},
    "new_pin": {"type": "str", "no_log": True},
    "pin_escrow_key": {"type": "str", "no_log": False},
}


@dataclass(frozen=True)
class WantedRecovery:
    """What a task asks for; without a challenge, to be shown the card alone."""

    name: str
    store: Store
    tpm: Tpm
    nonce: bytes
    chosen: ExistingCard
    challenge: t.Optional[Challenge] = None
    new_pin: WantedPin = field(default_factory=WantedPin)

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedRecovery:
        """:raises InputError: for the first parameter that is not right"""
        store = Store(task["store"])
        nonce = parse_nonce(task["nonce"], "nonce")
        chosen = ExistingCard(store, task["name"], None)
        shown = cls(task["name"], store, tpm_of(task), nonce, chosen)
        if task["challenge"] is None:
            return shown
        try:
            challenge = Challenge.parse(task["challenge"])
        except WireError as error:
            raise InputError("challenge", f"can't be read: {error}", "let smartcard_recovery make it") from error
        if challenge.card != task["name"]:
            raise InputError("challenge", "is for another card", "let smartcard_recovery make it")
        new_pin = WantedPin.parse(task["new_pin"], task["pin_escrow_key"], "new_pin")
        if new_pin.value is None and not new_pin.is_random:
            raise InputError("new_pin", "is missing", "give the PIN that the holder gets, or random")
        return replace(shown, challenge=challenge, new_pin=new_pin)


class CardRecovery:
    """One card of a host."""

    def __init__(self, wanted: WantedRecovery) -> None:
        self._wanted = wanted
        self._chosen, self._store = wanted.chosen, wanted.store

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> CardRecovery:
        """:raises InputError: for the first parameter that is not right"""
        return cls(WantedRecovery.parse(task))

    def run(self, check_mode: bool) -> View:
        """Returns what a task returns: what was done, and the card as its TPM states it then.

        :raises InputError, StateError: for a card that can't be recovered, before it is changed
        """
        record, challenge = self._chosen.record(), self._wanted.challenge
        check_recovery_allowed(self._store.host_policy())
        if record.recovery is None:
            found = f"the card {record.name!r} was made without recovery"
            raise StateError(found, "give it a new PIN with its PUK, or make a new card")
        done = self._recover(record.recovery, challenge) if challenge is not None and not check_mode else {}
        record = self._chosen.record()
        told = {"recovery": told_halves(record), "evidence": self._evidence(record)}
        return {"changed": bool(done), **told, "answer": "", "pin_escrow": None, **done}

    def _evidence(self, record: Record) -> View:
        from .._card.evidence import Question, collect  # It imports cryptography.

        question = Question(record.number, self._wanted.nonce, frozenset())
        return collect(self._store, self._wanted.tpm, [question]).document()

    def _recover(self, known: Recovery, challenge: Challenge) -> View:
        order, answer = self._opened(challenge)
        escrowed = self.carry_out(known, order)
        return {"answer": encoded(answer), "pin_escrow": escrowed, TICKETS: True}

    def carry_out(self, known: Recovery, order: RecoveryOrder) -> t.Optional[str]:
        """Gives the card the new PIN and another PUK. Cut off anywhere, it can be done again with the same halves.

        :returns: the PIN, encrypted for its recipient, if it is random
        :raises StateError: if no pair of halves makes the card's PUK
        :raises InputError: for a PIN against the rules of card and host
        """
        half, puk = self._present(known, order)
        halves = NewHalves.make(order.identifier, order.coming)
        coming = self._note(Recovery(half), halves)
        told = self._set(puk, halves.puk)
        self._write(Recovery(coming))
        escrowed = told.get("pin_escrow")
        return None if escrowed is None else str(escrowed)

    def _opened(self, challenge: Challenge) -> t.Tuple[RecoveryOrder, bytes]:
        """Returns what the TPM has found in a challenge, and the answer to it.

        :raises InputError: if it was changed on its way, or holds something else
        """
        from .._card.activation import open_challenge  # It imports cryptography.

        try:
            content, answer = open_challenge(self._store, self._wanted.tpm, challenge)
            return RecoveryOrder.parse(content), answer
        except WireError as error:
            raise InputError("challenge", f"can't be read: {error}", "let smartcard_recovery make it") from error

    def _present(self, known: Recovery, order: RecoveryOrder) -> t.Tuple[HostHalf, str]:
        """Returns which half the card's PUK is made of, and that PUK. Right ones cost no try.

        :raises StateError: if no pair of halves makes it
        """
        with self._chosen.tpm() as tpm:
            gates = Gates(tpm, self._chosen.record())
            puks = {
                derive_puk(half.identifier, reveal(gates, half), order.halves[half.identifier]): half
                for half in known.halves
                if half.identifier in order.halves
            }
        try:
            with self._chosen.used() as card:
                puk = find_secret(card, Reference.PUK, list(puks)).decode()
        except InputError as error:
            found = f"the controller's halves and that of the TPM do not make the card's PUK: {error}"
            raise StateError(found, "give the card a new PIN with its PUK, or make a new card") from error
        return puks[puk], puk

    def _note(self, known: Recovery, halves: NewHalves) -> HostHalf:
        """Writes down the half of the PUK to come, before the TPM is told of that."""
        with self._chosen.tpm() as tpm:
            coming = keep(Gates(tpm, self._chosen.record()), halves)
        self._write(replace(known, coming=coming))
        return coming

    def _set(self, puk: str, new_puk: str) -> View:
        secrets = WantedSecrets(new_pin=self._wanted.new_pin, puk=puk, new_puk=new_puk, must_change=True)
        noun = SmartcardPin(secrets, self._chosen)
        found = noun.probe(noun.read())
        return noun.apply(noun.plan(found), found)

    def _write(self, recovery: Recovery) -> None:
        number = self._chosen.record().number
        with self._store.changing(number):
            self._store.write(replace(self._store.read(number), recovery=recovery))
