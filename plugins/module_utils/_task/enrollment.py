# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of ``smartcard_evidence`` and ``smartcard_activate``: the two visits of an enrolment to a host."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import typing as t
from dataclasses import dataclass

from .._card.key import slot_number
from .._card.record import Record, State
from .._card.store import Store
from .._errors import HardboundError, InputError, Interrupted
from .._escrow import ESCROWED
from .._files import locked
from .._spine import Plan, View
from .._tpm.connection import Tpm
from .._tpm.tcti import Tcti
from .admin_key import ARGUMENTS as ADMIN_KEY
from .arguments import CARD, OWNER_AUTH, STORE, TPM, Arguments, register_secrets
from .attestation import ARGUMENTS as ATTESTATION
from .attestation import parse_nonce
from .card import Found, Smartcard
from .external_request import ARGUMENTS as REQUEST
from .external_request import OutsideRequest, Signer

EVIDENCE_ARGUMENTS: Arguments = {
    **TPM,
    **STORE,
    **OWNER_AUTH,
    "cards": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "nonce": {"type": "str", "required": True},
            "requests": {"type": "list", "elements": "dict", "options": REQUEST, "default": []},
            **CARD,
            **ADMIN_KEY,
        },
    },
}

ACTIVATE_ARGUMENTS: Arguments = {
    **TPM,
    **STORE,
    **OWNER_AUTH,
    "challenges": {"type": "list", "elements": "dict", "required": True},
}


@dataclass(frozen=True)
class Asked:
    """A card as it shall be, and the nonce to prove it over."""

    name: str
    nonce: bytes
    slots: t.FrozenSet[int]
    noun: Smartcard
    requests: t.Tuple[OutsideRequest, ...] = ()

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any], card: t.Mapping[str, t.Any], field: str) -> Asked:
        """:raises InputError: for the first parameter that is not right"""
        nonce = parse_nonce(card["nonce"], f"{field}.nonce")
        common = {name: task[name] for name in (*TPM, *STORE, *OWNER_AUTH)}
        unsaid = {name: argument.get("default") for name, argument in (*ADMIN_KEY.items(), *ATTESTATION.items())}
        noun = Smartcard.from_task({**common, **unsaid, **card, "state": "present", "instance_id": None})
        slots = frozenset(slot_number(key["slot"], f"{field}.keys.slot") for key in card["keys"])
        requests = (OutsideRequest.parse(each, f"{field}.requests[{at}]") for at, each in enumerate(card["requests"]))
        return cls(card["name"], nonce, slots, noun, tuple(requests))


class EvidenceVisit:
    """All cards of a host: made or completed, then proved.

    :param keep: false in check mode, in which nothing may stay behind
    """

    def __init__(self, task: t.Mapping[str, t.Any], keep: bool) -> None:
        self._cards = [Asked.parse(task, card, f"cards[{at}]") for at, card in enumerate(task["cards"])]
        names = [card.name for card in self._cards]
        if len(set(names)) != len(names):
            raise InputError("cards", "names a card twice", "name each card of a host once")
        register_secrets(task["tpm_owner_auth"])
        self._store = Store(task["store"])
        self._keep = keep
        self._escrowed: t.Dict[str, t.Dict[str, t.Any]] = {}
        self._tpm = Tpm(Tcti.parse(task["tpm"]), task["store"], (task["tpm_owner_auth"] or "").encode())

    def alone(self) -> t.ContextManager[None]:
        """Held for the whole visit, so that two runs don't make the same card twice."""
        if not self._keep:
            return contextlib.nullcontext()
        self._store.prepare()
        return locked(os.path.join(self._store.folder, "enrollment.lock"))

    def read(self) -> t.List[Found]:
        return [card.noun.read() for card in self._cards]

    def plan(self, found: t.Sequence[Found]) -> Plan[t.Any]:
        plans = [card.noun.plan(each) for card, each in zip(self._cards, found)]
        names = [card.name for card in self._cards]
        return Plan(
            steps=tuple(name for name, plan in zip(names, plans) if plan.changed),
            before={name: plan.before for name, plan in zip(names, plans)},
            after={name: plan.after for name, plan in zip(names, plans)},
            title="cards",
            warnings=tuple(dict.fromkeys(warning for plan in plans for warning in plan.warnings)),
        )

    def apply(self, plan: Plan[t.Any], found: t.Sequence[Found]) -> View:
        name = ""
        try:
            for card in self._cards:
                name = card.name
                if name in plan.steps:  # Read again: the card before this one may have taken its number.
                    now = card.noun.read()
                    self._note(name, card.noun.apply(card.noun.plan(now), now))
            return self.report(plan, found)
        except HardboundError as error:
            self._note(name, error.facts)
            told = [{"name": each, **secrets} for each, secrets in self._escrowed.items() if any(secrets.values())]
            raise Interrupted(error, {"cards": told}) from error

    def _note(self, name: str, told: t.Mapping[str, t.Any]) -> None:
        """Keeps what is told of a new card only once."""
        if any(told.get(each) for each in ESCROWED):
            self._escrowed[name] = {each: told.get(each) for each in ESCROWED}

    def report(self, plan: Plan[t.Any], found: t.Sequence[Found]) -> View:
        from .._card.evidence import Question, collect  # It imports cryptography.

        ready = {record.name: record for record in self._store.records() if record.state is State.READY}
        there = [card for card in self._cards if card.name in ready]
        questions = [Question(ready[card.name].number, card.nonce, card.slots) for card in there]
        before = {each.card.name: each.card.keys.keys() for each in found if each.card is not None}
        signatures: t.Dict[str, t.Dict[str, str]] = {}
        try:
            evidence = collect(self._store, self._tpm, questions, self._keep).document()
            for card in there if self._keep else ():
                signer = Signer(
                    self._store, self._tpm, ready[card.name], before.get(card.name, frozenset()), card.noun.pin
                )
                signatures[card.name] = signer.sign(card.requests)
        finally:
            self._tpm.close()
        cards = [
            {
                **_held(card.name, ready.get(card.name), card.name in plan.steps),
                "signatures": signatures.get(card.name, {}),
                **self._escrowed.get(card.name, dict.fromkeys(ESCROWED)),
            }
            for card in self._cards
        ]
        return {"cards": cards, "evidence": evidence}


def _held(name: str, record: t.Optional[Record], changed: bool) -> t.Dict[str, t.Any]:
    """What the card holds; the controller believes none of it, and only spares itself a visit."""
    certificates = record.certificates if record else {}
    return {
        "name": name,
        "changed": changed,
        "instance_id": record.instance_id if record else None,
        "certificates": {f"{slot:02X}": _digest(data) for slot, data in sorted(certificates.items())},
        "ak_certificate": _digest(record.ak_certificate if record else b""),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else ""


def activate(task: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """Opens a host's challenges and stores the certificates in them.

    :raises InputError: if a challenge is none
    """
    from .._card.activation import activate_cards
    from .._encoding.challenge import Challenge
    from .._encoding.wire import WireError

    register_secrets(task["tpm_owner_auth"])
    try:
        challenges = [Challenge.parse(each) for each in task["challenges"]]
    except WireError as error:
        raise InputError("challenges", f"can't be read: {error}", "let the controller make them") from error
    store = Store(task["store"])
    tpm = Tpm(Tcti.parse(task["tpm"]), task["store"], (task["tpm_owner_auth"] or "").encode())
    try:
        activations = activate_cards(store, tpm, challenges)
    finally:
        tpm.close()
    return {
        "changed": any(each.changed for each in activations),
        "cards": [
            {"name": each.card, "answer": base64.b64encode(each.answer).decode(), "failure": each.failure}
            for each in activations
        ],
    }
