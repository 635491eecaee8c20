# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GENERAL AUTHENTICATE with a private key: SP 800-73-4 part 2, clause 3.2.4 and appendix A."""

from __future__ import annotations

import secrets
import typing as t

from ..._card.key import Key
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from ..authentication import Authentication
from ..card import Card
from .reference import ALGORITHMS

_RANDOM_ALGORITHM = 0x00  # 3DES by its other number: SP 800-78-4, table 6-2
_RANDOM_REQUEST = bytes.fromhex("7C028100")

_RANDOM_SIZE = 8  # bytes, a block of 3DES
_UNCOMPRESSED = 0x04  # SEC 1, clause 2.3.3
_LONGEST_DIGEST = 64  # bytes, SHA-512


def wants_random(algorithm: int, data: bytes) -> bool:
    """Whether a program wants random bytes, for which OpenSC asks for a challenge that it never answers.

    The card's challenge stays the same until it is answered, so it is nothing to take them from.
    """
    return algorithm == _RANDOM_ALGORITHM and data == _RANDOM_REQUEST


def random() -> bytes:
    """Returns random bytes, in the form of a challenge that no authentication depends on."""
    challenge = encode(Authentication.CHALLENGE, secrets.token_bytes(_RANDOM_SIZE))
    return encode(Authentication.TEMPLATE, challenge)


def private_key(card: Card, algorithm: int, slot: int) -> Key:
    """Returns the key that a command names.

    :raises ApduError: 6A88 if the slot is empty, 6A80 if its key is of another algorithm, as programs know it from
        YubiKeys
    """
    key = card.keys().get(slot)
    if key is None:
        raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
    if ALGORITHMS.get(algorithm) is not key.algorithm:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return key


def use(card: Card, key: Key, data: bytes) -> bytes:
    """Signs, decrypts or agrees on a secret, as the template asks.

    :param data: the dynamic authentication template
    :raises ApduError: 6A80 if the template asks for nothing that the key can do
    :raises TlvError: if it is malformed
    """
    template = parse_distinct(parse_one(data, Authentication.TEMPLATE))
    if template.pop(Authentication.RESPONSE, b""):
        raise ApduError(StatusWord.INCORRECT_DATA)
    if len(template) != 1:
        raise ApduError(StatusWord.INCORRECT_DATA)
    ((tag, value),) = template.items()
    response = _operation(key, tag)(card, key, value)
    return encode(Authentication.TEMPLATE, encode(Authentication.RESPONSE, response))


_Operation = t.Callable[[Card, Key, bytes], bytes]


def _operation(key: Key, tag: int) -> _Operation:
    if tag == Authentication.CHALLENGE:
        return _rsa if key.algorithm.is_rsa else _sign
    if tag == Authentication.EXPONENTIATION and not key.algorithm.is_rsa:
        return _ecdh
    raise ApduError(StatusWord.INCORRECT_DATA)


def _rsa(card: Card, key: Key, block: bytes) -> bytes:
    """Signing and decrypting are one to the card: the client pads and unpads."""
    if len(block) != key.algorithm.size:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return card.rsa_private(key.slot, block)


def _sign(card: Card, key: Key, digest: bytes) -> bytes:
    if not 0 < len(digest) <= _LONGEST_DIGEST:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return card.sign(key.slot, digest)


def _ecdh(card: Card, key: Key, point: bytes) -> bytes:
    if len(point) != 1 + 2 * key.algorithm.size or point[0] != _UNCOMPRESSED:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return card.ecdh(key.slot, point)
