# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card shall be: the desired side of the spine."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._encoding.key_algorithm import KeyAlgorithm
from .._errors import InputError
from .._pin import PinPolicy
from .._tpm.tcti import DEFAULT, Tcti
from .admin_key import AdminKey
from .attestation import Attestation
from .authenticator_model import MOST_TRIES as MOST_TRIES_WITH_PASSKEYS
from .edge import Edge, parse_algorithm
from .face import Face
from .key import PinUse, default_pin_use, slot_name, slot_number
from .passkey import PasskeyAttestation, PasskeyPresence
from .recovery import NewHalves
from .secret import PUK_LENGTH

LONGEST_NAME = 127
FEWEST_TRIES = 1
MOST_TRIES = 127
DEFAULT_TRIES = 5


def check_tries(field_name: str, tries: int) -> None:
    """:raises InputError: for a number of tries that no card has"""
    if not FEWEST_TRIES <= tries <= MOST_TRIES:
        raise InputError(field_name, f"is {tries}", f"choose a number from {FEWEST_TRIES} to {MOST_TRIES}")


@dataclass(frozen=True)
class KeySpecification:
    """A key that the card shall have."""

    slot: int
    algorithm: KeyAlgorithm
    self_signed: bool = True
    pin_use: t.Optional[PinUse] = None
    """When the key shall ask for the PIN; None means what its slot is for."""

    @property
    def pin(self) -> PinUse:
        return self.pin_use or default_pin_use(self.slot)

    @classmethod
    def parse(cls, fields: t.Mapping[str, t.Any], field_name: str = "") -> KeySpecification:
        """:raises InputError: for an unknown slot or algorithm"""
        prefix = f"{field_name}." if field_name else ""
        slot = slot_number(str(fields["slot"]), f"{prefix}slot")
        algorithm = parse_algorithm(fields.get("algorithm"), slot, f"{prefix}algorithm")
        return cls(slot, algorithm, bool(fields.get("self_signed", True)))

    def check(self, edge: Edge, faces: t.Container[Face], prefix: str = "") -> None:
        """A reader's programs have to have a number for the algorithm; others name it.

        :raises InputError: for a key that such a card can't have
        """
        edge.check_slot(self.slot, f"{prefix}slot")
        if Face.PCSC in faces:
            edge.check_algorithm(self.algorithm, f"{prefix}algorithm")


CHANGEABLE = (
    "owner",
    "group",
    "faces",
    "passkeys",
    "presence",
    "passkey_attestation",
    "enterprise_attestation",
    "card_reset",
    "pin_policy",
)
"""What a task can change of a card that exists. Fields of a specification, a record and a task have these names."""
KEPT = ("name", "edge", "pin_retries", "puk_retries", "has_puk", *CHANGEABLE)
"""What a card's record says as a task does, by the names that both have for it."""


@dataclass(frozen=True)
class Specification:
    """A card as the task describes it. Secrets are elsewhere."""

    name: str
    tcti: Tcti = field(default_factory=lambda: Tcti.parse(DEFAULT))
    owner: str = ""
    group: str = ""
    edge: Edge = Edge.PIV
    faces: t.Tuple[Face, ...] = (Face.PCSC,)
    pin_policy: PinPolicy = field(default_factory=PinPolicy)
    pin_retries: int = DEFAULT_TRIES
    puk_retries: int = DEFAULT_TRIES
    has_puk: bool = False
    pin_must_change: bool = False
    has_admin: bool = False
    generate: bool = False
    card_reset: bool = False
    passkeys: bool = False
    presence: PasskeyPresence = PasskeyPresence.PIN
    passkey_attestation: PasskeyAttestation = PasskeyAttestation.TPM
    enterprise_attestation: t.Tuple[str, ...] = ()
    """Relying party ids."""
    attestation: Attestation = Attestation.NONE
    keys: t.Tuple[KeySpecification, ...] = ()

    @property
    def kept(self) -> t.Dict[str, t.Any]:
        return {name: getattr(self, name) for name in KEPT}

    @property
    def changeable(self) -> t.Dict[str, t.Any]:
        return {name: getattr(self, name) for name in CHANGEABLE}

    def validate(self) -> Specification:
        """Returns itself.

        :raises InputError: for the first thing that no card can be
        """
        if not 1 <= len(self.name) <= LONGEST_NAME or not self.name.isascii() or not self.name.isprintable():
            raise InputError(
                "name", "is empty, too long or not printable ASCII", f"use 1 to {LONGEST_NAME} such characters"
            )
        for field_name, tries in (("pin_retries", self.pin_retries), ("puk_retries", self.puk_retries)):
            check_tries(field_name, tries)
        if self.passkeys and self.pin_retries > MOST_TRIES_WITH_PASSKEYS:
            remedy = f"choose {MOST_TRIES_WITH_PASSKEYS} or less, or leave passkeys out"
            raise InputError("pin_retries", f"is {self.pin_retries}, more than a card with passkeys may have", remedy)
        if self.presence is PasskeyPresence.ASK and not self.owner:
            raise InputError("presence", "is ask, and the card has no owner to be asked", "give owner too")
        if self.generate and not self.edge.has_file_system:
            choices = " or ".join(edge.value for edge in Edge if edge.has_file_system)
            fault = f"is true, but a {self.edge.label} card has no file system to write"
            raise InputError("generate", fault, f"leave it out, or choose card_edge: {choices}")
        self._validate_keys()
        self.pin_policy.validate()
        return self

    def _validate_keys(self) -> None:
        slots = [key.slot for key in self.keys]
        for at, key in enumerate(self.keys):
            key.check(self.edge, self.faces, f"keys[{at}].")
            if slots.count(key.slot) > 1:
                raise InputError("keys", f"names the slot {slot_name(key.slot)} twice", "name each slot once")


@dataclass(frozen=True)
class Secrets:
    """What the owner of a card knows. Never shown, not even by accident.

    :param halves: what the PUK is made of, if nobody shall know it
    """

    pin: str = field(repr=False)
    puk: t.Optional[str] = field(default=None, repr=False)
    admin_key: t.Optional[AdminKey] = field(default=None, repr=False)
    halves: t.Optional[NewHalves] = None

    def check(self, rules: PinPolicy) -> Secrets:
        """Returns itself.

        :param rules: those of the card and the host together
        :raises InputError: for a PIN, PUK or admin key that the card would not take
        """
        rules.check(self.pin)
        if self.admin_key is not None:
            self.admin_key.check()
        if self.puk is not None:
            check_puk(self.puk)
        return self


def check_puk(puk: str, field: str = "puk") -> None:
    """:raises InputError: for a PUK that no card would take"""
    if len(puk) != PUK_LENGTH or not puk.isascii() or not puk.isprintable():
        raise InputError(field, f"does not have {PUK_LENGTH} printable ASCII characters", "choose one that has")
