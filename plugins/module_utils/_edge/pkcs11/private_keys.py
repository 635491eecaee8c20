# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures, decryptions, agreed secrets and random numbers: PKCS#11 2.40, clauses 5.9, 5.11, 5.13 and 5.14."""

from __future__ import annotations

import os
import typing as t

from ..._encoding.der import Tag
from ..._encoding.p11_kit import Fitted, Mechanism
from ..._encoding.p11_kit_attributes import Attribute
from ..._encoding.tlv import TlvError, parse_one
from . import attributes
from .context import Context
from .fault import CallRefused
from .general import Answer
from .mechanisms import method_of
from .operations import Decrypting, Signing
from .reference import Cka, KeyType, MechanismFlag, ObjectClass, Rv
from .session import Session

_MOST_RANDOM = 1 << 16  # bytes at once
_UNCOMPRESSED = 4  # SEC 1, clause 2.3.3
_NO_DERIVATION = 1  # CKD_NULL
_SECRET_CLASSES = (int(ObjectClass.SECRET_KEY), None)


def sign_init(context: Context, handle: int, mechanism: t.Optional[Mechanism], number: int) -> Answer:
    session = context.session(handle)
    if mechanism is None:
        session.signing = None
        return ()
    if session.signing is not None:
        raise CallRefused(Rv.OPERATION_ACTIVE)
    session.signing = Signing(session.token, mechanism, session.token.private_key(number))
    return ()


def sign(context: Context, handle: int, data: t.Optional[bytes], room: int) -> Answer:
    session = context.session(handle)
    return _finish_signing(session, data or b"", room)


def sign_update(context: Context, handle: int, data: t.Optional[bytes]) -> Answer:
    session = context.session(handle)
    signing, session.signing = _begun(session.signing), None
    signing.add(data or b"")
    session.signing = signing
    return ()


def sign_final(context: Context, handle: int, room: int) -> Answer:
    return _finish_signing(context.session(handle), b"", room)


def _finish_signing(session: Session, data: bytes, room: int) -> Answer:
    """A program that only asks for the size, or has too little room, goes on with what it has begun: clause 5.2."""
    signing: Signing = _begun(session.signing)
    if room < signing.size:
        return (Fitted(bytes(signing.size), 0),)
    session.signing = None
    signing.add(data)
    return (Fitted(signing.finish(), room),)


def decrypt_init(context: Context, handle: int, mechanism: t.Optional[Mechanism], number: int) -> Answer:
    session = context.session(handle)
    if mechanism is None:
        session.decrypting = None
        return ()
    if session.decrypting is not None:
        raise CallRefused(Rv.OPERATION_ACTIVE)
    session.decrypting = Decrypting(session.token, mechanism, session.token.private_key(number))
    return ()


def decrypt(context: Context, handle: int, data: t.Optional[bytes], room: int) -> Answer:
    session = context.session(handle)
    decrypting: Decrypting = _begun(session.decrypting)
    if not room:
        return (Fitted(bytes(decrypting.size), 0),)
    session.decrypting = None
    message = decrypting.finish(data or b"")
    if len(message) > room:
        session.decrypting = decrypting
    return (Fitted(message, room),)


def _begun(operation: t.Any) -> t.Any:
    """Returns an operation.

    Whoever goes on with it takes it out of the session meanwhile, so whatever goes wrong ends it: clause 5.2.
    """
    if operation is None:
        raise CallRefused(Rv.OPERATION_NOT_INITIALIZED)
    return operation


def derive_key(
    context: Context, handle: int, mechanism: t.Optional[Mechanism], number: int, template: t.Sequence[Attribute]
) -> Answer:
    """ECDH of SEC 1, clause 3.3.1, without a derivation function: PKCS#11 2.40 (current mechanisms), clause 2.3.8."""
    session = context.session(handle)
    if mechanism is None:
        raise CallRefused(Rv.MECHANISM_INVALID)
    method_of(mechanism, MechanismFlag.DERIVE)
    token = session.token
    key = token.private_key(number)
    if key.algorithm.is_rsa:
        raise CallRefused(Rv.KEY_TYPE_INCONSISTENT)
    point = _point(mechanism, key.algorithm.size)
    wanted = _Wanted(template)
    token.take_turn(key)
    return (session.keep(wanted.secret(token.card.ecdh(key.slot, point))),)


def derive_key_2(
    context: Context, handle: int, mechanism: t.Optional[Mechanism], number: int, template: t.Sequence[Attribute]
) -> Answer:
    """The same, after the CK_RV and what the mechanism has changed in its parameter: nothing."""
    return (int(Rv.OK), None, *derive_key(context, handle, mechanism, number, template))


def _point(mechanism: Mechanism, size: int) -> bytes:
    """Returns the other side's point; programs send it bare or as an OCTET STRING: clause 2.3.8."""
    function, shared, point = t.cast("tuple[int, bytes, bytes]", mechanism.parameter or (0, b"", b""))
    if function != _NO_DERIVATION or shared:
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    whole = 1 + 2 * size
    if len(point) != whole:
        try:
            point = parse_one(point, Tag.OCTET_STRING)
        except TlvError:
            raise CallRefused(Rv.MECHANISM_PARAM_INVALID) from None
    if len(point) != whole or point[0] != _UNCOMPRESSED:
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    return point


class _Wanted:
    """The secret that a program wants.

    :raises CallRefused: if it can't have such a one
    """

    def __init__(self, template: t.Sequence[Attribute]) -> None:
        wanted = dict(template)
        kind, length = wanted.get(Cka.KEY_TYPE, int(KeyType.GENERIC_SECRET)), wanted.get(Cka.VALUE_LEN)
        if wanted.get(Cka.TOKEN) or wanted.get(Cka.CLASS) not in _SECRET_CLASSES:
            raise CallRefused(Rv.TEMPLATE_INCONSISTENT)
        if not isinstance(kind, int) or not isinstance(length, (int, type(None))):
            raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
        self._kind, self._length = kind, length
        self._sensitive = bool(wanted.get(Cka.SENSITIVE, False))
        self._label = t.cast(bytes, wanted.get(Cka.LABEL) or b"")

    def secret(self, value: bytes) -> attributes.Attributes:
        """Leading bytes of a secret that is longer than wanted are left out: clause 2.3.8."""
        length = len(value) if self._length is None else self._length
        if not 0 < length <= len(value):
            raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
        return attributes.secret(value[len(value) - length :], self._kind, self._label, self._sensitive)


def generate_random(context: Context, handle: int, room: int) -> Answer:
    context.session(handle)
    if room > _MOST_RANDOM:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    return (Fitted(os.urandom(room), room),)


def seed_random(context: Context, handle: int, _seed: t.Optional[bytes]) -> Answer:
    context.session(handle)
    raise CallRefused(Rv.RANDOM_SEED_NOT_SUPPORTED)


def session_cancel(context: Context, handle: int, flags: int) -> Answer:
    """PKCS#11 3.0, clause 5.6.11."""
    session = context.session(handle)
    if flags & MechanismFlag.SIGN:
        session.signing = None
    if flags & MechanismFlag.DECRYPT:
        session.decrypting = None
    if flags & _FIND_OBJECTS:
        session.found = None
    return ()


_FIND_OBJECTS = 1 << 6  # CKF_FIND_OBJECTS

CALLS: t.Mapping[str, t.Callable[..., Answer]] = {
    "C_SignInit": sign_init,
    "C_Sign": sign,
    "C_SignUpdate": sign_update,
    "C_SignFinal": sign_final,
    "C_DecryptInit": decrypt_init,
    "C_Decrypt": decrypt,
    "C_DeriveKey": derive_key,
    "C_DeriveKey2": derive_key_2,
    "C_GenerateRandom": generate_random,
    "C_SeedRandom": seed_random,
    "C_SessionCancel": session_cancel,
}
