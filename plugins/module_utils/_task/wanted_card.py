# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card that a task of ``virtual_smartcard`` wants."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._card.attestation import Attestation
from .._card.authenticator_model import LONGEST_PIN
from .._card.edge import Edge
from .._card.face import Face, parse_faces
from .._card.passkey import PasskeyAttestation, PasskeyPresence, parse_parties
from .._card.record import Record
from .._card.recovery import NewHalves
from .._card.secret import expects
from .._card.specification import (
    CHANGEABLE,
    DEFAULT_TRIES,
    KeySpecification,
    Secrets,
    Specification,
)
from .._errors import InputError
from .._pin import PinPolicy
from .._tpm.tcti import Tcti
from .admin_key import ARGUMENTS as ADMIN_KEY
from .admin_key import WantedAdminKey
from .arguments import CARD, PLACE, endorsement_auth, owner_auth, pin_policy
from .attestation import ARGUMENTS as ATTESTATION
from .attestation import WantedAttestation
from .existing_card import instance_number
from .first_pin import WantedPin
from .secret_arguments import Arguments, public_knowledge, well_known

ARGUMENTS: Arguments = {
    **PLACE,
    "name": {"type": "str"},
    "instance_id": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **CARD,
    **ADMIN_KEY,
    **ATTESTATION,
}


@dataclass(frozen=True)
class WantedCard:
    """A card that shall be present, or (``specification`` None) absent."""

    name: t.Optional[str]
    number: t.Optional[int]
    specification: t.Optional[Specification]
    pin: WantedPin = field(default_factory=WantedPin)
    puk: t.Optional[str] = field(default=None, repr=False)
    halves: t.Optional[NewHalves] = None
    """What the PUK of a new card is made of, where the controller has asked for that."""
    admin_key: WantedAdminKey = field(default_factory=WantedAdminKey)
    attestation: WantedAttestation = field(default_factory=WantedAttestation)
    owner_auth: bytes = field(default=b"", repr=False)
    endorsement_auth: bytes = field(default=b"", repr=False)
    left_out: t.FrozenSet[str] = frozenset()
    """What the task does not say of what can be changed: a card that exists keeps it."""

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedCard:
        """Reads a task's parameters.

        :raises InputError: for the first that is not right
        """
        present = task["state"] == "present"
        if present and task["instance_id"] is not None:
            raise InputError("instance_id", "is given, but the TPM host chooses it", "leave it out with state: present")
        if task["name"] is None and (present or task["instance_id"] is None):
            remedy = "give the card's name" + ("" if present else ", or its instance_id")
            raise InputError("name", "is missing", remedy)
        number = instance_number(task["instance_id"])
        if not present:
            return cls(task["name"], number, None, owner_auth=owner_auth(task))
        admin_key, attestation = WantedAdminKey.parse(task), WantedAttestation.parse(task)
        return cls(
            name=task["name"] or "",
            number=number,
            specification=_specification(task, admin_key.exists, attestation.kind),
            admin_key=admin_key,
            attestation=attestation,
            pin=WantedPin.parse(task["pin"], task["pin_escrow_key"]),
            puk=well_known(task["puk"]),
            left_out=frozenset(name for name in CHANGEABLE if task[name] is None),
            owner_auth=owner_auth(task),
            endorsement_auth=endorsement_auth(task),
        )

    def specified(self, card: t.Optional[Record]) -> t.Optional[Specification]:
        """Returns how a card shall be, as it was found or not; None for a card that shall be gone."""
        if self.specification is None or card is None:
            return self.specification
        kept: t.Dict[str, t.Any] = {name: getattr(card, name) for name in self.left_out}
        return replace(self.specification, **kept)

    @property
    def warnings(self) -> t.Tuple[str, ...]:
        """What a person should know who asks for such a card."""
        secrets = (*public_knowledge("pin", self.pin.value), *public_knowledge("puk", self.puk))
        return (*secrets, *self.admin_key.warnings)

    def check_secrets(self, card: t.Optional[Record], rules: PinPolicy) -> None:
        """Finds out whether the task gives the secrets that new keys, or a new card, need.

        :param card: what there is of it
        :param rules: those of card and host together
        :raises InputError: if it does not, or if a new card would not take them
        """
        if self.pin.is_random and card is not None:
            fault = f"is random, which only a new card gets, and the card {card.name!r} lacks keys"
            raise InputError("pin", fault, "give the PIN that it has, or ask for no new keys")
        if self.pin.value is None and not self.pin.is_random:
            raise InputError("pin", "is missing, and new keys need one", "give the first PIN from a vaulted variable")
        if card is None and self.specification is not None:
            _require_secret("puk", self.specification.has_puk, self.puk is not None)
            _require_secret("admin_key", self.specification.has_admin, self.admin_key.exists)
            Secrets(self.pin.make(rules)[0], self.puk).check(rules)


def _specification(task: t.Mapping[str, t.Any], has_admin: bool, attestation: Attestation) -> Specification:
    edge = Edge(task["card_edge"])
    keys = (KeySpecification.parse(key, f"keys[{index}]") for index, key in enumerate(task["keys"]))
    policy = _policy(task, edge)
    puk = expects("puk", task["puk"] is not None, task["has_puk"])
    if not puk and task["puk_retries"] != DEFAULT_TRIES:
        fault = f"is {task['puk_retries']}, but the card has no PUK"
        raise InputError("puk_retries", fault, "give puk too, or leave puk_retries out")
    return Specification(
        name=task["name"],
        tcti=Tcti.of_task(task["tpm"]),
        owner=task["owner"] or "",
        group=task["group"] or "",
        edge=edge,
        faces=parse_faces([Face.PCSC.value] if task["faces"] is None else task["faces"]),
        pin_policy=policy,
        pin_retries=task["pin_retries"],
        puk_retries=task["puk_retries"],
        has_puk=puk,
        pin_must_change=task["pin_must_change"],
        has_admin=expects("admin_key", has_admin, task["has_admin_key"]),
        generate=task["generate"],
        passkeys=bool(task["passkeys"]),
        presence=PasskeyPresence(task["presence"] or PasskeyPresence.PIN.value),
        passkey_attestation=PasskeyAttestation(task["passkey_attestation"] or PasskeyAttestation.TPM.value),
        enterprise_attestation=parse_parties(task["enterprise_attestation"] or (), "enterprise_attestation"),
        card_reset=bool(task["card_reset"]),
        attestation=attestation,
        keys=tuple(keys),
    ).validate()


def _policy(task: t.Mapping[str, t.Any], edge: Edge) -> PinPolicy:
    policy = pin_policy(task["pin_policy"]).validate().capped(edge.longest_pin, "pin_policy", f"a {edge.label} card")
    if not task["passkeys"]:
        return policy
    longest = min(edge.longest_pin, LONGEST_PIN)
    return policy.capped(longest, "pin_policy", "a card with passkeys", "leave passkeys out")


def _require_secret(field: str, expected: bool, given: bool) -> None:
    """:raises InputError: if a new card shall have a secret, and the task keeps it to itself"""
    if expected and not given:
        fault = f"is missing, has_{field} is true, and the card is yet to be made"
        raise InputError(field, fault, "give it from a vaulted variable for this run")
