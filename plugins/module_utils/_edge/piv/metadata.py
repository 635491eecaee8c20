# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card tells of its keys and secrets: GET METADATA and ATTEST of Yubico's PIV extensions."""

from __future__ import annotations

import enum

from ..._card.admin_key import Cipher
from ..._card.key import Key
from ..._card.secret import Reference
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode
from ..card import Card
from ..public_key import public_key
from .reference import CIPHER_IDENTIFIERS, PIN_POLICIES, KeyReference


class Metadata(enum.IntEnum):
    """Tags of the answer."""

    ALGORITHM = 0x01
    POLICY = 0x02
    ORIGIN = 0x03
    PUBLIC_KEY = 0x04
    IS_DEFAULT = 0x05
    RETRIES = 0x06


_TOUCH_NEVER = 1
_GENERATED = 1
_IMPORTED = 2
_NOT_DEFAULT = b"\x00"
_DEFAULT = b"\x01"
_SECRET_ALGORITHM = b"\xff"


def read(card: Card, reference: int) -> bytes:
    """Answers GET METADATA for a key or a secret.

    :raises ApduError: 6A88 if the card has no such thing
    """
    if reference == KeyReference.PIN:
        return _secret(card, Reference.PIN)
    if reference == KeyReference.PUK:
        return _secret(card, Reference.PUK)
    if reference == KeyReference.ADMIN_KEY:
        return _admin_key(card)
    key = _find(card, reference)
    return _described(key, key.algorithm.piv or 0)


def attest(card: Card, reference: int) -> bytes:
    """Answers ATTEST: the certificate that says of a key how it was made, DER.

    :raises ApduError: 6A88 if the card has no such key; 6A80 if nobody has vouched for it, as a YubiKey says of one
        that was imported
    """
    key = _find(card, reference)
    if not key.attestation:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return key.attestation


def _find(card: Card, reference: int) -> Key:
    key = card.keys().get(reference)
    if key is None or key.algorithm.piv is None:
        raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
    return key


def _described(key: Key, algorithm: int) -> bytes:
    return b"".join(
        (
            encode(Metadata.ALGORITHM, bytes((algorithm,))),
            encode(Metadata.POLICY, bytes((PIN_POLICIES[key.pin], _TOUCH_NEVER))),
            encode(Metadata.ORIGIN, bytes((_IMPORTED if key.imported else _GENERATED,))),
            encode(Metadata.PUBLIC_KEY, public_key(key)),
        )
    )


def _secret(card: Card, reference: Reference) -> bytes:
    if not card.has(reference):
        raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
    tries = card.tries(reference)
    return b"".join(
        (
            encode(Metadata.ALGORITHM, _SECRET_ALGORITHM),
            encode(Metadata.IS_DEFAULT, _NOT_DEFAULT),
            encode(Metadata.RETRIES, bytes((min(tries.limit, 0xFF), min(tries.left, 0xFF)))),
        )
    )


def _admin_key(card: Card) -> bytes:
    """Says 3DES even of a card without an admin key: Yubico's programs stop at a card that does not answer this."""
    cipher, well_known = Cipher.TRIPLE_DES, False
    if card.has(Reference.ADMIN):
        cipher, well_known = card.challenge.cipher, card.challenge.well_known
    return b"".join(
        (
            encode(Metadata.ALGORITHM, bytes((CIPHER_IDENTIFIERS[cipher],))),
            encode(Metadata.POLICY, bytes((0, _TOUCH_NEVER))),
            encode(Metadata.IS_DEFAULT, _DEFAULT if well_known else _NOT_DEFAULT),
        )
    )
