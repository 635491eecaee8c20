# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``smartcard_evidence``: the first visit of an enrolment to a host, which makes cards and proves them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import typing as t
from dataclasses import dataclass, replace

from .._card.host_policy import HostPolicy
from .._card.plan import Create
from .._card.plan import Step as CardStep
from .._card.record import Record, State
from .._card.specification import Specification
from .._card.store import Store
from .._edge.presentation import Present, Presentation, Presented
from .._errors import HardboundError, InputError, Interrupted
from .._escrow import ESCROWED
from .._files import locked
from .._spine import Plan, View
from .admin_key import ARGUMENTS as ADMIN_KEY
from .arguments import CARD, PLACE
from .attestation import ARGUMENTS as ATTESTATION
from .attestation import WantedAttestation, parse_nonce
from .external_request import ARGUMENTS as REQUEST
from .external_request import ExternalRequest, RequestSigner, Sign
from .place import tpm_of
from .readers import Readers, warnings
from .recovery_halves import OFFERED_HALF, check_recovery_allowed, parse_halves, told_halves
from .secret_arguments import Arguments
from .tpm_card import FoundCard, TpmCard
from .wanted_card import WantedCard

ARGUMENTS: Arguments = {
    **PLACE,
    "cards": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "nonce": {"type": "str", "required": True},
            "requests": {"type": "list", "elements": "dict", "options": REQUEST, "default": []},
            "recovery": {"type": "dict", "options": OFFERED_HALF},
            **CARD,
            **ADMIN_KEY,
        },
    },
}


class EnrolledCard(TpmCard):
    """A card as it shall be, the nonce to prove it over, and the requests that it may have to sign."""

    def __init__(
        self, wanted: WantedCard, store: Store, nonce: bytes, requests: t.Sequence[ExternalRequest] = ()
    ) -> None:
        super().__init__(wanted, store)
        self.nonce = nonce
        self._requests = requests

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any], card: t.Mapping[str, t.Any], field: str) -> EnrolledCard:
        """:raises InputError: for the first parameter that is not right"""
        nonce = parse_nonce(card["nonce"], f"{field}.nonce")
        common = {name: task[name] for name in PLACE}
        unsaid = {name: argument.get("default") for name, argument in (*ADMIN_KEY.items(), *ATTESTATION.items())}
        whole = {**common, **unsaid, **card, "state": "present", "instance_id": None, "attestation": "aik_only"}
        requests = (ExternalRequest.parse(each, f"{field}.requests[{at}]") for at, each in enumerate(card["requests"]))
        halves = parse_halves(card["recovery"], f"{field}.recovery")
        if halves is not None:
            whole["puk"] = halves.puk
        # All cards are proved together, when all are there.
        wanted = replace(WantedCard.parse(whole), attestation=WantedAttestation(), halves=halves)
        return cls(wanted, Store(task["store"]), nonce, tuple(requests))

    @property
    def name(self) -> str:
        return self.wanted.name or ""

    @property
    def slots(self) -> t.FrozenSet[int]:
        """Those of the keys to show."""
        keys = self.wanted.specification.keys if self.wanted.specification else ()
        return frozenset(key.slot for key in keys)

    def _check(self, specification: Specification, card: t.Optional[Record], policy: HostPolicy) -> None:
        from .._card.readiness import check_provable

        super()._check(specification, card, policy)
        if card is None and self.wanted.halves is not None:
            check_recovery_allowed(policy)
        with self._task.tpm(str(specification.tcti)).taken() as tpm:
            check_provable(tpm)

    def apply(self, steps: t.Sequence[CardStep], found: FoundCard) -> t.Optional[Record]:
        """A card that is made is one that can be proved."""
        for step in steps:
            if isinstance(step, Create):
                from .._tpm.endorsement import prove_authorisation  # It imports cryptography.

                with self._task.tpm(str(step.specification.tcti)).taken() as tpm:
                    prove_authorisation(tpm)
        return super().apply(steps, found)

    def to_sign(self, card: t.Optional[Record]) -> t.Tuple[Sign, ...]:
        """Returns the step that signs requests, or none. Pure.

        :param card: as it was found
        """
        before = card.keys.keys() if card else frozenset()
        new = tuple(each for each in self._requests if each.slot in self.slots - before)
        old = tuple(each for each in self._requests if each.slot in before and each.needed)
        knows_pin = self.wanted.pin.value is not None or (self.wanted.pin.is_random and card is None)
        return (Sign(new, old),) if knows_pin and (new or old) else ()


@dataclass(frozen=True)
class ForCard:
    """A step for one of the cards."""

    name: str
    step: t.Union[CardStep, Sign]


Step = t.Union[ForCard, Present]


@dataclass(frozen=True)
class FoundCards:
    """What was found of each card, and how the host's cards are presented."""

    cards: t.Tuple[FoundCard, ...]
    presented: t.Optional[Presented] = None


class EvidenceVisit:
    """All cards of a host: made or completed, then proved."""

    def __init__(self, task: t.Mapping[str, t.Any], readers: t.Optional[Readers] = None) -> None:
        self._cards = [EnrolledCard.parse(task, card, f"cards[{at}]") for at, card in enumerate(task["cards"])]
        names = [card.name for card in self._cards]
        if len(set(names)) != len(names):
            raise InputError("cards", "names a card twice", "name each card of a host once")
        self._store = Store(task["store"])
        self._readers = readers or Readers(Presentation(task["store"]))
        self._escrowed: t.Dict[str, t.Dict[str, t.Any]] = {}
        self._signatures: t.Dict[str, t.Dict[str, str]] = {}
        self._tpm = tpm_of(task)

    def alone(self) -> t.ContextManager[None]:
        """Held for a visit that may change something, so that two runs don't make the same card twice."""
        self._store.prepare()
        return locked(os.path.join(self._store.folder, "enrollment.lock"))

    def read(self) -> FoundCards:
        return FoundCards(tuple(card.read() for card in self._cards), self._readers.read())

    def plan(self, found: FoundCards) -> Plan[Step]:
        """Plans for one card after the other, and for the readers of all."""
        plans = {card.name: card.plan(each) for card, each in zip(self._cards, _tidied_once(found.cards))}
        inside = [step for plan in plans.values() for step in plan.steps]
        steps: t.List[Step] = [ForCard(name, step) for name, plan in plans.items() for step in plan.steps]
        told = [warning for plan in plans.values() for warning in plan.warnings]
        for host in found.cards[:1]:
            steps += self._readers.plan(inside, host.current.records, host.policy, found.presented)
            told += warnings(inside, host.policy, found.presented)
        for card, each in zip(self._cards, found.cards):
            steps += [ForCard(card.name, step) for step in card.to_sign(each.card)]
        return Plan(
            steps=tuple(steps),
            before={name: plan.before for name, plan in plans.items()},
            after={name: plan.after for name, plan in plans.items()},
            title="cards",
            warnings=tuple(dict.fromkeys(told)),
        )

    def apply(self, plan: Plan[Step], found: FoundCards) -> View:
        began, name = time.time(), ""
        try:
            made = []
            for card, each in zip(self._cards, found.cards):
                name = card.name
                made.append(self._carry_out(card, plan, each))
            for step in plan.steps:
                if isinstance(step, Present):
                    self._readers.apply(step, filter(None, made), began)
            for card, record in zip(self._cards, made):
                self._sign(card, plan, record)
            return self.report(plan, found)
        except HardboundError as error:
            self._note(name, error.facts)
            self._present_what_is_there()
            told = [{"name": each, **secrets} for each, secrets in self._escrowed.items() if any(secrets.values())]
            raise Interrupted(error, {"cards": told}) from error

    def _present_what_is_there(self) -> None:
        """The cards before the one that failed get their readers nevertheless."""
        with contextlib.suppress(HardboundError):
            present = self._readers.plan((), self._store.records(), self._store.host_policy(), self._readers.read())
            for step in present:
                self._readers.apply(step, (), 0)

    def _carry_out(self, card: EnrolledCard, plan: Plan[Step], found: FoundCard) -> t.Optional[Record]:
        steps = [step for step in _steps_for(card.name, plan) if not isinstance(step, Sign)]
        if not steps:
            return found.card
        record = card.apply(steps, found)
        self._note(card.name, card.told)
        return record

    def _sign(self, card: EnrolledCard, plan: Plan[Step], record: t.Optional[Record]) -> None:
        for step in _steps_for(card.name, plan):
            if isinstance(step, Sign) and record is not None:
                self._signatures[card.name] = RequestSigner(self._store, self._tpm, record, card.pin).sign(step)

    def _note(self, name: str, told: t.Mapping[str, t.Any]) -> None:
        """Keeps what is told of a new card only once."""
        if any(told.get(each) for each in ESCROWED):
            self._escrowed[name] = {each: told.get(each) for each in ESCROWED}

    def report(self, plan: Plan[Step], found: FoundCards) -> View:
        """Has the TPM state what the cards are that are there, which changes nothing."""
        from .._card.evidence import Question, collect  # It imports cryptography.

        ready = {record.name: record for record in self._store.records() if record.state is State.READY}
        there = [card for card in self._cards if card.name in ready]
        questions = [Question(ready[card.name].number, card.nonce, card.slots) for card in there]
        evidence = collect(self._store, self._tpm, questions).document()
        changed = {step.name for step in plan.steps if isinstance(step, ForCard) and not isinstance(step.step, Sign)}
        cards = [
            {
                **_held(card.name, ready.get(card.name), card.name in changed),
                "signatures": self._signatures.get(card.name, {}),
                **self._escrowed.get(card.name, dict.fromkeys(ESCROWED)),
            }
            for card in self._cards
        ]
        return {"cards": cards, "evidence": evidence}


def _tidied_once(found: t.Sequence[FoundCard]) -> t.Iterator[FoundCard]:
    """What an interrupted run has left is removed before the first card is made, and is no matter of the others."""
    for at, each in enumerate(found):
        ready = tuple(record for record in each.current.records if record.state is State.READY)
        yield replace(each, current=replace(each.current, records=ready)) if at else each


def _steps_for(name: str, plan: Plan[Step]) -> t.List[t.Union[CardStep, Sign]]:
    return [each.step for each in plan.steps if isinstance(each, ForCard) and each.name == name]


def _held(name: str, record: t.Optional[Record], changed: bool) -> t.Dict[str, t.Any]:
    """What the card holds; the controller believes none of it, and only spares itself a visit."""
    certificates = record.certificates if record else {}
    attestations = {slot: key.attestation for slot, key in record.keys.items()} if record else {}
    issuer = record.attestation_issuer if record else b""
    return {
        "name": name,
        "changed": changed,
        "instance_id": record.instance_id if record else None,
        "certificates": _digests(certificates),
        "ak_certificate": _digest(record.ak_certificate if record else b""),
        "attestations": _digests({slot: data + issuer for slot, data in attestations.items() if data}),
        "recovery": told_halves(record),
    }


def _digests(certificates: t.Mapping[int, bytes]) -> t.Dict[str, str]:
    return {f"{slot:02X}": _digest(data) for slot, data in sorted(certificates.items())}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else ""
