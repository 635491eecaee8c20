# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorGetInfo, clause 6.4: what this authenticator is and can do."""

from __future__ import annotations

import typing as t

from .cose import NUMBERS
from .parameters import CtapParameters
from .reference import (
    AAGUID,
    LARGEST_BLOBS,
    LARGEST_REQUEST,
    LONGEST_BLOB,
    LONGEST_CREDENTIAL_ID,
    MOST_IN_LIST,
    MOST_PIN_LENGTH_READERS,
)
from .state import CtapAnswer, CtapState

_EXTENSIONS = ["credBlob", "credProtect", "hmac-secret", "largeBlobKey", "minPinLength"]
_OPTIONS: t.Mapping[str, bool] = {
    "rk": True,
    "up": True,
    "alwaysUv": True,
    "credMgmt": True,
    "authnrCfg": True,
    "clientPin": True,
    "largeBlobs": True,
    "pinUvAuthToken": True,
    "setMinPINLength": True,
    "makeCredUvNotRqd": False,
}
_PASSKEY_SIZE = 1024
"""Bytes of a discoverable passkey with long names."""


def get_info(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    passkeys = state.card.passkeys
    return {
        0x01: ["FIDO_2_0", "FIDO_2_1"],
        0x02: _EXTENSIONS,
        0x03: AAGUID,
        0x04: dict(_OPTIONS),
        0x05: LARGEST_REQUEST,
        0x06: state.protocols.numbers,
        0x07: MOST_IN_LIST,
        0x08: LONGEST_CREDENTIAL_ID,
        0x09: ["usb"],
        0x0A: [{"alg": NUMBERS[each], "type": "public-key"} for each in passkeys.algorithms()],
        0x0B: LARGEST_BLOBS,
        0x0C: state.card.pin_due is not None,
        0x0D: state.card.shortest_pin,
        0x0F: LONGEST_BLOB,
        0x10: MOST_PIN_LENGTH_READERS,
        0x14: remaining(state),
    }


def remaining(state: CtapState) -> int:
    """Returns how many discoverable passkeys still fit, at the least."""
    return state.card.passkeys.room // _PASSKEY_SIZE
