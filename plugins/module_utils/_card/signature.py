# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures over messages, as certificates and requests carry them."""

from __future__ import annotations

import hashlib

from .._encoding.rsa_padding import digest_info
from .card import Card

LEAST_PADDING = 11
"""Bytes of a PKCS#1 v1.5 block that are not content: RFC 8017, clause 9.2."""


def sign_message(card: Card, slot: int, message: bytes) -> bytes:
    """Returns an ECDSA or a PKCS#1 v1.5 signature, as X.509 carries it.

    :raises NoSuchKey, NotVerified: as :meth:`Card.sign`
    """
    algorithm = card.keys()[slot].algorithm
    digest = hashlib.new(algorithm.hash.name, message).digest()
    if not algorithm.is_rsa:
        return card.sign(slot, digest)
    return card.rsa_private(slot, signature_block(digest_info(algorithm.hash.name, digest), algorithm.size))


def signature_block(content: bytes, size: int) -> bytes:
    """Returns a block padded for a PKCS#1 v1.5 signature: RFC 8017, clause 9.2.

    :param content: at most ``size - LEAST_PADDING`` bytes
    :param size: bytes of the modulus
    """
    return b"\x00\x01" + b"\xff" * (size - len(content) - 3) + b"\x00" + content
