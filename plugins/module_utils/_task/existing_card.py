# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card that a task names, for modules that work on a card that exists."""

from __future__ import annotations

import contextlib
import re
import typing as t

from .. import _cryptography
from .._card.errors import Blocked, WrongSecret
from .._card.plan import CurrentCards
from .._card.record import Record, instance_id
from .._card.store import Store
from .._errors import InputError, StateError
from .._tpm.connection import Tpm
from .._tpm.tcti import Tcti
from .arguments import STORE
from .secret_arguments import Arguments

if t.TYPE_CHECKING:
    from .._card.card import Card

_INSTANCE_ID = re.compile(r"ROOT\\SMARTCARDREADER\\(\d{4})")

CARD: Arguments = {
    **STORE,
    "name": {"type": "str"},
    "instance_id": {"type": "str"},
}
NAMED = [("name", "instance_id")]
"""One of these is required."""


def instance_number(instance_id: t.Optional[str]) -> t.Optional[int]:
    """:raises InputError: if it has another form than instance ids have"""
    if instance_id is None:
        return None
    match = _INSTANCE_ID.fullmatch(instance_id)
    if match is None:
        raise InputError(
            "instance_id", f"is {instance_id!r}, which no card can have", r"write it as ROOT\SMARTCARDREADER\0000"
        )
    return int(match.group(1))


class ExistingCard:
    """:param number: the card's, or None to find it by its name"""

    def __init__(self, store: Store, name: t.Optional[str], number: t.Optional[int]) -> None:
        self.store = store
        self._name = name
        self._number = number

    @classmethod
    def from_task(cls, task: t.Mapping[str, t.Any]) -> ExistingCard:
        """:raises InputError: for an instance id that is none, or if nothing names the card"""
        if task["name"] is None and task["instance_id"] is None:
            raise InputError("name", "is missing", "give the card's name, or its instance_id")
        return cls(Store(task["store"]), task["name"], instance_number(task["instance_id"]))

    def record(self) -> Record:
        """Returns the card as the disk knows it now.

        :raises StateError: if there is no such card
        :raises InputError: if name and instance id are not those of one card
        """
        record = CurrentCards(tuple(self.store.records())).find(self._name, self._number)
        if record is None:
            by_number = f"with the instance id {instance_id(self._number or 0)}"
            wanted = by_number if self._name is None else f"named {self._name!r}"
            remedy = "make it with virtual_smartcard, or see with virtual_smartcard_info which there are"
            raise StateError(f"there is no card {wanted} in {self.store.folder}", remedy)
        return record

    @contextlib.contextmanager
    def tpm(self) -> t.Iterator[Tpm]:
        """Holds the card's TPM for a block.

        :raises StateError: if there is no such card, or no way to its TPM
        """
        with Tpm(Tcti.parse(self.record().tcti), self.store.folder).taken() as tpm:
            yield tpm

    @contextlib.contextmanager
    def used(self) -> t.Iterator[Card]:
        """Gives the card to work with, and closes it afterwards.

        :raises StateError: as :meth:`tpm`
        """
        with self.tpm() as tpm, opened(self.store, tpm, self.record().number) as card:
            yield card


@contextlib.contextmanager
def naming(field: str) -> t.Iterator[None]:
    """Says of which parameter it is that a card refuses a secret.

    :raises InputError: for a wrong secret, or one of which no try is left
    """
    try:
        yield
    except WrongSecret as error:
        tries = f"{error.left} {'try' if error.left == 1 else 'tries'}"
        raise InputError(field, f"is wrong, and has {tries} left", "give the right one") from error
    except Blocked as error:
        fault = f"was not looked at, for the card's {error.reference.title} is blocked"
        raise InputError(field, fault, error.reference.way_out) from error


@contextlib.contextmanager
def opened(store: Store, tpm: Tpm, number: int) -> t.Iterator[Card]:
    """Holds the TPM and gives a card in it, in which nobody has been let in, for a block.

    :raises StateError: if the package cryptography is missing
    """
    _cryptography.require()
    from .._card.card import Card  # It imports cryptography, which a run without changes has no use for.
    from .._tpm.workbench import Workbench

    with tpm.taken(), Card(store, Workbench(tpm), number) as card:
        yield card
