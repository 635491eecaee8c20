# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of ``virtual_smartcard_request``: a certification request in a file, signed by a card's key."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from .. import _cryptography
from .._card.key import PinUse, default_pin_use, slot_name, slot_number
from .._card.record import Record
from .._card.report import pem
from .._errors import InputError, StateError
from .._files import remedy_of, write_atomically
from .._spine import Plan, View
from .existing_card import CARD, ExistingCard, naming
from .secret_arguments import Arguments

if t.TYPE_CHECKING:
    from .._card.request import RequestSpecification

ARGUMENTS: Arguments = {
    **CARD,
    "slot": {"type": "str", "required": True},
    "subject": {"type": "dict", "required": True},
    "subject_alt_name": {"type": "list", "elements": "str", "default": []},
    "path": {"type": "path", "required": True},
    "pin": {"type": "str", "no_log": True},
}
_PUBLIC = 0o644
_LONGEST = 1 << 20
"""Bytes of a file that may be a request."""


@dataclass(frozen=True)
class WantedRequest:
    """A request, and the file that shall hold it."""

    slot: int
    request: RequestSpecification
    path: str
    pin: t.Optional[str] = field(default=None, repr=False)

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedRequest:
        """:raises InputError: for the first parameter that is not right"""
        from .._card.request import RequestSpecification, parse_alternative_names, parse_subject  # cryptography

        request = RequestSpecification(
            parse_subject(task["subject"], "subject"),
            parse_alternative_names(task["subject_alt_name"], "subject_alt_name"),
        )
        path = task["path"]
        if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise InputError("path", f"is {path}, whose folder does not exist", "make the folder first")
        return cls(slot_number(task["slot"]), request, path, task["pin"])


@dataclass(frozen=True)
class FoundRequest:
    """The card, and the PEM request in the file, if it is as it shall be."""

    card: Record
    request: t.Optional[str]
    replaces: bool


@dataclass(frozen=True)
class WriteRequest:
    """Sign the request and write it to the file."""

    path: str


class SmartcardRequest:
    """One request through the spine: read, plan, apply."""

    def __init__(self, wanted: WantedRequest, chosen: ExistingCard) -> None:
        self._wanted = wanted
        self._chosen = chosen

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> SmartcardRequest:
        """:raises InputError: for a parameter that is not right"""
        _cryptography.require()
        return cls(WantedRequest.parse(task), ExistingCard.from_task(task))

    def read(self) -> FoundRequest:
        wanted, card = self._wanted, self._chosen.record()
        key = card.keys.get(wanted.slot)
        if key is None:
            fault = f"is {slot_name(wanted.slot)}, which holds no key on the card {card.name!r}"
            raise InputError("slot", fault, "make the key first")
        text = _read(wanted.path)
        if text and self._is_wanted(text, key.public):
            return FoundRequest(card, text, True)
        if wanted.pin is None and default_pin_use(wanted.slot) is not PinUse.NEVER:
            raise InputError("pin", "is missing, and a new request needs it", "give it from a vaulted variable")
        return FoundRequest(card, None, bool(text))

    def _is_wanted(self, text: str, public_key: bytes) -> bool:
        """:raises StateError: if the file holds something else than a request"""
        try:
            request = _cryptography.x509.load_pem_x509_csr(text.encode())
            return self._wanted.request.is_met_by(request, public_key)
        except ValueError as error:
            found = f"{self._wanted.path} exists and holds no certification request"
            raise StateError(found, "remove it, or name another file in path") from error

    def plan(self, found: FoundRequest) -> Plan[WriteRequest]:
        wanted = self._wanted
        after = {
            "slot": slot_name(wanted.slot),
            "subject": wanted.request.subject.rfc4514_string(),
            "path": wanted.path,
        }
        title = f"certification request {wanted.path}"
        if found.request is not None:
            return Plan((), after, after, title)
        before = {"path": wanted.path, "subject": "another request"} if found.replaces else {}
        return Plan((WriteRequest(wanted.path),), before, after, title)

    def apply(self, plan: Plan[WriteRequest], found: FoundRequest) -> View:
        request = found.request
        for step in plan.steps:
            request = self._sign()
            try:
                write_atomically(step.path, request.encode(), _PUBLIC)
            except OSError as error:
                raise StateError(f"{step.path} can't be written ({error.strerror})", remedy_of(error)) from error
        return self._view(found.card, request)

    def _sign(self) -> str:
        wanted = self._wanted
        with self._chosen.used() as card:
            if wanted.pin is not None:
                with naming("pin"):
                    card.verify(wanted.pin.encode())
            return pem("CERTIFICATE REQUEST", wanted.request.sign(card, wanted.slot))

    def report(self, plan: Plan[WriteRequest], found: FoundRequest) -> View:
        return self._view(found.card, found.request)

    def _view(self, card: Record, request: t.Optional[str]) -> View:
        return {"name": card.name, "instance_id": card.instance_id, "path": self._wanted.path, "csr": request}


def _read(path: str) -> str:
    """Returns the file's text, or nothing if there is no file."""
    try:
        with open(path, "rb") as file:
            return file.read(_LONGEST).decode("latin-1")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StateError(f"{path} can't be read ({error.strerror})", remedy_of(error)) from error
