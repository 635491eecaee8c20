# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PINs that a task sets: said by the task, or random and encrypted for whoever hands them out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._card.secret import RANDOM, word
from .._errors import InputError
from .._escrow import load_recipient, seal
from .._pin import PinPolicy
from .secret_arguments import well_known


@dataclass(frozen=True)
class WantedPin:
    """:param value: the PIN, if the task says it; it may be None, for a task that needs none
    :param recipient: whom a random PIN is encrypted for
    """

    value: t.Optional[str] = field(default=None, repr=False)
    recipient: t.Any = None

    @classmethod
    def parse(cls, value: t.Optional[str], escrow_key: t.Optional[str], parameter: str = "pin") -> WantedPin:
        """Reads a task's parameters. The messages never hold the PIN.

        :param parameter: what the one for the PIN is called
        :raises InputError: for the first that is not right
        """
        if word(value) == RANDOM:
            if escrow_key is None:
                remedy = f"give the public key that the PIN is encrypted for, or the PIN itself in {parameter}"
                raise InputError("pin_escrow_key", f"is missing, and {parameter} is random", remedy)
            return cls(recipient=load_recipient(escrow_key, "pin_escrow_key"))
        if escrow_key is not None:
            fault = f"is given, but {parameter} is not random"
            raise InputError("pin_escrow_key", fault, "leave it out, or ask for a random one")
        return cls(well_known(value))

    @property
    def is_random(self) -> bool:
        return self.recipient is not None

    def make(self, rules: PinPolicy) -> t.Tuple[str, t.Optional[str]]:
        """Returns the PIN, and what its recipient opens; each time another if it is random.

        :param rules: of the card and its host together
        """
        if not self.is_random:
            return self.value or "", None
        pin = rules.generate()
        return pin, seal(pin.encode(), self.recipient)
