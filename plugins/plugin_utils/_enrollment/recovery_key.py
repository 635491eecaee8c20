# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery key: its public half seals the controller's halves of PUKs, its private half opens them.

The private half is never on the controller in the clear: it is used encrypted, with a passphrase, or not at all.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from ...module_utils._encoding.fields import encoded
from ...module_utils._encoding.recovery_order import HALF_SIZE, IDENTIFIER_DIGITS
from ...module_utils._errors import InputError, StateError
from ...module_utils._escrow import load_recipient, seal, unseal
from .._ledger.halves import Half

_ENCRYPTED = ("BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED")
"""PKCS #8, RFC 5958, as PEM of RFC 7468; and the older form of RFC 1421."""


@dataclass(frozen=True)
class NewHalf:
    """A half of the controller, in the clear for as long as a run lasts."""

    identifier: str
    half: bytes = field(repr=False)

    @classmethod
    def make(cls) -> NewHalf:
        return cls(os.urandom(IDENTIFIER_DIGITS // 2).hex(), os.urandom(HALF_SIZE))

    def task(self) -> t.Dict[str, str]:
        """Returns what a host gets to make the PUK with."""
        return {"identifier": self.identifier, "half": encoded(self.half)}

    def sealed(self, recipient: t.Any) -> Half:
        """:param recipient: the recovery key's public half"""
        return Half(self.identifier, seal(self.half, recipient))


def load_recovery_key(pem: t.Optional[str], field_name: str = "recovery_key") -> t.Any:
    """Returns the public key that halves are sealed for, or None if there is none.

    :raises InputError: if it is no such key
    """
    return load_recipient(pem, field_name) if pem else None


@dataclass(frozen=True)
class RecoveryKey:
    """The private half, encrypted, and what opens it."""

    pem: str = field(repr=False)
    passphrase: str = field(repr=False)

    @classmethod
    def parse(cls, pem: str, passphrase: str) -> RecoveryKey:
        """:raises InputError: for a key in the clear, which whoever reads the controller's disk would have"""
        if "PRIVATE KEY" not in pem:
            raise InputError("recovery_private_key", "is no private key", "give the PEM of the recovery key")
        if not any(mark in pem for mark in _ENCRYPTED):
            remedy = "encrypt it with openssl pkcs8 -topk8 -v2 aes256, and give the passphrase apart"
            raise InputError("recovery_private_key", "is not encrypted", remedy)
        return cls(pem, passphrase)

    def open(self, half: Half) -> bytes:
        """Returns a half of the controller, 32 bytes.

        :raises StateError: if it was sealed for another key, or the passphrase is wrong
        """
        try:
            opened = unseal(half.sealed, self.pem, self.passphrase)
        except ValueError as error:
            found = f"the recovery key does not open the half {half.identifier}: {error}"
            raise StateError(found, "give the key that was named at the enrolment, and its passphrase") from None
        if len(opened) != HALF_SIZE:
            found = f"the half {half.identifier} was changed in the ledger"
            raise StateError(found, "restore the ledger from a backup")
        return opened
