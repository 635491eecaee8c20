# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard_pin``: PIN and PUK of a card."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from .._card.admin_key import AdminKey
from .._card.errors import Blocked, WrongSecret
from .._card.host_policy import HostPolicy
from .._card.outlasting import AFTER_CHANGE, TICKETS
from .._card.record import Record
from .._card.secret import DEFAULT, Reference, Tries, word
from .._card.specification import check_puk
from .._errors import HardboundError, InputError, Interrupted, StateError
from .._spine import Plan, View, unknown
from .admin_key import PUBLIC_KNOWLEDGE, parse_admin_key
from .existing_card import CARD, ExistingCard, naming
from .first_pin import WantedPin
from .secret_arguments import Arguments, public_knowledge, well_known

if t.TYPE_CHECKING:
    from .._card.card import Card

ARGUMENTS: Arguments = {
    **CARD,
    "pin": {"type": "str", "no_log": True},
    "new_pin": {"type": "str", "no_log": True},
    "pin_escrow_key": {"type": "str", "no_log": False},
    "must_change": {"type": "bool", "default": False},
    "compromised": {"type": "bool", "default": False},
    "puk": {"type": "str", "no_log": True},
    "new_puk": {"type": "str", "no_log": True},
    "admin_key": {"type": "str", "no_log": True},
}
SOMETHING_NEW = [("new_pin", "new_puk")]
"""One of these is required."""


@dataclass(frozen=True)
class WantedSecrets:
    """The secrets that a card shall have, and those that it has."""

    pin: t.Optional[str] = field(default=None, repr=False)
    new_pin: t.Optional[WantedPin] = None
    puk: t.Optional[str] = field(default=None, repr=False)
    new_puk: t.Optional[str] = field(default=None, repr=False)
    admin_key: t.Optional[str] = field(default=None, repr=False)
    must_change: bool = False
    compromised: bool = False

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedSecrets:
        """:raises InputError: if a new secret comes without one that allows it"""
        new_pin = None
        if task["new_pin"] is not None:
            new_pin = WantedPin.parse(task["new_pin"], task["pin_escrow_key"], "new_pin")
        pin, puk, new_puk = (well_known(task[name]) for name in ("pin", "puk", "new_puk"))
        wanted = cls(pin, new_pin, puk, new_puk, task["admin_key"], task["must_change"], task["compromised"])
        if wanted.new_pin is None:
            for name in ("must_change", "admin_key", "pin_escrow_key"):
                if task[name]:
                    raise InputError(
                        name, "is given without new_pin", "give the PIN that the card shall get in new_pin"
                    )
        elif wanted.pin is None and wanted.recovery is None:
            fault = "comes without pin, puk and admin_key"
            raise InputError("new_pin", fault, "give the present PIN, the PUK, or the admin key of a card without PUK")
        if wanted.new_puk is not None and wanted.puk is None:
            raise InputError("new_puk", "comes without puk", "give the present PUK")
        if wanted.new_puk is not None:
            check_puk(wanted.new_puk, "new_puk")
        return wanted

    @property
    def recovery(self) -> t.Optional[Reference]:
        """What sets a new PIN without the present one, if anything was given for that."""
        if self.admin_key is not None:
            return Reference.ADMIN
        return None if self.puk is None else Reference.PUK

    @property
    def warnings(self) -> t.Tuple[str, ...]:
        """What a person should know about the secrets that the card has afterwards."""
        new_pin = public_knowledge("new_pin", self.new_pin.value if self.new_pin else None)
        new_puk, puk = public_knowledge("new_puk", self.new_puk), public_knowledge("puk", self.puk)
        admin_key = (PUBLIC_KNOWLEDGE,) if word(self.admin_key) == DEFAULT else ()
        return (*new_pin, *(puk if self.new_puk is None else new_puk), *admin_key)

    def check(self, card: Record, policy: HostPolicy) -> None:
        """:raises InputError: for what this card would not take"""
        if self.new_pin is not None:
            rules = policy.rules(card.pin_policy)
            if self.new_pin.value is not None:
                rules.check(self.new_pin.value, "new_pin")
        if not card.has_puk and self.puk is not None:
            raise InputError("puk", f"is given, but the card {card.name!r} has none", "leave it out")
        self.known_admin_key(card)

    def known_admin_key(self, card: Record) -> t.Optional[AdminKey]:
        """Returns the admin key if it was given.

        :raises InputError: if it is not the card's, or sets no PIN on it. That takes no try, and no TPM
        """
        if self.admin_key is None:
            return None
        if card.administration is None:
            fault = f"is given, but nobody knows one of the card {card.name!r}"
            raise InputError("admin_key", fault, "give the present PIN or the PUK")
        if card.has_puk:
            fault = f"sets no PIN on the card {card.name!r}, which has a PUK"
            raise InputError("admin_key", fault, "give the PUK in its place")
        key = parse_admin_key(self.admin_key, card.administration.challenge.cipher)
        if not card.administration.challenge.is_made_with(key):
            raise InputError(
                "admin_key", f"is not that of the card {card.name!r}", "give the right one; no try was spent"
            )
        return key


@dataclass(frozen=True)
class ChangeSecret:
    """A secret gets a new value; ``by`` is the one that allows it."""

    secret: Reference
    by: Reference


@dataclass(frozen=True)
class Mark:
    """The PIN is right, and can do nothing but be changed from now on."""


Step = t.Union[ChangeSecret, Mark]


@dataclass(frozen=True)
class FoundSecrets:
    """The card with its tries; and what trying the given secrets told, None where nobody asked.

    :param pin_set_by: what a new PIN is set with, or None if the PIN is as it shall be
    """

    record: Record
    policy: HostPolicy
    pin: Tries
    puk: t.Optional[Tries]
    pin_set_by: t.Optional[Reference] = None
    right_pin: t.Optional[bytes] = field(default=None, repr=False)
    right_puk: t.Optional[bytes] = field(default=None, repr=False)


class SmartcardPin:
    """PIN and PUK through the spine: read, plan, apply."""

    def __init__(self, wanted: WantedSecrets, chosen: ExistingCard) -> None:
        self._wanted = wanted
        self._chosen = chosen
        self._escrowed: t.Optional[str] = None

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> SmartcardPin:
        """:raises InputError: for a parameter that is not right"""
        return cls(WantedSecrets.parse(task), ExistingCard.from_task(task))

    def read(self) -> FoundSecrets:
        record, policy = self._chosen.record(), self._chosen.store.host_policy()
        self._wanted.check(record, policy)
        with self._chosen.used() as card:
            return FoundSecrets(record, policy, *_tries(card))

    def probe(self, found: FoundSecrets) -> FoundSecrets:
        """Finds out which of the given secrets are right. Right ones cost no try."""
        wanted = self._wanted
        with self._chosen.used() as card:
            right_pin, by = self._look_at_pin(card)
            if by is Reference.PUK and not found.policy.puk_may_reset_pin:
                fault = "may not set a new PIN, by the host's Hello policy"
                raise InputError("puk", fault, "give the present PIN, or make a new card")
            right_puk = None
            if wanted.puk is not None and (wanted.new_puk is not None or by is Reference.PUK):
                right_puk = find_secret(card, Reference.PUK, [wanted.puk, wanted.new_puk])
            return FoundSecrets(card.record, found.policy, *_tries(card), by, right_pin, right_puk)

    def _look_at_pin(self, card: Card) -> t.Tuple[t.Optional[bytes], t.Optional[Reference]]:
        """Returns the PIN that is right, if one is, and what a new one has to be set with, if it has to."""
        wanted = self._wanted
        if wanted.new_pin is None:
            return None, None
        new = wanted.new_pin.value
        if wanted.pin is None and (new is None or not card.set_by_task(Reference.PIN)):
            return None, wanted.recovery
        try:
            right = find_secret(card, Reference.PIN, [wanted.pin, new])
        except (Doubt, InputError):
            if wanted.recovery is None:
                raise
            return None, wanted.recovery
        return right, None if new is not None and right == new.encode() else Reference.PIN

    def plan(self, found: FoundSecrets) -> Plan[Step]:
        steps: t.List[Step] = []
        if found.pin_set_by is not None:
            steps.append(ChangeSecret(Reference.PIN, found.pin_set_by))
        new_puk = self._wanted.new_puk
        if new_puk is not None and found.right_puk != new_puk.encode():
            steps.append(ChangeSecret(Reference.PUK, Reference.PUK))
        before = _describe(found.record, found.pin, found.puk)
        after = dict(before)
        for step in steps:
            if isinstance(step, ChangeSecret):
                name = step.secret.value
                before[name], after[name] = "the present one", "the new one"
        if found.pin_set_by is not None:
            after["pin_tries_left"] = found.pin.limit
            after["pin_must_change"] = self._wanted.must_change
        elif self._wanted.must_change and not found.record.pin.must_change:
            steps.append(Mark())
            after["pin_must_change"] = True
        title = f"PIN and PUK of the virtual smart card {found.record.name}"
        warned = self._wanted.compromised and _replaces(steps)
        warnings = (*self._wanted.warnings, *((AFTER_CHANGE,) if warned else ()))
        return Plan(tuple(steps), before, after, title, warnings)

    def apply(self, plan: Plan[Step], found: FoundSecrets) -> View:
        with self._chosen.used() as card:
            try:
                for step in plan.steps:
                    self._do(step, card, found)
            except HardboundError as error:
                if self._escrowed is None:
                    raise
                raise Interrupted(error, {"pin_escrow": self._escrowed}) from error
            told = {"pin_escrow": self._escrowed, TICKETS: _replaces(plan.steps)}
            return {**_describe(card.record, *_tries(card)), **told}

    def _do(self, step: Step, card: Card, found: FoundSecrets) -> None:
        if isinstance(step, Mark):
            card.must_change_pin()
        elif not isinstance(step, ChangeSecret):
            unknown(step)
        elif step.secret is Reference.PUK:
            card.change(Reference.PUK, found.right_puk or b"", (self._wanted.new_puk or "").encode(), by_task=True)
        else:
            self._set_pin(step.by, card, found)

    def _set_pin(self, by: Reference, card: Card, found: FoundSecrets) -> None:
        rules = found.policy.rules(card.record.pin_policy)
        text, escrowed = (self._wanted.new_pin or WantedPin()).make(rules)
        new, must_change = text.encode(), self._wanted.must_change
        admin_key = self._wanted.known_admin_key(card.record)
        with _naming_new_pin():
            if by is Reference.ADMIN and admin_key is not None:
                card.administer(admin_key)
                card.reset_pin(new, by_task=True, must_change=must_change)
            elif by is Reference.PUK:
                card.unblock(found.right_puk or b"", new, by_task=True, must_change=must_change)
            else:
                card.change(Reference.PIN, found.right_pin or b"", new, by_task=True, must_change=must_change)
        self._escrowed = escrowed

    def report(self, plan: Plan[Step], found: FoundSecrets) -> View:
        return {**_describe(found.record, found.pin, found.puk), "pin_escrow": None, TICKETS: False}


@contextlib.contextmanager
def _naming_new_pin() -> t.Iterator[None]:
    """A card calls each PIN that it is to take ``pin``; here ``pin`` is the present one."""
    try:
        yield
    except InputError as error:
        if error.field != "pin":
            raise
        raise InputError("new_pin", error.fault, error.remedy) from error


class Doubt(StateError):
    """One try is left, and nothing tells that it would not be wasted."""

    def __init__(self, reference: Reference) -> None:
        found = f"{reference.value} may be wrong, and the card's {reference.title} has one try left"
        super().__init__(found, f"enter the right one by hand, or {reference.way_out}")


def find_secret(card: Card, reference: Reference, given: t.Sequence[t.Optional[str]]) -> bytes:
    """Returns the one of some secrets that is right. The last of several tries is left to people.

    :raises InputError: if none is; also if the disk tells that, which costs no try
    """
    with naming(reference.value):
        return _first_right(card, reference, given)


def _first_right(card: Card, reference: Reference, given: t.Sequence[t.Optional[str]]) -> bytes:
    tries = card.tries(reference)
    if not tries.left:
        raise Blocked(reference)
    secrets = dict.fromkeys(secret.encode() for secret in given if secret is not None)
    likely = card.candidates(reference, list(secrets))
    if not likely:
        fault = f"is not the card's, which a task has set to another {reference.title}"
        raise InputError(reference.value, fault, "give the right one; no try was spent")
    certain = len(likely) == 1 and card.set_by_task(reference)
    left = tries.left
    for secret in likely[:-1]:
        if left == 1 and tries.limit > 1:
            raise Doubt(reference)
        try:
            card.check(reference, secret)
            return secret
        except WrongSecret as error:
            left = error.left
    if left == 1 and tries.limit > 1 and not certain:
        raise Doubt(reference)
    card.check(reference, likely[-1])
    return likely[-1]


def _replaces(steps: t.Iterable[Step]) -> bool:
    return any(isinstance(step, ChangeSecret) for step in steps)


def _tries(card: Card) -> t.Tuple[Tries, t.Optional[Tries]]:
    return card.tries(Reference.PIN), card.tries(Reference.PUK) if card.has(Reference.PUK) else None


def _describe(record: Record, pin: Tries, puk: t.Optional[Tries]) -> t.Dict[str, t.Any]:
    return {
        "name": record.name,
        "instance_id": record.instance_id,
        "pin_must_change": record.pin.must_change,
        "pin_tries_left": pin.left,
        "puk_tries_left": puk.left if puk else None,
    }
