# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication with the admin key, and its change.

In mutual authentication the program sends R1, the card R2. The program answers with R2, R1 and Z1, encrypted with
3DES in CBC mode from a zero vector; the card with R1, R2 and Z2. The first block of the answer is the encryption of
R2's first block alone. That block is the card's challenge, D(X), so the answer begins with X, which the TPM checks.
Only with X does the card get the admin key, and checks the rest.
"""

from __future__ import annotations

import hmac
import os
import typing as t

from ..._card.admin_key import AdminKey, Cipher
from ..._card.errors import UNCOUNTED, WrongSecret
from ..._card.secret import Reference
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from ..authentication import Authentication, authenticate
from ..card import Card
from .reference import ADMIN_KEY_REFERENCE

_RANDOM_SIZE = 16  # bytes of R1 and R2
_SHARE_SIZE = 8  # bytes of Z1 and Z2, which make session keys that nothing here uses
_BLOCK_SIZE = 8
_PADDED = b"\x80"
_REFERENCE = 0x84
_KEY_TEMPLATE = 0xA5
_KEY = 0x87


class AdminAuthentication:
    """The two commands by which one program authenticates."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._asked: t.Optional[t.Tuple[bytes, bytes]] = None

    def reset(self) -> None:
        """Forgets what was asked."""
        self._asked = None

    def transmit(self, data: bytes) -> bytes:
        """Answers one of the commands.

        :param data: the dynamic authentication template
        :raises ApduError: 6A88 if the card has no admin key, 6A81 if it has one that is not 3DES, 6982 for a wrong
            answer, 6985 for an answer to nothing, 6A80 for any other template
        """
        if not self._card.has(Reference.ADMIN):
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        if self._card.challenge.cipher is not Cipher.TRIPLE_DES:
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        template = parse_distinct(parse_one(data, Authentication.TEMPLATE))
        asked, self._asked = self._asked, None
        if set(template) == {Authentication.CHALLENGE}:
            return self._ask(template[Authentication.CHALLENGE])
        if set(template) != {Authentication.RESPONSE}:
            raise ApduError(StatusWord.INCORRECT_DATA)
        if asked is None:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return self._check(template[Authentication.RESPONSE], *asked)

    def _ask(self, theirs: bytes) -> bytes:
        """:param theirs: R1, or nothing for single authentication"""
        if len(theirs) not in (0, _RANDOM_SIZE):
            raise ApduError(StatusWord.INCORRECT_DATA)
        ours = self._card.challenge.decrypted
        if theirs:
            ours += os.urandom(_RANDOM_SIZE - len(ours))
        self._asked = theirs, ours
        return encode(Authentication.TEMPLATE, encode(Authentication.CHALLENGE, ours))

    def _check(self, answer: bytes, theirs: bytes, ours: bytes) -> bytes:
        if not theirs:
            return authenticate(self._card, answer)
        if len(answer) != 2 * _RANDOM_SIZE + _SHARE_SIZE:
            raise ApduError(StatusWord.INCORRECT_DATA)

        def prove(key: AdminKey) -> bytes:
            if not hmac.compare_digest(key.decrypt_chain(answer)[: 2 * _RANDOM_SIZE], ours + theirs):
                raise WrongSecret(Reference.ADMIN, UNCOUNTED)
            return key.encrypt_chain(theirs + ours + os.urandom(_SHARE_SIZE - 1) + _PADDED)

        proof = authenticate(self._card, answer[:_BLOCK_SIZE], prove)
        return encode(Authentication.TEMPLATE, encode(Authentication.RESPONSE, proof))


def is_admin_key(template: t.Mapping[int, bytes]) -> bool:
    """Whether a key template is for the admin key."""
    return template.get(_REFERENCE) == bytes((ADMIN_KEY_REFERENCE,))


def put(card: Card, template: t.Mapping[int, bytes]) -> None:
    """Sets the admin key.

    A card without a file system is being set up by a program that has not authenticated, and means to set the first
    key. This card has one already: the program has to name that.

    :param template: of the key. Its check value is not looked at: OpenSC sends the same for every key
    :raises ApduError: 6982 without an administrator, 6A80 for what is no 3DES key
    :raises NotOffered: if the card has no admin key
    """
    value = parse_distinct(template.get(_KEY_TEMPLATE, b"")).get(_KEY, b"")
    if len(value) != Cipher.TRIPLE_DES.key_size:
        raise ApduError(StatusWord.INCORRECT_DATA)
    key = AdminKey(Cipher.TRIPLE_DES, value)
    if card.administered:
        card.change_admin_key(key)
    elif card.generated:
        raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)
    else:
        _administer(card, key)


def _administer(card: Card, key: AdminKey) -> None:
    try:
        card.administer(key)
    except WrongSecret:
        raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED) from None
