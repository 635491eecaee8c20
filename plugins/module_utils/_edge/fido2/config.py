# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorConfig, clause 6.11: longer PINs, a PIN that has to be changed, and enterprise attestation."""

from __future__ import annotations

import typing as t

from ..._card.authenticator_model import MOST_PIN_LENGTH_READERS
from . import cbor
from .attestation import offers_enterprise_attestation
from .descriptors import read_rp
from .parameters import CtapParameters
from .reference import CtapStatus, Permission
from .refused import CtapRefused, refuse_unless
from .state import CtapAnswer, CtapState

_SUBCOMMAND, _PARAMETERS, _PROTOCOL, _PARAM = 1, 2, 3, 4
_ENTERPRISE_ATTESTATION, _TOGGLE_ALWAYS_UV, _SET_MIN_PIN_LENGTH = 1, 2, 3
_NEW_LENGTH, _READERS, _FORCE_CHANGE = 1, 2, 3
_MESSAGE = b"\xff" * 32 + b"\x0d"


def config(state: CtapState, given: CtapParameters) -> CtapAnswer:
    subcommand = given.needed_number(_SUBCOMMAND)
    refuse_unless(subcommand in _subcommands(state), CtapStatus.INVALID_SUBCOMMAND)
    param = given.octets(_PARAM)
    if param is None:
        raise CtapRefused(CtapStatus.PUAT_REQUIRED)
    tail = cbor.encode(given.needed_map(_PARAMETERS).fields) if given.has(_PARAMETERS) else b""
    message = _MESSAGE + bytes((subcommand,)) + tail
    state.check_token(param, given.number(_PROTOCOL), message, Permission.CONFIG)
    # Every key asks for the PIN, inside the TPM: there is nothing to switch off.
    refuse_unless(subcommand != _TOGGLE_ALWAYS_UV, CtapStatus.OPERATION_DENIED)
    if subcommand == _SET_MIN_PIN_LENGTH:
        _set_min_pin_length(state, given.map(_PARAMETERS))
    return None


def _subcommands(state: CtapState) -> t.Tuple[int, ...]:
    """Whoever names relying parties for it has enabled enterprise attestation: to enable it anew changes nothing."""
    enterprise = (_ENTERPRISE_ATTESTATION,) if offers_enterprise_attestation(state.card) else ()
    return (*enterprise, _TOGGLE_ALWAYS_UV, _SET_MIN_PIN_LENGTH)


def _set_min_pin_length(state: CtapState, given: CtapParameters) -> None:
    """A PIN whose length nobody knows has to be changed once PINs have to be longer."""
    present = state.card.shortest_new_pin
    length, readers = given.number(_NEW_LENGTH), given.texts(_READERS)
    wanted = present if length is None else length
    refuse_unless(wanted >= present, CtapStatus.PIN_POLICY_VIOLATION)
    refuse_unless(len(readers or ()) <= MOST_PIN_LENGTH_READERS, CtapStatus.KEY_STORE_FULL)
    named = None if readers is None else [read_rp(each) for each in readers]
    if wanted > present or named is not None:
        state.card.passkeys.require_longer_pins(wanted, named)
    if given.flag(_FORCE_CHANGE) or wanted > present:
        state.token.end()
        state.card.must_change_pin()
