# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard``: a card in the TPM, and the way for programs to reach it."""

from __future__ import annotations

import base64
import contextlib
import time
import typing as t
from dataclasses import dataclass, field, replace

from ._admin_key import ARGUMENTS as ADMIN_KEY
from ._admin_key import WantedAdminKey, secret_of
from ._attestation import ARGUMENTS as ATTESTATION
from ._attestation import WantedAttestation
from ._card import lifecycle
from ._card.attestation import Attestation
from ._card.attestation_key import equip
from ._card.edge import Edge
from ._card.plan import (
    Adjust,
    Create,
    Current,
    Destroy,
    MakeAttestationKey,
    MakeKeys,
    Tidy,
    after,
    plan_absent,
    plan_present,
)
from ._card.readiness import check_algorithms, check_host_policy, check_tpm
from ._card.record import Record, presented
from ._card.report import report
from ._card.secret import expects
from ._card.specification import (
    KeySpecification,
    Secrets,
    Specification,
)
from ._card.store import Store
from ._chosen_card import instance_number
from ._edge.access import holders
from ._edge.presentation import Present, Presentation, Presented
from ._edge.reader import reader_name
from ._errors import HardboundError, InputError, Interrupted, StateError
from ._escrow import ESCROWED
from ._first_pin import WantedPin, well_known
from ._spec import CARD, OWNER_AUTH, STORE, TPM, Arguments, pin_policy, register_secrets
from ._spine import Plan, View
from ._tpm.connection import Tpm
from ._tpm.tcti import Tcti
from ._tpm.workbench import Workbench

NOT_SET_UP = (
    "No program reaches the card yet: the role hardbound.identity.tpm_host has not set up this host and store, "
    "so there is no reader for it."
)
KEPT_OUT = "The card gets no reader, now or later: the host's Hello policy turns smart card emulation off."

ARGUMENTS: Arguments = {
    **TPM,
    **STORE,
    **OWNER_AUTH,
    "name": {"type": "str"},
    "instance_id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **CARD,
    **ADMIN_KEY,
    **ATTESTATION,
}


@dataclass(frozen=True)
class Wanted:
    """A card that shall be present, or (``specification`` None) absent."""

    name: str
    number: t.Optional[int]
    specification: t.Optional[Specification]
    pin: WantedPin = field(default_factory=WantedPin)
    puk: t.Optional[str] = field(default=None, repr=False)
    admin_key: WantedAdminKey = field(default_factory=WantedAdminKey)
    attestation: WantedAttestation = field(default_factory=WantedAttestation)
    owner_auth: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> Wanted:
        """Reads a task's parameters.

        :raises InputError: for the first that is not right
        """
        present = task["state"] == "present"
        if present and task["instance_id"] is not None:
            raise InputError("instance_id", "is given, but the TPM host chooses it", "leave it out with state: present")
        if task["name"] is None and (present or task["instance_id"] is None):
            remedy = "give the card's name" + ("" if present else ", or its instance_id")
            raise InputError("name", "is missing", remedy)
        number, owner_auth = instance_number(task["instance_id"]), (task["tpm_owner_auth"] or "").encode()
        if not present:
            return cls(task["name"] or "", number, None, owner_auth=owner_auth)
        admin_key, attestation = WantedAdminKey.parse(task), WantedAttestation.parse(task)
        return cls(
            name=task["name"] or "",
            number=number,
            specification=_specification(task, admin_key.exists, attestation.kind),
            admin_key=admin_key,
            attestation=attestation,
            pin=WantedPin.parse(task["pin"], task["pin_escrow_key"]),
            puk=well_known(task["puk"]),
            owner_auth=owner_auth,
        )


def _specification(task: t.Mapping[str, t.Any], has_admin: bool, attestation: Attestation) -> Specification:
    edge = Edge(task["card_edge"])
    keys = (KeySpecification.parse(key, f"keys[{index}]") for index, key in enumerate(task["keys"]))
    policy = pin_policy(task["pin_policy"]).validate()
    return Specification(
        name=task["name"],
        tcti=Tcti.parse(task["tpm"]),
        owner=task["owner"],
        group=task["group"],
        edge=edge,
        pin_policy=policy.capped(edge.longest_pin, "pin_policy", f"a {edge.label} card"),
        pin_retries=task["pin_retries"],
        puk_retries=task["puk_retries"],
        has_puk=expects("puk", task["puk"] is not None, task["has_puk"]),
        pin_must_change=task["pin_must_change"],
        has_admin=expects("admin_key", has_admin, task["has_admin_key"]),
        generate=task["generate"],
        attestation=attestation,
        keys=tuple(keys),
    ).validate()


def _require_secret(field: str, expected: bool, given: bool) -> None:
    """:raises InputError: if a new card shall have a secret, and the task keeps it to itself"""
    if expected and not given:
        fault = f"is missing, has_{field} is true, and the card is yet to be made"
        raise InputError(field, fault, "give it from a vaulted variable for this run")


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

    def __init__(self, wanted: Wanted, store: Store, presentation: Presentation) -> None:
        self._wanted = wanted
        self._store = store
        self._presentation = presentation
        self._tpms: t.Dict[str, Tpm] = {}
        self._pin = wanted.pin.value or ""
        self._told: t.Dict[str, t.Any] = dict.fromkeys((*ESCROWED, "evidence", "attestation_nonce"))

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> Smartcard:
        """:raises InputError: for a parameter that is not right"""
        register_secrets(task["pin"], task["puk"], task["tpm_owner_auth"], secret_of(task))
        return cls(Wanted.parse(task), Store(task["store"]), Presentation(task["store"]))

    def _find(self, current: Current) -> t.Optional[Record]:
        return current.find(self._wanted.name, self._wanted.number)

    def _tpm(self, tcti: str) -> Tpm:
        if tcti not in self._tpms:
            self._tpms[tcti] = Tpm(Tcti.parse(tcti), self._store.folder, self._wanted.owner_auth)
        return self._tpms[tcti]

    def read(self) -> Found:
        records = tuple(self._store.records())
        current = Current(records)
        card = self._find(current)
        specification = self._wanted.specification
        if specification is not None:
            if card is None or any(key.slot not in card.keys for key in specification.keys):
                self._check(specification, card)
            if card is not None:
                with self._tpm(card.tcti).taken() as tpm:
                    current = replace(current, whole=lifecycle.is_whole(tpm, card.model))
        presented = self._presentation.read() if self._presentation.is_set_up else None
        return Found(current, card, presented)

    def _check(self, specification: Specification, card: t.Optional[Record]) -> None:
        """Finds out what would go wrong before anything is changed."""
        wanted, policy = self._wanted, self._store.host_policy()
        if wanted.pin.is_random and card is not None:
            fault = f"is random, which only a new card gets, and the card {card.name!r} lacks keys"
            raise InputError("pin", fault, "give the PIN that it has, or ask for no new keys")
        if wanted.pin.value is None and not wanted.pin.is_random:
            raise InputError("pin", "is missing, and new keys need one", "give the first PIN from a vaulted variable")
        if card is None:
            _require_secret("puk", specification.has_puk, wanted.puk is not None)
            _require_secret("admin_key", specification.has_admin, wanted.admin_key.exists)
            rules = policy.rules(specification.pin_policy)
            Secrets(wanted.pin.make(rules)[0], wanted.puk).check(rules)
        with self._tpm(str(specification.tcti)).taken() as tpm:
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
        with self._tpms_closed():
            card = self._carry_out(inside, found.card)
        try:
            for step in plan.steps[len(inside) :]:
                self._presentation.apply(step)
                if card is not None and card.presented:
                    self._await(card, began if step.readers.changed else 0)
        except HardboundError as error:
            raise Interrupted(error, self._view(card)) from error
        return self._view(card)

    @contextlib.contextmanager
    def _tpms_closed(self) -> t.Iterator[None]:
        try:
            yield
        finally:
            for tpm in self._tpms.values():
                tpm.close()

    def _carry_out(self, steps: t.Sequence[t.Any], card: t.Optional[Record]) -> t.Optional[Record]:
        """What fails after a card was made takes the card with it."""
        made: t.Optional[Record] = None
        try:
            for step in steps:
                card = self._do(step, card)
                made = card if isinstance(step, Create) else made
            has_new_key = any(isinstance(step, (Create, MakeAttestationKey)) for step in steps)
            self._prove(card, has_new_key, keep=True)
        except BaseException:
            if made is not None:
                with contextlib.suppress(HardboundError):
                    lifecycle.destroy(self._store, self._tpm(made.tcti), made.number)
            raise
        return card

    def _prove(self, card: t.Optional[Record], has_new_key: bool, keep: bool) -> None:
        """Has the TPM state what the card is, if somebody wants to know.

        :param keep: whether an attestation key that is made for it is kept
        """
        wanted = self._wanted.attestation
        nonce = wanted.nonce_for(has_new_key)
        if card is None or nonce is None:
            return
        from ._card.evidence import Question, collect  # It imports cryptography.

        slots = frozenset() if wanted.for_ca else frozenset(card.keys)
        evidence = collect(self._store, self._tpm(card.tcti), [Question(card.number, nonce, slots)], keep)
        self._told.update(evidence=evidence.document(), attestation_nonce=base64.b64encode(nonce).decode())

    def _await(self, card: Record, since: float) -> None:
        if not self._presentation.await_card(card.number, since):
            found = f"the card {card.name!r} was made, but the card service does not put it into its reader"
            raise StateError(found, "look at the log of hardbound-cards, and apply the role tpm_host again")

    def report(self, plan: Plan[t.Any], found: Found) -> View:
        with self._tpms_closed():
            self._prove(found.card, has_new_key=False, keep=False)
        return self._view(found.card)

    def _do(self, step: t.Any, card: t.Optional[Record]) -> t.Optional[Record]:
        if isinstance(step, Tidy):
            lifecycle.recover(self._store, self._tpm)
        elif isinstance(step, Create):
            return self._create(step.specification)
        elif isinstance(step, Destroy) and card is not None:
            lifecycle.destroy(self._store, self._tpm(card.tcti), card.number)
            return None
        elif isinstance(step, MakeKeys) and card is not None:
            return self._make_keys(card, step)
        elif isinstance(step, MakeAttestationKey) and card is not None:
            with self._tpm(card.tcti).taken() as tpm:
                return equip(self._store, tpm, card.number)
        elif isinstance(step, Adjust) and card is not None:
            return self._adjust(card, step.specification)
        return card

    def _create(self, specification: Specification) -> Record:
        self._store.prepare()
        rules = self._store.host_policy().rules(specification.pin_policy)
        self._pin, self._told["pin_escrow"] = self._wanted.pin.make(rules)
        admin_key, self._told["admin_key_escrow"] = self._wanted.admin_key.make()
        secrets = Secrets(self._pin, self._wanted.puk, admin_key)
        return lifecycle.create(self._store, self._tpm(str(specification.tcti)), specification, secrets)

    def _make_keys(self, record: Record, step: MakeKeys) -> Record:
        from ._card.card import Card  # These import cryptography, which a run without changes has no use for.
        from ._card.certificate import self_signed

        with self._tpm(record.tcti).taken() as tpm:
            card = Card(self._store, Workbench(tpm), record.number)
            card.verify(self._pin.encode(), provisioning=True)
            for key in step.keys:
                card.make_key(key)
                if key.self_signed:
                    card.store_certificate(key.slot, self_signed(card, key.slot))
            card.close()
            return card.record

    def _adjust(self, record: Record, specification: Specification) -> Record:
        with self._store.changing(record.number):
            present = self._store.read(record.number)
            adjusted = replace(
                present,
                owner=specification.owner,
                group=specification.group,
                pin_policy=specification.pin_policy,
                generated=present.generated or specification.generate,
            )
            self._store.write(adjusted)
        return adjusted

    def _view(self, card: t.Optional[Record]) -> View:
        if card is None:
            return {"instance_id": None, "reader": None, "card": None, **self._told}
        cards = presented(self._store.records())
        return {
            "instance_id": card.instance_id,
            "reader": reader_name(card.number, cards) if card.presented else None,
            "card": report(card),
            **self._told,
        }
