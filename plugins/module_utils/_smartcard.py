# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard``: a card in the TPM, and the way for programs to reach it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace

from ._admin_key import ARGUMENTS as ADMIN_KEY
from ._admin_key import WantedAdminKey, secret_of
from ._card import lifecycle
from ._card.edge import Edge
from ._card.plan import Adjust, Create, Current, Destroy, MakeKeys, Tidy, after, plan_absent, plan_present
from ._card.readiness import check_algorithms, check_host_policy, check_tpm
from ._card.record import Record, presented
from ._card.report import report
from ._card.specification import (
    WELL_KNOWN_PIN,
    KeySpecification,
    Secrets,
    Specification,
)
from ._card.store import Store
from ._chosen_card import instance_number
from ._edge.access import holders
from ._edge.presentation import Present, Presentation, Presented
from ._edge.reader import reader_name
from ._errors import InputError, StateError
from ._spec import CARD, OWNER_AUTH, STORE, TPM, Arguments, pin_policy, register_secrets
from ._spine import Plan, View
from ._tpm.connection import Tpm
from ._tpm.tcti import Tcti
from ._tpm.workbench import Workbench

BY_DEFAULT = "default"
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
}


@dataclass(frozen=True)
class Wanted:
    """A card that shall be present, or (``specification`` None) absent."""

    name: str
    number: t.Optional[int]
    specification: t.Optional[Specification]
    pin: t.Optional[str] = field(default=None, repr=False)
    puk: t.Optional[str] = field(default=None, repr=False)
    admin_key: WantedAdminKey = field(default_factory=WantedAdminKey)
    owner_auth: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> Wanted:
        """Reads a task's parameters.

        :raises InputError: for the first that is not right
        """
        present = task["state"] == "present"
        if present and task["instance_id"] is not None:
            raise InputError("instance_id", "is given, but the TPM host chooses it", "leave it out with state: present")
        admin_key = WantedAdminKey.parse(task) if present else WantedAdminKey()
        return cls(
            name=task["name"] or "",
            number=instance_number(task["instance_id"]),
            specification=_specification(task, admin_key.exists) if present else None,
            admin_key=admin_key,
            pin=_well_known(task["pin"]),
            puk=_well_known(task["puk"]),
            owner_auth=(task["tpm_owner_auth"] or "").encode(),
        )


def _well_known(secret: t.Optional[str]) -> t.Optional[str]:
    return WELL_KNOWN_PIN if secret == BY_DEFAULT else secret


def _specification(task: t.Mapping[str, t.Any], has_admin: bool) -> Specification:
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
        has_puk=task["puk"] is not None,
        pin_must_change=task["pin_must_change"],
        has_admin=has_admin,
        generate=task["generate"],
        keys=tuple(keys),
    ).validate()


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
        self._escrowed: t.Optional[str] = None

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
        if self._wanted.pin is None:
            raise InputError("pin", "is missing, and new keys need one", "give the first PIN from a vaulted variable")
        policy = self._store.host_policy()
        if card is None:
            Secrets(self._wanted.pin, self._wanted.puk).check(policy.rules(specification.pin_policy))
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
        card, began = found.card, time.time()
        try:
            for step in plan.steps:
                card = self._do(step, card)
        finally:
            for tpm in self._tpms.values():
                tpm.close()
        if card is not None and card.presented and isinstance(plan.steps[-1], Present):
            self._await(card, began if plan.steps[-1].readers.changed else 0)
        return self._view(card)

    def _await(self, card: Record, since: float) -> None:
        if not self._presentation.await_card(card.number, since):
            found = f"the card {card.name!r} was made, but the card service does not put it into its reader"
            raise StateError(found, "look at the log of hardbound-cards, and apply the role tpm_host again")

    def report(self, plan: Plan[t.Any], found: Found) -> View:
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
        elif isinstance(step, Adjust) and card is not None:
            return self._adjust(card, step.specification)
        elif isinstance(step, Present):
            self._presentation.apply(step)
        return card

    def _create(self, specification: Specification) -> Record:
        self._store.prepare()
        admin_key, self._escrowed = self._wanted.admin_key.make()
        secrets = Secrets(self._wanted.pin or "", self._wanted.puk, admin_key)
        return lifecycle.create(self._store, self._tpm(str(specification.tcti)), specification, secrets)

    def _make_keys(self, record: Record, step: MakeKeys) -> Record:
        from ._card.card import Card  # These import cryptography, which a run without changes has no use for.
        from ._card.certificate import self_signed

        with self._tpm(record.tcti).taken() as tpm:
            card = Card(self._store, Workbench(tpm), record.number)
            card.verify((self._wanted.pin or "").encode(), provisioning=True)
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
            return {"instance_id": None, "reader": None, "card": None, "admin_key_escrow": None}
        cards = presented(self._store.records())
        return {
            "instance_id": card.instance_id,
            "reader": reader_name(card.number, cards) if card.presented else None,
            "card": report(card),
            "admin_key_escrow": self._escrowed,
        }
