# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GENERAL AUTHENTICATE: what its users have in common. ISO/IEC 7816-4, clause 11.6.5."""

from __future__ import annotations

import enum
import typing as t

from .._card.admin_key import AdminKey
from .._card.errors import WrongSecret
from .._encoding.apdu import ApduError, StatusWord
from .card import Card


class Authentication(enum.IntEnum):
    """Dynamic authentication template: SP 800-73-4 part 2, table 7."""

    TEMPLATE = 0x7C
    WITNESS = 0x80
    CHALLENGE = 0x81
    RESPONSE = 0x82
    EXPONENTIATION = 0x85


def authenticate(card: Card, answer: bytes, *prove: t.Callable[[AdminKey], bytes]) -> bytes:
    """Lets whoever has the admin key in.

    :param answer: to the card's challenge, one block of its cipher
    :param prove: makes the card's own proof
    :returns: the proof
    :raises ApduError: 6982 for a wrong answer, 6A80 for one of another size
    """
    check_block(card, answer)
    try:
        return card.authenticate(answer, *prove)
    except WrongSecret:
        raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED) from None


def check_block(card: Card, block: bytes) -> None:
    """:raises ApduError: 6A80 if it is no block of the admin key's cipher"""
    if len(block) != card.challenge.cipher.block_size:
        raise ApduError(StatusWord.INCORRECT_DATA)
