# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorCredentialManagement, clause 6.8: discoverable passkeys are listed, renamed and removed."""

from __future__ import annotations

import functools
import typing as t

from ..._card.passkey import Passkey, rp_hash
from . import cbor
from .authenticator_data import passkey_cose_key
from .descriptors import describe_credential, describe_user, read_user
from .info import remaining
from .parameters import CtapParameters
from .reference import CtapStatus, Permission
from .refused import CtapRefused, refuse_unless
from .state import CtapAnswer, CtapState

_SUBCOMMAND, _PARAMETERS, _PROTOCOL, _PARAM = 1, 2, 3, 4
_RP_HASH, _CREDENTIAL, _USER = 1, 2, 3
_RPS, _CREDENTIALS = "relying parties", "credentials"


def credential_management(state: CtapState, given: CtapParameters) -> CtapAnswer:
    handler = _SUBCOMMANDS.get(given.needed_number(_SUBCOMMAND))
    if handler is None:
        raise CtapRefused(CtapStatus.INVALID_SUBCOMMAND)
    return handler(state, given)


def _authorise(state: CtapState, given: CtapParameters, rp: t.Optional[str] = None) -> None:
    """:param rp: the relying party that this is about; None for all of them"""
    param = given.octets(_PARAM)
    if param is None:
        raise CtapRefused(CtapStatus.PUAT_REQUIRED)
    subcommand = bytes((given.needed_number(_SUBCOMMAND) & 0xFF,))
    message = subcommand + (cbor.encode(given.needed_map(_PARAMETERS).fields) if given.has(_PARAMETERS) else b"")
    state.check_token(param, given.number(_PROTOCOL), message, Permission.CREDENTIAL_MANAGEMENT)
    refuse_unless(state.token.rp in (None, rp), CtapStatus.PIN_AUTH_INVALID)


def _metadata(state: CtapState, given: CtapParameters) -> CtapAnswer:
    _authorise(state, given)
    return {1: len(state.card.passkeys.listed()), 2: remaining(state)}


def _rps(state: CtapState, given: CtapParameters) -> CtapAnswer:
    _authorise(state, given)
    rps = list(dict.fromkeys(each.rp for each in state.card.passkeys.listed()))
    refuse_unless(rps, CtapStatus.NO_CREDENTIALS)
    first = state.begin(_RPS, [functools.partial(_describe_rp, rp) for rp in rps])
    return {**(first or {}), 5: len(rps)}


def _describe_rp(rp: str) -> CtapAnswer:
    return {3: {"id": rp}, 4: rp_hash(rp)}


def _credentials(state: CtapState, given: CtapParameters) -> CtapAnswer:
    wanted = given.needed_map(_PARAMETERS).needed_octets(_RP_HASH, 32, 32)
    found = [each for each in state.card.passkeys.listed() if rp_hash(each.rp) == wanted]
    _authorise(state, given, found[0].rp if found else None)
    refuse_unless(found, CtapStatus.NO_CREDENTIALS)
    first = state.begin(_CREDENTIALS, [functools.partial(_describe, state, each) for each in found])
    return {**(first or {}), 9: len(found)}


def _describe(state: CtapState, passkey: Passkey) -> CtapAnswer:
    user = {6: describe_user(passkey.user, with_names=True)} if passkey.user else {}
    large_blob = {11: state.card.passkeys.large_blob_key(passkey)} if passkey.large_blob else {}
    credential = {7: describe_credential(passkey), 8: passkey_cose_key(passkey), 10: int(passkey.protection)}
    return {**user, **credential, **large_blob}


def _named(state: CtapState, given: CtapParameters) -> Passkey:
    """Returns the passkey that the request names, once the request is known to be good for it."""
    identifier = given.needed_map(_PARAMETERS).needed_map(_CREDENTIAL).needed_octets("id")
    found = next((each for each in state.card.passkeys.listed() if each.identifier == identifier), None)
    _authorise(state, given, found.rp if found else None)
    if found is None:
        raise CtapRefused(CtapStatus.NO_CREDENTIALS)
    return found


def _delete(state: CtapState, given: CtapParameters) -> CtapAnswer:
    state.card.passkeys.remove(_named(state, given).identifier)
    return None


def _update(state: CtapState, given: CtapParameters) -> CtapAnswer:
    user = read_user(given.needed_map(_PARAMETERS).needed_map(_USER))
    passkey = _named(state, given)
    same = passkey.user is not None and passkey.user.identifier == user.identifier
    refuse_unless(same, CtapStatus.INVALID_PARAMETER)
    state.card.passkeys.rename(passkey.identifier, user)
    return None


_SUBCOMMANDS: t.Mapping[int, t.Callable[[CtapState, CtapParameters], CtapAnswer]] = {
    0x01: _metadata,
    0x02: _rps,
    0x03: lambda state, _given: state.next(_RPS),
    0x04: _credentials,
    0x05: lambda state, _given: state.next(_CREDENTIALS),
    0x06: _delete,
    0x07: _update,
}
