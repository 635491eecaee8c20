# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects: found, read, refused to be changed: PKCS#11 2.40, clause 5.7."""

from __future__ import annotations

import typing as t

from ..._encoding.p11_kit import Fitted
from ..._encoding.p11_kit_attributes import Attribute, WantedAttribute, memory_size
from .attributes import Attributes
from .context import Context
from .fault import CallRefused
from .general import Answer
from .reference import UNKNOWN, Cka, ObjectClass, Rv
from .session import Session

_SECRET = frozenset(
    (Cka.VALUE, Cka.PRIVATE_EXPONENT, Cka.PRIME_1, Cka.PRIME_2, Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT)
)
_MOST_TOLD = 1 << 17
"""Bytes of one answer. A request may name the largest attribute thousands of times."""
_HIDING = frozenset((ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY))


def find_objects_init(context: Context, handle: int, template: t.Sequence[Attribute]) -> Answer:
    session = context.session(handle)
    if session.found is not None:
        raise CallRefused(Rv.OPERATION_ACTIVE)
    session.found = session.find(template)
    return ()


def find_objects(context: Context, handle: int, room: int) -> Answer:
    session = context.session(handle)
    if session.found is None:
        raise CallRefused(Rv.OPERATION_NOT_INITIALIZED)
    found, session.found = session.found[:room], session.found[room:]
    return (Fitted(found, room),)


def find_objects_final(context: Context, handle: int) -> Answer:
    session = context.session(handle)
    if session.found is None:
        raise CallRefused(Rv.OPERATION_NOT_INITIALIZED)
    session.found = None
    return ()


def get_attribute_value(context: Context, handle: int, number: int, wanted: t.Sequence[WantedAttribute]) -> Answer:
    known = _object(context.session(handle), number)
    told = [_told(known, each) for each in wanted]
    if sum(memory_size(value) for value, _rv in told if value is not None) > _MOST_TOLD:
        raise CallRefused(Rv.DEVICE_MEMORY)
    rv = next((rv for _value, rv in told if rv), Rv.OK)
    return [Attribute(each.type, value) for each, (value, _rv) in zip(wanted, told)], int(rv)


def _object(session: Session, number: int) -> Attributes:
    known = session.object(number)
    if known is None:
        raise CallRefused(Rv.OBJECT_HANDLE_INVALID)
    return known


def _told(known: Attributes, wanted: WantedAttribute) -> t.Tuple[t.Optional[t.Any], Rv]:
    value = known.get(wanted.type)
    if value is None:
        hidden = wanted.type in _SECRET and known[Cka.CLASS] in _HIDING
        return None, Rv.ATTRIBUTE_SENSITIVE if hidden else Rv.ATTRIBUTE_TYPE_INVALID
    if wanted.room and memory_size(value) > wanted.room:
        return None, Rv.BUFFER_TOO_SMALL
    return value, Rv.OK


def get_object_size(context: Context, handle: int, number: int) -> Answer:
    _object(context.session(handle), number)
    return (UNKNOWN,)


def set_attribute_value(context: Context, handle: int, number: int, _template: t.Sequence[Attribute]) -> Answer:
    """Labels and identifiers follow from the slot."""
    _object(context.session(handle), number)
    raise CallRefused(Rv.ATTRIBUTE_READ_ONLY)


def copy_object(context: Context, handle: int, number: int, _template: t.Sequence[Attribute]) -> Answer:
    _object(context.session(handle), number)
    raise CallRefused(Rv.ACTION_PROHIBITED)


CALLS: t.Mapping[str, t.Callable[..., Answer]] = {
    "C_FindObjectsInit": find_objects_init,
    "C_FindObjects": find_objects,
    "C_FindObjectsFinal": find_objects_final,
    "C_GetAttributeValue": get_attribute_value,
    "C_GetObjectSize": get_object_size,
    "C_SetAttributeValue": set_attribute_value,
    "C_CopyObject": copy_object,
}
