# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error looks like: to a program one status word for each refusal of the card core, in the log a line."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .._card import errors
from .._encoding.apdu import ApduError, StatusWord
from .._encoding.rsa_padding import PaddingError
from .._encoding.tlv import TlvError
from .._errors import HardboundError, InputError

_STATUS: t.Tuple[t.Tuple[t.Type[Exception], StatusWord], ...] = (
    (errors.Blocked, StatusWord.AUTHENTICATION_METHOD_BLOCKED),
    # Not 6982, upon which clients verify the PIN again and again: it is right, and good for its change alone.
    (errors.PinDue, StatusWord.CONDITIONS_NOT_SATISFIED),
    (errors.NotBlocked, StatusWord.CONDITIONS_NOT_SATISFIED),
    (errors.NotVerified, StatusWord.SECURITY_STATUS_NOT_SATISFIED),
    (errors.NoSuchKey, StatusWord.REFERENCED_DATA_NOT_FOUND),
    (errors.CardFull, StatusWord.NOT_ENOUGH_MEMORY),
    (errors.NotOffered, StatusWord.FUNCTION_NOT_SUPPORTED),
    # Not 6983: the secret is not blocked, and what lifts the TPM's lockout is time, not the PUK. Not 6985: that is said
    # of a PIN that has to be changed, and a change would fail alike.
    (errors.TpmLockedOut, StatusWord.EXECUTION_ERROR),
    (errors.CardOutdated, StatusWord.EXECUTION_ERROR),
    (InputError, StatusWord.INCORRECT_DATA),
    (TlvError, StatusWord.INCORRECT_DATA),
    (PaddingError, StatusWord.INCORRECT_DATA),
)


HOST_FAULTS = (errors.TpmLockedOut, errors.CardOutdated)
"""What the client can't mend, so that whoever looks after the host has to read of it."""


def status_of(error: Exception) -> t.Optional[int]:
    """Returns the status word of an error that is an answer, or None for one that is a failure of ours."""
    if isinstance(error, ApduError):
        return error.status
    if isinstance(error, errors.WrongSecret):
        return StatusWord.tries_left(error.left if error.left >= 0 else 15)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return None


def describe(error: Exception) -> str:
    """Returns what may be logged: our own messages hold no secret, those of others might.

    Of the others it tells the kind, and the place in the code.
    """
    if isinstance(error, HardboundError):
        return f"{type(error).__name__}: {error}"
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f" in {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    return f"{type(error).__name__}{where}"
