# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorMakeCredential, clause 6.1."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._card.authenticator_model import COSE_NUMBERS, LONGEST_BLOB
from ..._card.passkey import Passkey, Protection, WantedPasskey
from ..._encoding.key_algorithm import KeyAlgorithm
from .attestation import TPM, attest, read_enterprise
from .authenticator_data import authenticator_data
from .descriptors import PUBLIC_KEY, read_descriptors, read_rp, read_user
from .parameters import CtapParameters
from .presence import PresencePurpose
from .reference import AuthenticatorFlag, CtapStatus, Permission
from .refused import CtapRefused, refuse_unless
from .state import CtapAnswer, CtapState

_HASH, _RP, _USER, _ALGORITHMS, _EXCLUDED, _EXTENSIONS, _OPTIONS = 1, 2, 3, 4, 5, 6, 7
_PARAM, _PROTOCOL, _ENTERPRISE, _FORMATS = 8, 9, 10, 11
_ANSWER_FORMAT, _ANSWER_DATA, _ANSWER_STATEMENT, _ANSWER_ENTERPRISE, _ANSWER_LARGE_BLOB_KEY = 1, 2, 3, 4, 5
_PRESENT = AuthenticatorFlag.USER_PRESENT | AuthenticatorFlag.USER_VERIFIED


def make_credential(state: CtapState, given: CtapParameters) -> CtapAnswer:
    client_data = given.needed_octets(_HASH, 32, 32)
    wanted = _wanted(state, given)
    enterprise = _authorise(state, given, client_data, wanted.rp)
    state.require_presence(PresencePurpose.MAKE, wanted.rp)
    if any(state.card.passkeys.find(wanted.rp, each) for each in read_descriptors(given, _EXCLUDED)):
        state.token.spend()
        raise CtapRefused(CtapStatus.CREDENTIAL_EXCLUDED)
    made = state.card.passkeys.make(wanted)
    state.token.spend()
    answer = _answer(state, given, client_data, wanted, made)
    return {**answer, _ANSWER_ENTERPRISE: True} if enterprise and answer[_ANSWER_FORMAT] == TPM else answer


def _wanted(state: CtapState, given: CtapParameters) -> WantedPasskey:
    rp = read_rp(given.needed_map(_RP).needed_text("id"))
    user = read_user(given.needed_map(_USER))
    options = given.map(_OPTIONS)
    refuse_unless(options.flag("up") is not False, CtapStatus.INVALID_OPTION)
    wanted = WantedPasskey(rp, user, _algorithm(state, given), discoverable=bool(options.flag("rk")))
    return _extended(wanted, given.map(_EXTENSIONS)) if given.has(_EXTENSIONS) else wanted


def _algorithm(state: CtapState, given: CtapParameters) -> KeyAlgorithm:
    """The first of those that are asked for which the TPM has: clause 6.1.2, step 3."""
    refuse_unless(given.has(_ALGORITHMS), CtapStatus.MISSING_PARAMETER)
    asked = [(each.needed_text("type"), each.integer("alg")) for each in given.maps(_ALGORITHMS)]
    offered = {(PUBLIC_KEY, COSE_NUMBERS[each]): each for each in state.card.passkeys.algorithms()}
    chosen = next((offered[each] for each in asked if each in offered), None)
    if chosen is None:
        raise CtapRefused(CtapStatus.UNSUPPORTED_ALGORITHM)
    return chosen


def _extended(wanted: WantedPasskey, asked: CtapParameters) -> WantedPasskey:
    """Clause 12."""
    level, large_blob, blob = asked.number("credProtect"), asked.true("largeBlobKey"), asked.octets("credBlob")
    refuse_unless(wanted.discoverable or not large_blob, CtapStatus.INVALID_OPTION)
    refuse_unless(level is None or level in tuple(Protection), CtapStatus.INVALID_OPTION)
    return replace(
        wanted,
        protection=Protection(level or Protection.OPTIONAL),
        hmac_secret=bool(asked.flag("hmac-secret")),
        large_blob=large_blob,
        blob=blob if blob is not None and _keeps(wanted, blob) else b"",
    )


def _keeps(wanted: WantedPasskey, blob: bytes) -> bool:
    return wanted.discoverable and len(blob) <= LONGEST_BLOB


def _authorise(state: CtapState, given: CtapParameters, client_data: bytes, rp: str) -> bool:
    """Clause 6.1.2, steps 1 to 11: no passkey is made without the PIN, verified for this.

    Returns whether enterprise attestation was asked for, and may be given.
    """
    param, enterprise = given.octets(_PARAM), read_enterprise(state.card, given.number(_ENTERPRISE), rp)
    if param is None:
        refuse_unless(not given.map(_OPTIONS).flag("uv"), CtapStatus.INVALID_OPTION)
        raise CtapRefused(CtapStatus.PUAT_REQUIRED)
    state.answer_whether_present(param)
    state.check_token(param, given.number(_PROTOCOL), client_data, Permission.MAKE_CREDENTIAL, rp)
    return enterprise


def _answer(
    state: CtapState, given: CtapParameters, client_data: bytes, wanted: WantedPasskey, made: Passkey
) -> t.Dict[int, t.Any]:
    told = _told(state, given.map(_EXTENSIONS), wanted)
    data = authenticator_data(wanted.rp, _PRESENT, told, made)
    formats = given.texts(_FORMATS) or ()
    kind, statement = attest(state.card, made, data + client_data, formats)
    key = {_ANSWER_LARGE_BLOB_KEY: state.card.passkeys.large_blob_key(made)} if made.large_blob else {}
    return {_ANSWER_FORMAT: kind, _ANSWER_DATA: data, _ANSWER_STATEMENT: statement, **key}


def _told(state: CtapState, asked: CtapParameters, wanted: WantedPasskey) -> t.Dict[str, t.Any]:
    """What authenticator data says of the extensions that were asked for."""
    told: t.Dict[str, t.Any] = {}
    if asked.has("credProtect"):
        told["credProtect"] = int(wanted.protection)
    if wanted.hmac_secret:
        told["hmac-secret"] = True
    blob = asked.octets("credBlob")
    if blob is not None:
        told["credBlob"] = _keeps(wanted, blob)
    if asked.flag("minPinLength") and wanted.rp in state.card.passkeys.pin_length_readers:
        told["minPinLength"] = state.card.shortest_new_pin
    return told
