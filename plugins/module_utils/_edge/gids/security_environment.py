# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION: ISO/IEC 7816-4, clause 11.6.11; 7816-8, clause 11."""

from __future__ import annotations

import typing as t

from ..._card.key import Key
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.rsa_padding import PKCS1_OVERHEAD, pad_pkcs1, unpad_oaep, unpad_pkcs1
from ..._encoding.tlv import parse_distinct
from ..card import Card
from .reference import ADMIN_KEY_REFERENCE, ALGORITHMS, KEY_FILES, PaddingReference, Use

_ALGORITHM = 0x80
_SECRET_KEY = 0x83
_PRIVATE_KEY = 0x84
_PADDING_INDICATOR = b"\x00"  # no further indication
_PADDINGS: t.Mapping[int, t.FrozenSet[PaddingReference]] = {
    Use.SIGNATURE: frozenset((PaddingReference.SIGNED_OFF_CARD, PaddingReference.SIGNED_PKCS1)),
    Use.CONFIDENTIALITY: frozenset(
        (PaddingReference.NONE, PaddingReference.DECRYPTED_PKCS1, PaddingReference.DECRYPTED_OAEP)
    ),
}


class _Environment(t.NamedTuple):
    use: int
    padding: PaddingReference
    slot: int


class SecurityEnvironment:
    """Which key does what next. Empty at the start."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._current: t.Optional[_Environment] = None

    def clear(self) -> None:
        self._current = None

    def set(self, use: int, data: bytes) -> None:
        """Chooses a private key.

        :param use: Use.SIGNATURE or Use.CONFIDENTIALITY
        :param data: control reference data objects
        :raises ApduError: 6A88 if there is no such key, 6A80 for an algorithm that is not its own
        :raises TlvError: if the data are malformed
        """
        self._current = None
        template = parse_distinct(data)
        if use not in _PADDINGS or set(template) != {_ALGORITHM, _PRIVATE_KEY}:
            raise ApduError(StatusWord.INCORRECT_DATA)
        reference, slot = _byte(template[_ALGORITHM]), KEY_FILES + _byte(template[_PRIVATE_KEY])
        key = self._key(slot)
        padding = next((each for each in _PADDINGS[use] if each == reference & 0xF0), None)
        if padding is None or ALGORITHMS.get(reference & 0x0F) is not key.algorithm:
            raise ApduError(StatusWord.INCORRECT_DATA)
        self._current = _Environment(use, padding, slot)

    def _key(self, slot: int) -> Key:
        key = self._card.keys().get(slot)
        if key is None:
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        return key

    def sign(self, data: bytes) -> bytes:
        """Returns a signature. The card pads what is shorter than the modulus, if it was told to: RFC 8017, clause 9.2.

        A block of the modulus' size was padded by the program.

        :raises ApduError: 6985 without a key chosen, 6700 for data of a size that can't be signed
        """
        current = self._chosen(Use.SIGNATURE)
        size = self._key(current.slot).algorithm.size
        if current.padding is PaddingReference.SIGNED_PKCS1 and len(data) <= size - PKCS1_OVERHEAD:
            data = pad_pkcs1(data, size)
        if len(data) != size:
            raise ApduError(StatusWord.WRONG_LENGTH)
        return self._card.rsa_private(current.slot, data)

    def decrypt(self, data: bytes) -> bytes:
        """Returns what a program has encrypted for the key. OAEP is the one with SHA-1 and without a label.

        :param data: the cryptogram, with the padding indicator 00 in front as ISO/IEC 7816-8 has it, or without as
            OpenSC 0.23 sends it
        :raises ApduError: 6985 without a key chosen, 6700 for another size
        :raises PaddingError: if the padding is not as said
        """
        current = self._chosen(Use.CONFIDENTIALITY)
        size = self._key(current.slot).algorithm.size
        if len(data) == len(_PADDING_INDICATOR) + size and data.startswith(_PADDING_INDICATOR):
            data = data[len(_PADDING_INDICATOR) :]
        if len(data) != size:
            raise ApduError(StatusWord.WRONG_LENGTH)
        block = self._card.rsa_private(current.slot, data)
        if current.padding is PaddingReference.DECRYPTED_PKCS1:
            return unpad_pkcs1(block)
        return unpad_oaep(block) if current.padding is PaddingReference.DECRYPTED_OAEP else block

    def _chosen(self, use: Use) -> _Environment:
        if self._current is None or self._current.use != use:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return self._current


def check_admin_key(use: int, data: bytes) -> None:
    """Answers a program that chooses the admin key. A card has no other secret key, so nothing has to be kept.

    :raises ApduError: 6A80 for another use, 6A88 for another key
    """
    template = parse_distinct(data)
    if use != Use.AUTHENTICATION or _SECRET_KEY not in template:
        raise ApduError(StatusWord.INCORRECT_DATA)
    if _byte(template[_SECRET_KEY]) != ADMIN_KEY_REFERENCE:
        raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)


def _byte(value: bytes) -> int:
    if len(value) != 1:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return value[0]
