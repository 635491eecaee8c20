# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal looks like to a client: one status byte for each error of the card core."""

from __future__ import annotations

import typing as t

from ..._card import errors
from ..._errors import InputError
from .cbor import CborError
from .reference import CtapStatus


class CtapRefused(Exception):
    """:param status: what CTAP calls it"""

    def __init__(self, status: CtapStatus) -> None:
        super().__init__(status.name)
        self.status = status


_ANSWERS: t.Tuple[t.Tuple[t.Type[Exception], CtapStatus], ...] = (
    (errors.Blocked, CtapStatus.PIN_BLOCKED),
    (errors.PinDue, CtapStatus.PIN_POLICY_VIOLATION),
    (errors.NotVerified, CtapStatus.PIN_AUTH_INVALID),
    (errors.NoSuchKey, CtapStatus.NO_CREDENTIALS),
    (errors.CardFull, CtapStatus.KEY_STORE_FULL),
    (errors.NotOffered, CtapStatus.OPERATION_DENIED),
    (errors.NotBlocked, CtapStatus.OPERATION_DENIED),
    (InputError, CtapStatus.PIN_POLICY_VIOLATION),
    (CborError, CtapStatus.INVALID_CBOR),
)


def ctap_status_of(error: Exception) -> t.Optional[CtapStatus]:
    """Returns the status of an error that is an answer, or None for one that is a failure of ours or of the TPM."""
    if isinstance(error, CtapRefused):
        return error.status
    if isinstance(error, errors.WrongSecret):
        return CtapStatus.PIN_INVALID if error.left else CtapStatus.PIN_BLOCKED
    return next((status for kind, status in _ANSWERS if isinstance(error, kind)), None)


def refuse_unless(condition: object, status: CtapStatus) -> None:
    """:raises CtapRefused: with this status, unless the condition holds"""
    if not condition:
        raise CtapRefused(status)
