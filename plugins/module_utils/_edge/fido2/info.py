# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorGetInfo, clause 6.4: what this authenticator is and can do."""

from __future__ import annotations

import typing as t

from ..._card.authenticator_model import (
    AAGUID,
    COSE_NUMBERS,
    CTAP_VERSIONS,
    EXTENSIONS,
    LARGEST_BLOBS,
    LARGEST_REQUEST,
    LONGEST_BLOB,
    LONGEST_CREDENTIAL_ID,
    MOST_IN_LIST,
    MOST_PIN_LENGTH_READERS,
    OPTIONS,
    TRANSPORTS,
    VERSION,
)
from .attestation import offers_enterprise_attestation
from .parameters import CtapParameters
from .state import CtapAnswer, CtapState

_PASSKEY_SIZE = 1024
"""Bytes of a discoverable passkey with long names."""


def get_info(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    passkeys = state.card.passkeys
    return {
        0x01: list(CTAP_VERSIONS),
        0x02: list(EXTENSIONS),
        0x03: AAGUID,
        0x04: _options(state),
        0x05: LARGEST_REQUEST,
        0x06: state.protocols.numbers,
        0x07: MOST_IN_LIST,
        0x08: LONGEST_CREDENTIAL_ID,
        0x09: list(TRANSPORTS),
        0x0A: [{"alg": COSE_NUMBERS[each], "type": "public-key"} for each in passkeys.algorithms()],
        0x0B: LARGEST_BLOBS,
        0x0C: state.card.pin_due is not None,
        0x0D: state.card.shortest_new_pin,
        0x0E: VERSION,
        0x0F: LONGEST_BLOB,
        0x10: MOST_PIN_LENGTH_READERS,
        0x14: remaining(state),
    }


def _options(state: CtapState) -> t.Dict[str, bool]:
    """There is enterprise attestation where somebody has named relying parties for it: clause 7.1."""
    return {**OPTIONS, **({"ep": True} if offers_enterprise_attestation(state.card) else {})}


def remaining(state: CtapState) -> int:
    """Returns how many discoverable passkeys still fit, at the least."""
    return state.card.passkeys.room // _PASSKEY_SIZE
