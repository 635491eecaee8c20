# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that are made, brought in and removed, and certificates: PKCS#11 2.40, clauses 5.7 and 5.13.

A slot's key is never replaced: a program has to remove it first. Its certificate is, as one that is renewed.
"""

from __future__ import annotations

import typing as t

from ..._card.errors import NotOffered
from ..._card.external_key import ExternalKey, RsaParts
from ..._card.key import PinUse
from ..._card.specification import KeySpecification
from ..._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from ..._encoding.p11_kit import Mechanism
from ..._encoding.p11_kit_attributes import Attribute
from ..._errors import InputError
from . import attributes
from .context import Context
from .curves import algorithm_of
from .fault import CallRefused
from .general import Answer
from .mechanisms import METHODS, method_of
from .reference import Cka, KeyType, MechanismFlag, ObjectClass, Rv
from .token import Token, handle_of, slot_and_kind

Template = t.Mapping[int, t.Any]


def generate_key_pair(
    context: Context,
    handle: int,
    mechanism: t.Optional[Mechanism],
    public: t.Sequence[Attribute],
    private: t.Sequence[Attribute],
) -> Answer:
    token = _writable(context, handle)
    if mechanism is None:
        raise CallRefused(Rv.MECHANISM_INVALID)
    method_of(mechanism, MechanismFlag.GENERATE_KEY_PAIR)
    both: Template = {**dict(public), **dict(private)}
    algorithm = _rsa_wanted(both) if METHODS[mechanism.type].is_rsa else algorithm_of(both.get(Cka.EC_PARAMS))
    slot = _free_slot(token, both)
    _make(token, _specification(token, slot, algorithm, both))
    return handle_of(slot, ObjectClass.PUBLIC_KEY), handle_of(slot, ObjectClass.PRIVATE_KEY)


def _make(token: Token, wanted: KeySpecification) -> None:
    try:
        token.card.make_key(wanted)
    except NotOffered as error:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID) from error


def _writable(context: Context, handle: int) -> Token:
    session = context.session(handle)
    session.require_writable()
    session.token.require_writer()
    return session.token


def _check_exponent(template: Template) -> None:
    """:raises CallRefused: for another exponent than the one that every TPM takes"""
    exponent = template.get(Cka.PUBLIC_EXPONENT)
    if exponent and int.from_bytes(exponent, "big") != EXPONENT:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)


def _rsa_wanted(template: Template) -> KeyAlgorithm:
    _check_exponent(template)
    if Cka.MODULUS_BITS not in template:
        raise CallRefused(Rv.TEMPLATE_INCOMPLETE)
    return _rsa(template[Cka.MODULUS_BITS])


def _rsa(bits: int) -> KeyAlgorithm:
    algorithm = KeyAlgorithm.rsa(bits)
    if algorithm is None:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
    return algorithm


def _specification(token: Token, slot: int, algorithm: KeyAlgorithm, template: Template) -> KeySpecification:
    """What a program says of the PIN may make a slot stricter, and nothing else.

    :raises CallRefused: for what this card can't have
    """
    if template.get(Cka.EXTRACTABLE) or template.get(Cka.TOKEN) is False or template.get(Cka.SENSITIVE) is False:
        raise CallRefused(Rv.TEMPLATE_INCONSISTENT)
    pin = PinUse.ALWAYS if template.get(Cka.ALWAYS_AUTHENTICATE) else None
    specification = KeySpecification(slot, algorithm, pin_use=pin)
    try:
        specification.check(token.card.edge, token.card.faces)
    except InputError as error:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID) from error
    return specification


def _free_slot(token: Token, template: Template) -> int:
    """Returns the slot of the CKA_ID, or without one the first that holds no key."""
    keys = token.card.keys()
    wanted = template.get(Cka.ID)
    if not wanted:
        free = [slot for slot in attributes.slots_of(token.card.edge) if slot not in keys]
        if not free:
            raise CallRefused(Rv.DEVICE_MEMORY)
        return free[0]
    slot = _slot(token, wanted)
    if slot in keys:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
    return slot


def _slot(token: Token, identifier: bytes) -> int:
    slot = attributes.slot_of(identifier, token.card.edge)
    if slot is None:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
    return slot


def create_object(context: Context, handle: int, template: t.Sequence[Attribute]) -> Answer:
    token = _writable(context, handle)
    wanted = dict(template)
    if wanted.get(Cka.TOKEN) is not True:
        raise CallRefused(Rv.TEMPLATE_INCONSISTENT)
    kind = wanted.get(Cka.CLASS)
    if kind == ObjectClass.CERTIFICATE:
        return (_store_certificate(token, wanted),)
    if kind == ObjectClass.PRIVATE_KEY:
        return (_import_key(token, wanted),)
    if kind == ObjectClass.PUBLIC_KEY:
        return (_public_half(token, wanted),)
    raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)


def _store_certificate(token: Token, wanted: Template) -> int:
    der = wanted.get(Cka.VALUE)
    if not der:
        raise CallRefused(Rv.TEMPLATE_INCOMPLETE)
    told = attributes.names(der)
    if not told:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
    slot = _slot(token, wanted[Cka.ID]) if wanted.get(Cka.ID) else _slot_of_key(token, told[Cka.PUBLIC_KEY_INFO])
    token.card.store_certificate(slot, der)
    return handle_of(slot, ObjectClass.CERTIFICATE)


def _slot_of_key(token: Token, public: t.Any) -> int:
    """A certificate without CKA_ID goes to the key that it shows."""
    for slot, key in token.card.keys().items():
        if key.public == public:
            return slot
    raise CallRefused(Rv.TEMPLATE_INCOMPLETE)


def _public_half(token: Token, wanted: Template) -> int:
    """Programs write a public key beside the private one. It is there already, if it is the same."""
    slot = _slot(token, wanted.get(Cka.ID) or b"")
    key = token.card.keys().get(slot)
    known = attributes.public_key(key) if key else {}
    parts = [each for each in (Cka.MODULUS, Cka.EC_POINT) if each in wanted]
    if not parts or any(known.get(each) != wanted[each] for each in parts):
        raise CallRefused(Rv.TEMPLATE_INCONSISTENT)
    return handle_of(slot, ObjectClass.PUBLIC_KEY)


def _import_key(token: Token, wanted: Template) -> int:
    slot = _free_slot(token, wanted)
    try:
        key = _external_key(wanted)
        token.card.import_key(_specification(token, slot, key.algorithm, wanted), key)
    except KeyError:
        raise CallRefused(Rv.TEMPLATE_INCOMPLETE) from None
    except (InputError, NotOffered) as error:
        raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID) from error
    return handle_of(slot, ObjectClass.PRIVATE_KEY)


def _external_key(wanted: Template) -> ExternalKey:
    kind = wanted.get(Cka.KEY_TYPE)
    if kind == KeyType.RSA:
        p, q = (int.from_bytes(wanted[part], "big") for part in (Cka.PRIME_1, Cka.PRIME_2))
        others = (wanted.get(part) for part in (Cka.EXPONENT_1, Cka.EXPONENT_2, Cka.COEFFICIENT))
        parts = RsaParts(p, q, *(int.from_bytes(each, "big") if each else None for each in others))
        _check_exponent(wanted)
        return ExternalKey.rsa(_rsa((p * q).bit_length()), parts)
    if kind == KeyType.EC:
        return ExternalKey.ec(algorithm_of(wanted[Cka.EC_PARAMS]), int.from_bytes(wanted[Cka.VALUE], "big"))
    raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)


def destroy_object(context: Context, handle: int, number: int) -> Answer:
    session = context.session(handle)
    if session.drop(number):
        return ()
    if session.token.object(number) is None:
        raise CallRefused(Rv.OBJECT_HANDLE_INVALID)
    token = _writable(context, handle)
    slot, kind = slot_and_kind(number)
    if kind == ObjectClass.CERTIFICATE:
        token.card.store_certificate(slot, None)
    elif kind in (ObjectClass.PUBLIC_KEY, ObjectClass.DATA):
        raise CallRefused(Rv.ACTION_PROHIBITED)
    else:
        token.card.remove_key(slot)
    return ()


CALLS: t.Mapping[str, t.Callable[..., Answer]] = {
    "C_GenerateKeyPair": generate_key_pair,
    "C_CreateObject": create_object,
    "C_DestroyObject": destroy_object,
}
