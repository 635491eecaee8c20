# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the disk knows of a PIN's life: when it was set, by which rules, and which PINs came before.

A former PIN is kept as a keyed hash. Its key comes from the card's key K, which the TPM gives to whoever knows the
present PIN or the PUK. So a thief of the disk learns nothing of any PIN; who knows the present PIN could search for
former ones. Dates and the duty to change are held by the host's software and clock, not by the TPM: root can lift them.
"""

from __future__ import annotations

import enum
import hmac
import os
import typing as t
from dataclasses import dataclass

from .._pin import PinPolicy

_DAY = 24 * 3600
_NONCE_SIZE = 8
_HASH = "sha256"


class Due(str, enum.Enum):
    """Why a PIN can do nothing but be changed."""

    MUST_CHANGE = "must be changed before its first use"
    EXPIRED = "has expired"


@dataclass(frozen=True)
class PinRecord:
    """:param set_at: seconds since 1970; 0 for a card of a release that did not note it, whose PIN counts as old
    :param rules: those that it followed when it was set
    :param former: keyed hashes, the last of the present PIN
    :param length: bytes of the present PIN on an edge that has to know it, else 0
    """

    set_at: int = 0
    must_change: bool = False
    rules: t.Optional[PinPolicy] = None
    former: t.Tuple[bytes, ...] = ()
    length: int = 0

    def expires_at(self, expiry_days: int) -> t.Optional[int]:
        """Returns seconds since 1970, or None for never."""
        return self.set_at + expiry_days * _DAY if expiry_days else None

    def due(self, expiry_days: int, now: float) -> t.Optional[Due]:
        """Returns why the PIN has to be changed, or None."""
        if self.must_change:
            return Due.MUST_CHANGE
        expires = self.expires_at(expiry_days)
        return Due.EXPIRED if expires is not None and now >= expires else None

    def was(self, pin: bytes, key: bytes, last: int) -> bool:
        """Whether a PIN is among the last ones, the present one included.

        :param key: as :func:`remembered` got it
        """
        known = self.former[-last:] if last else ()
        return any(hmac.compare_digest(each, _hash(each[:_NONCE_SIZE], pin, key)) for each in known)


def remembered(former: t.Sequence[bytes], pin: bytes, key: bytes, last: int) -> t.Tuple[bytes, ...]:
    """Returns the hashes with that of a new PIN, of which at least this one is kept.

    :param key: 32 bytes that only the TPM gives
    """
    return (*former, _hash(os.urandom(_NONCE_SIZE), pin, key))[-max(last, 1) :]


def _hash(nonce: bytes, pin: bytes, key: bytes) -> bytes:
    return nonce + hmac.digest(key, nonce + pin, _HASH)
