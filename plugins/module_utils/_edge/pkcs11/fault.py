# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal looks like to a program of PKCS#11: one CK_RV for each error of the card core."""

from __future__ import annotations

import typing as t

from ..._card import errors
from ..._encoding.p11_kit import UnknownCall, WireError
from ..._encoding.p11_kit_mechanism import UnknownMechanism
from ..._errors import InputError
from .reference import Rv


class CallRefused(Exception):
    """:param rv: what PKCS#11 calls it"""

    def __init__(self, rv: Rv) -> None:
        super().__init__(rv.name)
        self.rv = rv


_ANSWERS: t.Tuple[t.Tuple[t.Type[Exception], Rv], ...] = (
    (errors.Blocked, Rv.PIN_LOCKED),
    (errors.PinDue, Rv.PIN_EXPIRED),
    (errors.NotVerified, Rv.USER_NOT_LOGGED_IN),
    (errors.NoSuchKey, Rv.KEY_HANDLE_INVALID),
    (errors.CardFull, Rv.DEVICE_MEMORY),
    (errors.CardGone, Rv.DEVICE_REMOVED),
    (errors.NotOffered, Rv.FUNCTION_NOT_SUPPORTED),
    (InputError, Rv.ARGUMENTS_BAD),
    (UnknownCall, Rv.FUNCTION_NOT_SUPPORTED),
    (UnknownMechanism, Rv.MECHANISM_INVALID),
    # As p11-kit's own side calls what it can't parse.
    (WireError, Rv.DEVICE_ERROR),
)


def rv_of(error: Exception) -> t.Optional[Rv]:
    """Returns the CK_RV of an error that is an answer, or None for one that is a failure of ours or of the TPM.

    The TPM's own lockout is such a failure: no PIN is locked, and neither PUK nor admin key would help.
    """
    if isinstance(error, CallRefused):
        return error.rv
    if isinstance(error, errors.WrongSecret):
        return Rv.PIN_INCORRECT if error.left else Rv.PIN_LOCKED
    for kind, rv in _ANSWERS:
        if isinstance(error, kind):
            return rv
    return None
