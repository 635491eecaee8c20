# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that come and go: GENERATE of SP 800-73-4 part 2, clause 3.3.2, and Yubico's IMPORT and MOVE."""

from __future__ import annotations

import enum
import typing as t

from ..._card.edge import Edge
from ..._card.external_key import ExternalKey, RsaParts
from ..._card.specification import KeySpecification
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from ..._encoding.tlv import encode, parse_distinct, parse_one
from ..card import Card
from ..public_key import TEMPLATE, public_key
from .reference import ALGORITHMS, PIN_POLICIES

_GENERATE = 0xAC  # control reference template: SP 800-73-4 part 2, table 10
_MECHANISM = 0x80
_PARAMETER = 0x81
_NOWHERE = 0xFF  # P1 of MOVE: the key is deleted


class UsePolicy(enum.IntEnum):
    """When a key asks for what, in the words of Yubico's PIV extensions."""

    PIN = 0xAA
    TOUCH = 0xAB


class KeyPart(enum.IntEnum):
    """Parts of a private key: IMPORT ASYMMETRIC KEY of Yubico's PIV extensions."""

    P = 0x01
    Q = 0x02
    DP = 0x03
    DQ = 0x04
    INVERSE = 0x05
    SCALAR = 0x06


_DEFAULT = 0
_TOUCH_NEVER = 1
_RSA_PARTS = (KeyPart.P, KeyPart.Q, KeyPart.DP, KeyPart.DQ, KeyPart.INVERSE)


def generate(card: Card, slot: int, data: bytes) -> bytes:
    """Makes a key and returns its public half.

    :raises ApduError: 6A86 for a slot that no card has, 6A80 for an algorithm that no card knows, 6A81 for a touch
    :raises NotOffered: for an algorithm that this TPM does not know
    :raises TlvError: if the template is malformed
    """
    template = parse_distinct(parse_one(data, _GENERATE))
    algorithm = ALGORITHMS.get(int.from_bytes(template.pop(_MECHANISM, b""), "big"))
    exponent = template.pop(_PARAMETER, b"")
    if algorithm is None or (exponent and int.from_bytes(exponent, "big") != EXPONENT):
        raise ApduError(StatusWord.INCORRECT_DATA)
    key = card.make_key(_specification(slot, algorithm, template))
    return encode(TEMPLATE, public_key(key))


def import_key(card: Card, number: int, slot: int, data: bytes) -> None:
    """Imports a private key.

    :param number: algorithm identifier
    :raises ApduError, NotOffered, TlvError: as :func:`generate`; 6A86 for the algorithm too
    :raises InputError: if the parts make no key of it
    """
    algorithm = ALGORITHMS.get(number)
    if algorithm is None:
        raise ApduError(StatusWord.INCORRECT_P1_P2)
    template = parse_distinct(data)
    parts = {tag: int.from_bytes(template.pop(tag), "big") for tag in list(KeyPart) if tag in template}
    specification = _specification(slot, algorithm, template)
    if algorithm.is_rsa and set(parts) == set(_RSA_PARTS):
        card.import_key(specification, ExternalKey.rsa(algorithm, RsaParts(*(parts[part] for part in _RSA_PARTS))))
    elif not algorithm.is_rsa and set(parts) == {KeyPart.SCALAR}:
        card.import_key(specification, ExternalKey.ec(algorithm, parts[KeyPart.SCALAR]))
    else:
        raise ApduError(StatusWord.INCORRECT_DATA)


def move(card: Card, target: int, slot: int) -> None:
    """Deletes a key. Moving one is refused: what vouches for a key names its slot.

    :raises ApduError: 6A81 if the key shall go to another slot
    :raises NoSuchKey:
    """
    if target != _NOWHERE:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    _check_slot(slot)
    card.remove_key(slot)


def _check_slot(slot: int) -> None:
    if slot not in Edge.PIV.slots:
        raise ApduError(StatusWord.INCORRECT_P1_P2)


def _specification(slot: int, algorithm: KeyAlgorithm, policies: t.Dict[int, bytes]) -> KeySpecification:
    """:param policies: data objects of Policy, and nothing else"""
    _check_slot(slot)
    pin = int.from_bytes(policies.pop(UsePolicy.PIN, b"\0"), "big")
    touch = int.from_bytes(policies.pop(UsePolicy.TOUCH, b"\0"), "big")
    uses = {number: use for use, number in PIN_POLICIES.items()}
    if policies or (pin != _DEFAULT and pin not in uses):
        raise ApduError(StatusWord.INCORRECT_DATA)
    if touch not in (_DEFAULT, _TOUCH_NEVER):
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    return KeySpecification(slot, algorithm, pin_use=uses.get(pin))
