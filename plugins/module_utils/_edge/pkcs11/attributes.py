# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program learns of a card's objects: PKCS#11 2.40, clauses 4.4 to 4.9."""

from __future__ import annotations

import typing as t

from ..._card.edge import Edge
from ..._card.key import (
    CONTAINER_SLOTS,
    FIRST_RETIRED,
    RETIRED,
    Key,
    PinUse,
    Slot,
    slot_name,
)
from ..._encoding.der import CONTEXT_CONSTRUCTED, Tag, octets, oid
from ..._encoding.p11_kit_attributes import Value
from ..._encoding.p11_kit_mechanism import MechanismType
from ..._encoding.tlv import encode, parse, parse_one
from ..public_key import rsa_numbers, subject_public_key
from .reference import Cka, KeyType, ObjectClass

Attributes = t.Mapping[int, Value]

_X_509 = 0  # CKC
_TOKEN_USER = 1  # CK_CERTIFICATE_CATEGORY_TOKEN_USER
_IDENTIFIERS: t.Mapping[int, bytes] = {
    **{slot: bytes((at,)) for at, slot in enumerate((*Slot, *range(FIRST_RETIRED, FIRST_RETIRED + RETIRED)), 1)},
    **{slot: bytes((at,)) for at, slot in enumerate(CONTAINER_SLOTS)},
}
_PIV_LABELS: t.Mapping[int, t.Tuple[str, str]] = {
    Slot.AUTHENTICATION: ("PIV AUTH", "Certificate for PIV Authentication"),
    Slot.SIGNATURE: ("SIGN", "Certificate for Digital Signature"),
    Slot.KEY_MANAGEMENT: ("KEY MAN", "Certificate for Key Management"),
    Slot.CARD_AUTHENTICATION: ("CARD AUTH", "Certificate for Card Authentication"),
}


def identifier(slot: int) -> bytes:
    """Returns CKA_ID, as OpenSC shows the same key: 01 for 9A, 02 for 9C and so on, 00 for container 0."""
    return _IDENTIFIERS[slot]


def slots_of(edge: Edge) -> t.List[int]:
    """Returns the slots of a card, in the order of their CKA_ID."""
    return [slot for slot in _IDENTIFIERS if slot in edge.slots]


def slot_of(value: bytes, edge: Edge) -> t.Optional[int]:
    """Returns the slot of a CKA_ID, or None if no slot of this kind of card has it."""
    return next((slot for slot in slots_of(edge) if identifier(slot) == value), None)


def label(slot: int, kind: ObjectClass) -> str:
    """Returns CKA_LABEL, for PIV the one that OpenSC gives."""
    if slot in _PIV_LABELS:
        name, certificate = _PIV_LABELS[slot]
        return {ObjectClass.CERTIFICATE: certificate, ObjectClass.PUBLIC_KEY: f"{name} pubkey"}.get(kind, f"{name} key")
    if not FIRST_RETIRED <= slot < FIRST_RETIRED + RETIRED:
        return slot_name(slot).replace("_", " ")
    name = "Retired Certificate for Key Management" if kind is ObjectClass.CERTIFICATE else "Retired KEY MAN"
    return f"{name} {slot - FIRST_RETIRED + 1}"


def certificate(slot: int, der: bytes) -> Attributes:
    """Returns the attributes of a certificate; what can't be read in it is left out."""
    return {
        **_common(slot, ObjectClass.CERTIFICATE, private=False),
        Cka.CERTIFICATE_TYPE: _X_509,
        Cka.CERTIFICATE_CATEGORY: _TOKEN_USER,
        Cka.TRUSTED: False,
        Cka.VALUE: der,
        **names(der),
    }


def names(der: bytes) -> Attributes:
    """Serial number, issuer and subject: RFC 5280, clause 4.1."""
    try:
        parts = parse(parse(parse_one(der, Tag.SEQUENCE))[0].value)
        number, _algorithm, issuer, _validity, subject, key = [
            each for each in parts if each.tag != CONTEXT_CONSTRUCTED
        ][:6]
    except (ValueError, IndexError):
        return {}
    return {
        Cka.SERIAL_NUMBER: encode(*number),
        Cka.ISSUER: encode(*issuer),
        Cka.SUBJECT: encode(*subject),
        Cka.PUBLIC_KEY_INFO: encode(*key),
    }


def public_key(key: Key) -> Attributes:
    """Returns the attributes of the public half of a key. Its uses are the other side of those of the private half."""
    is_rsa = key.algorithm.is_rsa
    bits: t.Dict[int, Value] = {Cka.MODULUS_BITS: key.algorithm.bits} if is_rsa else {}
    uses = _flags(encrypt=is_rsa, wrap=False, verify=True, verify_recover=False, derive=not is_rsa, trusted=False)
    return {**_common(key.slot, ObjectClass.PUBLIC_KEY, private=False), **_public(key), **bits, **uses, **_origin(key)}


def is_private(key: Key) -> bool:
    """Whether programs see the private half after the PIN alone."""
    return key.pin is not PinUse.NEVER


def private_key(key: Key, certificate_der: t.Optional[bytes] = None) -> Attributes:
    """Returns the attributes of the private half. A key that never asks for the PIN is there before it, too."""
    is_rsa = key.algorithm.is_rsa
    made_here = not key.imported
    subject = {each: value for each, value in names(certificate_der or b"").items() if each == Cka.SUBJECT}
    return {
        **_common(key.slot, ObjectClass.PRIVATE_KEY, private=is_private(key)),
        **{kind: value for kind, value in _public(key).items() if kind != Cka.EC_POINT},
        **subject,
        **_flags(sign=True, decrypt=is_rsa, derive=not is_rsa, sign_recover=False, unwrap=False),
        **_flags(sensitive=True, extractable=False, wrap_with_trusted=False),
        **_flags(always_sensitive=made_here, never_extractable=made_here),
        Cka.ALWAYS_AUTHENTICATE: key.pin is PinUse.ALWAYS,
        **_origin(key),
    }


def secret(value: bytes, kind: int, text: bytes, sensitive: bool) -> Attributes:
    """Returns the attributes of an agreed secret; it lives in the program's session and nowhere else."""
    attributes: t.Dict[int, Value] = {
        Cka.CLASS: int(ObjectClass.SECRET_KEY),
        **_flags(token=False, private=True, modifiable=False, copyable=False, local=False),
        **_flags(sensitive=sensitive, extractable=not sensitive, always_sensitive=False, never_extractable=False),
        Cka.LABEL: text,
        Cka.KEY_TYPE: kind,
        Cka.VALUE_LEN: len(value),
    }
    return attributes if sensitive else {**attributes, Cka.VALUE: value}


def _common(slot: int, kind: ObjectClass, private: bool) -> Attributes:
    return {
        Cka.CLASS: int(kind),
        **_flags(token=True, private=private, modifiable=False, copyable=False),
        Cka.LABEL: label(slot, kind).encode(),
        Cka.ID: identifier(slot),
    }


def _flags(**flags: bool) -> Attributes:
    return {Cka[name.upper()]: value for name, value in flags.items()}


def _public(key: Key) -> Attributes:
    curve = key.algorithm.curve
    if curve is not None:
        return {
            Cka.KEY_TYPE: int(KeyType.EC),
            Cka.EC_PARAMS: oid(curve.oid),
            Cka.EC_POINT: octets(subject_public_key(key)),
        }
    modulus, exponent = rsa_numbers(key)
    return {
        Cka.KEY_TYPE: int(KeyType.RSA),
        Cka.MODULUS: modulus,
        Cka.PUBLIC_EXPONENT: exponent,
    }


def _origin(key: Key) -> Attributes:
    """Where a key was made; what it was made by is told only of one that was made in the TPM."""
    told: t.Dict[int, Value] = {Cka.LOCAL: not key.imported, Cka.PUBLIC_KEY_INFO: key.public}
    if not key.imported:
        rsa, ec = MechanismType.RSA_PKCS_KEY_PAIR_GEN, MechanismType.EC_KEY_PAIR_GEN
        told[Cka.KEY_GEN_MECHANISM] = int(rsa if key.algorithm.is_rsa else ec)
    return told
