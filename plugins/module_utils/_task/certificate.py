# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard_certificate``: the certificate of one key of a card."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import _cryptography
from .._card.key import slot_name, slot_number
from .._card.record import Record
from .._card.report import pem
from .._errors import InputError
from .._spine import Plan, View
from .existing_card import CARD, ExistingCard
from .secret_arguments import Arguments

ARGUMENTS: Arguments = {
    **CARD,
    "slot": {"type": "str", "required": True},
    "certificate": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class WantedCertificate:
    """The certificate, DER, that shall be in the slot; None for no certificate."""

    slot: int
    certificate: t.Optional[bytes]

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedCertificate:
        """:raises InputError: for an unknown slot, or what is no certificate"""
        slot = slot_number(task["slot"])
        if task["state"] == "absent":
            return cls(slot, None)
        from .._card.certificate import ExternalCertificate  # It imports cryptography.

        return cls(slot, ExternalCertificate.parse(task["certificate"], "certificate").der)

    def check(self, card: Record) -> None:
        """:raises InputError: if the certificate is not that of the slot's key"""
        if self.certificate is None:
            return
        from .._card.certificate import ExternalCertificate

        name, key = slot_name(self.slot), card.keys.get(self.slot)
        if key is None:
            raise InputError("slot", f"is {name}, which holds no key on the card {card.name!r}", "make the key first")
        if ExternalCertificate(self.certificate).public_key() != key.public:
            fault = f"is for another key than the one in slot {name} of the card {card.name!r}"
            remedy = "request one with virtual_smartcard_request, or name the slot that it belongs to"
            raise InputError("certificate", fault, remedy)


@dataclass(frozen=True)
class PutCertificate:
    """Write the certificate, DER, or remove the one that is there."""

    certificate: t.Optional[bytes]


class SmartcardCertificate:
    """One certificate through the spine: read, plan, apply."""

    def __init__(self, wanted: WantedCertificate, chosen: ExistingCard) -> None:
        self._wanted = wanted
        self._chosen = chosen

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> SmartcardCertificate:
        """:raises InputError: for a parameter that is not right"""
        _cryptography.require()
        return cls(WantedCertificate.parse(task), ExistingCard.from_task(task))

    def read(self) -> Record:
        record = self._chosen.record()
        self._wanted.check(record)
        return record

    def plan(self, card: Record) -> Plan[PutCertificate]:
        found, wanted = card.certificates.get(self._wanted.slot), self._wanted.certificate
        steps = () if found == wanted else (PutCertificate(wanted),)
        title = f"certificate in slot {slot_name(self._wanted.slot)} of the virtual smart card {card.name}"
        return Plan(steps, _describe(found), _describe(wanted), title)

    def apply(self, plan: Plan[PutCertificate], found: Record) -> View:
        store = self._chosen.store
        with store.changing(found.number):
            record = store.read(found.number)
            self._wanted.check(record)
            for step in plan.steps:
                record = record.with_certificate(self._wanted.slot, step.certificate)
            store.write(record)
        return self._view(record)

    def report(self, plan: Plan[PutCertificate], found: Record) -> View:
        return self._view(found)

    def _view(self, card: Record) -> View:
        found = card.certificates.get(self._wanted.slot)
        described = {"pem": pem("CERTIFICATE", found), **_describe(found)} if found else None
        return {"name": card.name, "instance_id": card.instance_id, "certificate": described}


def _describe(certificate: t.Optional[bytes]) -> t.Dict[str, t.Any]:
    if certificate is None:
        return {}
    from .._card.certificate import ExternalCertificate

    try:
        return ExternalCertificate(certificate).describe()
    except ValueError:
        return {"subject": "what is no certificate"}
