# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process keeps of a card from one login to the next, so that the TPM need not do everything anew.

Nothing in it is of use without the PIN. Keys are contexts that this TPM alone loads, until its next restart, and their
policy asks for the PIN as before. K is encrypted under what the SECRET index holds, which the TPM gives to nobody
but whoever has proved the PIN (or the PUK, or the admin key). The storage root key is public.
"""

from __future__ import annotations

import typing as t

from .._tpm.storage_root import FoundKey
from .._tpm.workbench import SavedKey
from .derivation import box, unbox
from .model import Role
from .record import Record
from .secret import Tries
from .store import Stamp

KeyPlace = t.Union[int, bytes]
"""A slot, or what else a key is found by: the identifier of a passkey."""
_LABEL = b"kept"


class Kept:
    """It belongs to one card, for as long as that has the same secrets."""

    def __init__(self) -> None:
        self.keys: t.Dict[KeyPlace, SavedKey] = {}
        """Keys that were loaded, by their places."""
        self.root: t.Optional[FoundKey] = None
        """The storage root key that the card is under."""
        self._of: t.Tuple[object, ...] = ()
        self._boxed = b""
        self._full: t.Dict[Role, t.Tuple[Stamp, Tries]] = {}

    def forget(self) -> None:
        """Keeps nothing any more."""
        self.root, self._of, self._boxed = None, (), b""
        self.keys.clear()
        self._full.clear()

    def remember(self, record: Record, root: t.Optional[FoundKey], key: bytes, secret: bytes) -> None:
        """Keeps K, which whoever has given the PIN has brought, and the SECRET index' 32 bytes encrypt."""
        self._of, self.root = secrets_of(record), root
        self._boxed = box(secret, record.serial + _LABEL, key)

    def fits(self, record: Record) -> bool:
        """Whether this is of the card as it is: its PIN needs to be proved to the TPM, and nothing else be done."""
        return bool(self._boxed) and self.root is not None and self._of == secrets_of(record)

    def opener(self, record: Record) -> t.Callable[[bytes], bytes]:
        """Returns what gives K to whoever knows what the SECRET index holds, and raises ValueError for another."""
        boxed = self._boxed
        return lambda secret: unbox(secret, record.serial + _LABEL, boxed)

    # Tries.

    def tries(self, role: Role, stamp: t.Optional[Stamp]) -> t.Optional[Tries]:
        """Returns what a counter has left, if nothing can have changed it but a stranger at the TPM.

        :param stamp: of the card's file, which every program of ours touches that has spent a try
        """
        known = self._full.get(role)
        return known[1] if known is not None and known[0] == stamp else None

    def keep_tries(self, role: Role, stamp: t.Optional[Stamp], tries: Tries) -> None:
        """Only a counter with all its tries is kept: another one may get them back by any right PIN."""
        self._full.pop(role, None)
        if stamp is not None and tries.left == tries.limit:
            self._full[role] = stamp, tries


def secrets_of(record: Record) -> t.Tuple[object, ...]:
    """Returns what ends a session when another process changes it."""
    return record.serial, record.seals, record.pending, record.pin
