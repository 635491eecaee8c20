# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters ``admin_key`` and ``escrow_key``: which admin key a new card gets, and who gets to know it."""

from __future__ import annotations

import re
import string
import typing as t
from dataclasses import dataclass, field

from .._card.admin_key import AdminKey, Cipher
from .._card.secret import DEFAULT, ESCROW, RANDOM, word
from .._errors import InputError
from .._escrow import load_recipient, seal
from .secret_arguments import Arguments

PUBLIC_KNOWLEDGE = (
    "admin_key is default, which everybody knows: whoever reaches the card over PC/SC can put keys and certificates "
    "on it, and give it a new PIN if it has no PUK."
)
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{48}")

ARGUMENTS: Arguments = {
    "admin_key": {"type": "str", "no_log": True},
    "escrow_key": {"type": "str", "no_log": False},
}


@dataclass(frozen=True)
class WantedAdminKey:
    """:param key: the key, if it is known before the card is made
    :param recipient: whom a random key is encrypted for
    """

    key: t.Optional[AdminKey] = field(default=None, repr=False)
    recipient: t.Any = None

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedAdminKey:
        """Reads a task's parameters. The messages never hold the key.

        :raises InputError: for the first that is not right
        """
        value, escrow_key = word(task.get("admin_key")), task.get("escrow_key")
        if value == ESCROW:
            if escrow_key is None:
                raise InputError("escrow_key", "is missing", "give the public key that the admin key is encrypted for")
            return cls(recipient=load_recipient(escrow_key, "escrow_key"))
        if escrow_key is not None:
            raise InputError("escrow_key", "is given, but admin_key is not escrow", "leave it out, or ask for escrow")
        if value in (None, RANDOM):
            return cls()
        if value == DEFAULT:
            return cls(AdminKey.well_known())
        if not _HEXADECIMAL.fullmatch(str(value)):
            fault = f"has {len(str(value))} characters that are no key"
            raise InputError("admin_key", fault, "give 48 hexadecimal digits, or default, random or escrow")
        return cls(AdminKey(Cipher.TRIPLE_DES, bytes.fromhex(str(value))))

    @property
    def exists(self) -> bool:
        """Whether anybody will know the key. One that nobody knows is not made at all."""
        return self.key is not None or self.recipient is not None

    @property
    def warnings(self) -> t.Tuple[str, ...]:
        return (PUBLIC_KNOWLEDGE,) if self.key is not None and self.key.is_well_known else ()

    def make(self) -> t.Tuple[t.Optional[AdminKey], t.Optional[str]]:
        """Returns the key, and what its recipient opens."""
        if self.recipient is None:
            return self.key, None
        key = AdminKey.random()
        return key, seal(key.value.hex().encode(), self.recipient)


def parse_admin_key(value: str, cipher: Cipher) -> AdminKey:
    """Returns the admin key of a card that exists. The messages never hold it.

    :param cipher: the card's
    :raises InputError: if it is none
    """
    if word(value) == DEFAULT:
        return AdminKey.well_known()
    digits = 2 * cipher.key_size
    if len(value) != digits or not set(value) <= set(string.hexdigits):
        fault = f"has {len(value)} characters that are no key for {cipher.value}, which the card wants"
        raise InputError("admin_key", fault, f"give {digits} hexadecimal digits")
    return AdminKey(cipher, bytes.fromhex(value))
