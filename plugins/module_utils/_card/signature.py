# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures over messages, as certificates and requests carry them."""

from __future__ import annotations

import hashlib

from .._encoding.rsa_padding import digest_info, pad_pkcs1
from .card import Card


def sign_message(card: Card, slot: int, message: bytes) -> bytes:
    """Returns an ECDSA or a PKCS#1 v1.5 signature, as X.509 carries it.

    :raises NoSuchKey, NotVerified: as :meth:`Card.sign`
    """
    algorithm = card.keys()[slot].algorithm
    digest = hashlib.new(algorithm.hash.name, message).digest()
    if not algorithm.is_rsa:
        return card.sign(slot, digest)
    return card.rsa_private(slot, pad_pkcs1(digest_info(algorithm.hash.name, digest), algorithm.size))
