# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token that a right PIN brings, pinUvAuthToken: what it is good for, and for how long. Clause 6.5.2.1."""

from __future__ import annotations

import os
import typing as t

from .pin_protocol import PinProtocol
from .reference import CtapStatus, Permission
from .refused import CtapRefused, refuse_unless

_SIZE = 32
_FIRST_USE = 30.0
"""Seconds in which a token has to be used for the first time."""
_LONGEST_USE = 600.0
"""Seconds after which it is worth nothing, used or not."""

Clock = t.Callable[[], float]


class PinToken:
    """:param now: seconds of a clock that nobody sets"""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._value = b""
        self._protocol: t.Optional[PinProtocol] = None
        self._permissions = Permission.NONE
        self._rp: t.Optional[str] = None
        self._first_use = self._last_use = 0.0
        self.user_present = False

    def issue(self, protocol: PinProtocol, permissions: Permission, rp: t.Optional[str]) -> bytes:
        """Returns a new token; the last one is worth nothing from now on.

        :param rp: the one relying party that it is for, if there is one
        """
        self._value = os.urandom(_SIZE)
        self._protocol, self._permissions, self._rp = protocol, permissions, rp
        self._first_use, self._last_use = self._now() + _FIRST_USE, self._now() + _LONGEST_USE
        self.user_present = True
        return self._value

    def end(self) -> None:
        self._value, self._permissions, self.user_present = b"", Permission.NONE, False

    @property
    def is_good(self) -> bool:
        """Whether it may be used for anything."""
        due = min(self._first_use, self._last_use)
        if self._value and self._now() >= due:
            self.end()
        return bool(self._value and self._permissions)

    def check(
        self, protocol: PinProtocol, message: bytes, mac: bytes, permission: Permission, rp: t.Optional[str] = None
    ) -> None:
        """:raises CtapRefused: unless whoever made the MAC has the token, and it is for that and for this party

        :param rp: a token without relying party is for this one from now on
        """
        good = self.is_good and self._protocol is protocol
        refuse_unless(good and protocol.is_authentic(self._value, message, mac), CtapStatus.PIN_AUTH_INVALID)
        self._first_use = self._last_use
        refuse_unless(permission & self._permissions, CtapStatus.PIN_AUTH_INVALID)
        refuse_unless(rp is None or self._rp in (None, rp), CtapStatus.PIN_AUTH_INVALID)
        self._rp = self._rp or rp

    @property
    def rp(self) -> t.Optional[str]:
        """The relying party that it is for, if there is one."""
        return self._rp

    def spend(self) -> None:
        """Once a credential was made or used, nothing is left but to write large blobs: clause 6.1.2, step 15."""
        self._permissions &= Permission.LARGE_BLOB_WRITE
        self.user_present = False


def permissions_of(number: int) -> Permission:
    """:raises CtapRefused: for none, or for one that this authenticator does not give"""
    refuse_unless(number, CtapStatus.INVALID_PARAMETER)
    known = sum(Permission) & ~Permission.BIO_ENROLLMENT
    if number & ~known:
        raise CtapRefused(CtapStatus.UNAUTHORIZED_PERMISSION)
    return Permission(number)
