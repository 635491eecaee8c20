# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorClientPIN, clause 6.5.5: tries, key agreement, tokens, and a new PIN. The PIN is that of all faces."""

from __future__ import annotations

import typing as t

from ..._card.authenticator_model import LONGEST_PIN, MOST_TRIES
from ..._card.derivation import PinHash
from ..._card.errors import Blocked, WrongSecret
from ..._card.secret import Reference
from ..._errors import InputError
from .parameters import CtapParameters
from .pin_protocol import PinProtocol
from .pin_token import permissions_of
from .reference import CtapStatus, Permission
from .refused import CtapRefused, refuse_unless
from .state import CtapAnswer, CtapState

_PROTOCOL, _SUBCOMMAND, _AGREEMENT, _PARAM, _NEW_PIN, _PIN_HASH = 1, 2, 3, 4, 5, 6
_PERMISSIONS, _RP = 9, 10
_ANSWER_AGREEMENT, _ANSWER_TOKEN, _ANSWER_RETRIES, _ANSWER_POWER_CYCLE = 1, 2, 3, 4
_PADDED_PIN = 64
_MOST_WRONG = 3
"""Wrong PINs in a row after which the device has to be plugged in anew: clause 6.5.5.7."""


def client_pin(state: CtapState, given: CtapParameters) -> CtapAnswer:
    handler = _SUBCOMMANDS.get(given.needed_number(_SUBCOMMAND))
    if handler is None:
        raise CtapRefused(CtapStatus.INVALID_SUBCOMMAND)
    return handler(state, given)


def _retries(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    return {_ANSWER_RETRIES: _tries_left(state), _ANSWER_POWER_CYCLE: _waits_for_power(state)}


def _tries_left(state: CtapState) -> int:
    return min(state.card.tries(Reference.PIN).left, MOST_TRIES)


def _waits_for_power(state: CtapState) -> bool:
    """Whether wrong PINs in a row have stopped this face; a right one by another face, or a new PIN, lets it go on."""
    tries = state.card.tries(Reference.PIN)
    if tries.left == tries.limit:
        state.wrong_in_a_row = 0
    return state.wrong_in_a_row >= _MOST_WRONG


def _key_agreement(state: CtapState, given: CtapParameters) -> CtapAnswer:
    return {_ANSWER_AGREEMENT: state.protocols.of(given.number(_PROTOCOL)).public}


def _set_pin(state: CtapState, given: CtapParameters) -> CtapAnswer:
    """A card has its PIN from the start, so this is refused as clause 6.5.5.5 has it, once all was given."""
    state.protocols.of(given.number(_PROTOCOL))
    given.needed_map(_AGREEMENT)
    for name in (_NEW_PIN, _PARAM):
        given.needed_octets(name)
    raise CtapRefused(CtapStatus.PIN_AUTH_INVALID)


def _change_pin(state: CtapState, given: CtapParameters) -> CtapAnswer:
    protocol = state.protocols.of(given.number(_PROTOCOL))
    shared = protocol.shared_secret(given.needed_map(_AGREEMENT))
    encrypted, pin_hash = given.needed_octets(_NEW_PIN), given.needed_octets(_PIN_HASH)
    authentic = protocol.is_authentic(shared, encrypted + pin_hash, given.needed_octets(_PARAM))
    refuse_unless(authentic, CtapStatus.PIN_AUTH_INVALID)
    old, new = _decrypted_hash(protocol, shared, pin_hash), _decrypted_pin(state, protocol.decrypt(shared, encrypted))
    state.token.end()
    _trying(state, protocol, lambda: state.card.change(Reference.PIN, old, new))
    state.card.logout()
    return None


def _decrypted_hash(protocol: PinProtocol, shared: bytes, encrypted: bytes) -> PinHash:
    plain = protocol.decrypt(shared, encrypted)
    refuse_unless(len(plain) == 16, CtapStatus.INVALID_PARAMETER)
    return PinHash(plain)


def _decrypted_pin(state: CtapState, padded: bytes) -> bytes:
    refuse_unless(len(padded) == _PADDED_PIN, CtapStatus.INVALID_PARAMETER)
    pin = padded.rstrip(b"\0")
    if len(pin) > LONGEST_PIN:
        state.log(f"a new PIN was refused: CTAP takes {LONGEST_PIN} bytes at most, in UTF-8: choose a shorter one")
        raise CtapRefused(CtapStatus.PIN_POLICY_VIOLATION)
    return pin


def _trying(state: CtapState, protocol: PinProtocol, attempt: t.Callable[[], None]) -> None:
    """Gives the card a PIN. A wrong one costs a try of the card, whichever face it came by."""
    if not state.card.tries(Reference.PIN).left:
        raise CtapRefused(CtapStatus.PIN_BLOCKED)
    refuse_unless(not _waits_for_power(state), CtapStatus.PIN_AUTH_BLOCKED)
    try:
        attempt()
    except WrongSecret as error:
        state.wrong_in_a_row += 1
        protocol.regenerate()
        if error.left and state.wrong_in_a_row >= _MOST_WRONG:
            raise CtapRefused(CtapStatus.PIN_AUTH_BLOCKED) from error
        raise
    except Blocked:
        protocol.regenerate()
        raise
    except InputError as error:
        state.log(f"a new PIN was refused: {error}")
        raise
    state.wrong_in_a_row = 0


def _legacy_token(state: CtapState, given: CtapParameters) -> CtapAnswer:
    """Clause 6.5.5.7.1: what clients of CTAP 2.0 ask for, good for credentials made and used."""
    refuse_unless(not given.has(_PERMISSIONS) and not given.has(_RP), CtapStatus.INVALID_PARAMETER)
    return _token(state, given, Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION, None)


def _token_with_permissions(state: CtapState, given: CtapParameters) -> CtapAnswer:
    permissions, rp = permissions_of(given.needed_number(_PERMISSIONS)), given.text(_RP)
    for_party = Permission.MAKE_CREDENTIAL | Permission.GET_ASSERTION
    refuse_unless(rp is not None or not permissions & for_party, CtapStatus.MISSING_PARAMETER)
    return _token(state, given, permissions, rp)


def _token(state: CtapState, given: CtapParameters, permissions: Permission, rp: t.Optional[str]) -> CtapAnswer:
    protocol = state.protocols.of(given.number(_PROTOCOL))
    shared = protocol.shared_secret(given.needed_map(_AGREEMENT))
    pin_hash = _decrypted_hash(protocol, shared, given.needed_octets(_PIN_HASH))
    state.token.end()
    _trying(state, protocol, lambda: state.card.verify(pin_hash))
    if state.card.pin_due is not None:
        state.card.logout()
        raise CtapRefused(CtapStatus.PIN_POLICY_VIOLATION)
    return {_ANSWER_TOKEN: protocol.encrypt(shared, state.token.issue(protocol, permissions, rp))}


_SUBCOMMANDS: t.Mapping[int, t.Callable[[CtapState, CtapParameters], CtapAnswer]] = {
    0x01: _retries,
    0x02: _key_agreement,
    0x03: _set_pin,
    0x04: _change_pin,
    0x05: _legacy_token,
    0x09: _token_with_permissions,
}
