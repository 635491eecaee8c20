# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorGetAssertion and authenticatorGetNextAssertion, clauses 6.2 and 6.3."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ..._card.passkey import Passkey, Protection
from .attestation import digest_for
from .authenticator_data import authenticator_data
from .cose import placeholder_signature
from .descriptors import describe_credential, describe_user, read_descriptors, read_rp
from .hmac_secret import SecretRequest
from .parameters import CtapParameters
from .presence import PresencePurpose
from .reference import AuthenticatorFlag, CtapCommand, CtapStatus, Permission
from .refused import refuse_unless
from .state import CtapAnswer, CtapState

_RP, _HASH, _ALLOWED, _EXTENSIONS, _OPTIONS, _PARAM, _PROTOCOL = 1, 2, 3, 4, 5, 6, 7
_ANSWER_CREDENTIAL, _ANSWER_DATA, _ANSWER_SIGNATURE, _ANSWER_USER, _ANSWER_COUNT = 1, 2, 3, 4, 5
_ANSWER_LARGE_BLOB_KEY = 7


@dataclass(frozen=True)
class Assertion:
    """What all assertions of one request have in common."""

    rp: str
    client_data: bytes
    flags: AuthenticatorFlag
    blob: bool
    large_blob: bool
    secret: t.Optional[SecretRequest]

    @property
    def verified(self) -> bool:
        return bool(self.flags & AuthenticatorFlag.USER_VERIFIED)


def get_assertion(state: CtapState, given: CtapParameters) -> CtapAnswer:
    assertion = _assertion(state, given)
    found = _found(state, given, assertion)
    refuse_unless(found, CtapStatus.NO_CREDENTIALS)
    if assertion.flags & AuthenticatorFlag.USER_PRESENT:
        state.require_presence(PresencePurpose.USE, assertion.rp)
        state.token.spend()
    several = len(found) > 1
    answers = [functools.partial(_answer, state, assertion, passkey, several) for passkey in found]
    first = state.begin(CtapCommand.GET_NEXT_ASSERTION, answers)
    return {**(first or {}), _ANSWER_COUNT: len(found)} if several else first


def get_next_assertion(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    return state.next(CtapCommand.GET_NEXT_ASSERTION)


def _assertion(state: CtapState, given: CtapParameters) -> Assertion:
    rp, client_data = read_rp(given.needed_text(_RP)), given.needed_octets(_HASH, 32, 32)
    asked = given.map(_EXTENSIONS)
    secret = SecretRequest.read(asked.needed_map("hmac-secret")) if asked.has("hmac-secret") else None
    flags = _authorise(state, given, client_data, rp)
    present = flags & AuthenticatorFlag.USER_PRESENT
    refuse_unless(present or secret is None, CtapStatus.UNSUPPORTED_OPTION)
    return Assertion(rp, client_data, flags, bool(asked.flag("credBlob")), asked.true("largeBlobKey"), secret)


def _authorise(state: CtapState, given: CtapParameters, client_data: bytes, rp: str) -> AuthenticatorFlag:
    """Clause 6.2.2, steps 1 to 6. Without the PIN it only tells whether a credential is there, to who knows its id."""
    options, param = given.map(_OPTIONS), given.octets(_PARAM)
    refuse_unless(not options.has("rk"), CtapStatus.UNSUPPORTED_OPTION)
    present = options.flag("up") is not False
    flags = AuthenticatorFlag.USER_PRESENT if present else AuthenticatorFlag.NONE
    if param is None:
        refuse_unless(not options.flag("uv"), CtapStatus.INVALID_OPTION)
        refuse_unless(not present, CtapStatus.PUAT_REQUIRED)
        return flags
    state.answer_whether_present(param)
    state.check_token(param, given.number(_PROTOCOL), client_data, Permission.GET_ASSERTION, rp)
    return flags | AuthenticatorFlag.USER_VERIFIED


def _found(state: CtapState, given: CtapParameters, assertion: Assertion) -> t.List[Passkey]:
    """The passkeys that answer, the newest first; of a list's only the first that is there."""
    passkeys = state.card.passkeys
    if given.has(_ALLOWED) and given.maps(_ALLOWED):
        listed = (passkeys.find(assertion.rp, each) for each in read_descriptors(given, _ALLOWED))
        shown = Protection.OPTIONAL_WITH_LIST
        return [each for each in listed if each and (assertion.verified or each.protection <= shown)][:1]
    mine = [each for each in reversed(passkeys.listed()) if each.rp == assertion.rp]
    return [each for each in mine if assertion.verified or each.protection is Protection.OPTIONAL]


def _answer(state: CtapState, assertion: Assertion, passkey: Passkey, several: bool) -> CtapAnswer:
    passkeys = state.card.passkeys
    data = authenticator_data(assertion.rp, assertion.flags, _told(state, assertion, passkey))
    digest = digest_for(passkey, data + assertion.client_data)
    signed = passkeys.sign(passkey, digest) if assertion.verified else placeholder_signature(passkey.algorithm, digest)
    answer: t.Dict[int, t.Any] = {
        _ANSWER_CREDENTIAL: describe_credential(passkey),
        _ANSWER_DATA: data,
        _ANSWER_SIGNATURE: signed,
    }
    if passkey.user is not None:
        answer[_ANSWER_USER] = describe_user(passkey.user, with_names=several and assertion.verified)
    if assertion.large_blob and passkey.large_blob and assertion.verified:
        answer[_ANSWER_LARGE_BLOB_KEY] = passkeys.large_blob_key(passkey)
    return answer


def _told(state: CtapState, assertion: Assertion, passkey: Passkey) -> t.Dict[str, t.Any]:
    """What authenticator data says of the extensions that were asked for: clause 12."""
    told: t.Dict[str, t.Any] = {}
    if assertion.blob:
        told["credBlob"] = state.card.passkeys.blob(passkey) if assertion.verified else b""
    if assertion.secret is not None and passkey.hmac_secret:
        told["hmac-secret"] = assertion.secret.answer(state, passkey)
    return told
