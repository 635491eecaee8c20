# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GENERAL AUTHENTICATE with the admin key, and its change.

SP 800-73-4 part 2, clause 3.2.4 and appendix A.1: single authentication answers the card's challenge; in mutual
authentication the client decrypts the card's witness, and the card encrypts the client's challenge.
"""

from __future__ import annotations

import typing as t

from ..._card.admin_key import AdminKey
from ..._card.secret import Reference
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from ..authentication import Authentication, authenticate, check_block
from ..card import Card
from .reference import CIPHERS, KeyReference

_NO_TOUCH = 0xFF  # P2 of SET MANAGEMENT KEY, of Yubico's PIV extensions
_TOUCH = 0xFE


class AdminAuthentication:
    """The two commands by which one client authenticates."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._asked: t.Optional[Authentication] = None

    def reset(self) -> None:
        """Forgets what was asked."""
        self._asked = None

    def transmit(self, algorithm: int, data: bytes) -> bytes:
        """Answers one of the commands.

        :param data: the dynamic authentication template
        :raises ApduError: 6A88 if the card has no admin key, 6A86 if it has one of another cipher, 6982 for a wrong
            answer, 6985 for an answer to nothing, 6A80 for any other template
        """
        if not self._card.has(Reference.ADMIN):
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        if CIPHERS.get(algorithm) is not self._card.challenge.cipher:
            raise ApduError(StatusWord.INCORRECT_P1_P2)
        template = parse_distinct(parse_one(data, Authentication.TEMPLATE))
        asked, self._asked = self._asked, None
        if list(template.values()) == [b""]:
            return self._ask(*template)
        if asked is Authentication.WITNESS:
            return self._mutual(template)
        if asked is Authentication.CHALLENGE:
            return self._single(template)
        raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)

    def _ask(self, tag: int) -> bytes:
        challenge = self._card.challenge
        asked = {
            int(Authentication.WITNESS): challenge.encrypted,
            int(Authentication.CHALLENGE): challenge.decrypted,
        }
        if tag not in asked:
            raise ApduError(StatusWord.INCORRECT_DATA)
        self._asked = Authentication(tag)
        return encode(Authentication.TEMPLATE, encode(tag, asked[tag]))

    def _single(self, template: t.Mapping[int, bytes]) -> bytes:
        if set(template) != {Authentication.RESPONSE}:
            raise ApduError(StatusWord.INCORRECT_DATA)
        authenticate(self._card, template[Authentication.RESPONSE])
        return b""

    def _mutual(self, template: t.Dict[int, bytes]) -> bytes:
        if template.pop(Authentication.RESPONSE, b"") or set(template) != {
            Authentication.WITNESS,
            Authentication.CHALLENGE,
        }:
            raise ApduError(StatusWord.INCORRECT_DATA)
        challenge = template[Authentication.CHALLENGE]
        check_block(self._card, challenge)
        proof = authenticate(self._card, template[Authentication.WITNESS], lambda key: key.encrypt(challenge))
        return encode(Authentication.TEMPLATE, encode(Authentication.RESPONSE, proof))


def change(card: Card, p1: int, p2: int, data: bytes) -> None:
    """SET MANAGEMENT KEY of Yubico's PIV extensions.

    :param data: the cipher, and the key as a data object 9B
    :raises ApduError: 6A80 for a key that is none of its cipher, 6A81 if it shall ask for a touch
    :raises TlvError: if there is no such object
    """
    if p1 != _NO_TOUCH or p2 not in (_NO_TOUCH, _TOUCH):
        raise ApduError(StatusWord.INCORRECT_P1_P2)
    if p2 == _TOUCH:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    cipher, value = CIPHERS.get(data[0]) if data else None, parse_one(data[1:], KeyReference.ADMIN_KEY)
    if cipher is None or len(value) != cipher.key_size:
        raise ApduError(StatusWord.INCORRECT_DATA)
    card.change_admin_key(AdminKey(cipher, value))
