# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GIDS card takes off a decrypted block: RFC 8017.

Whoever sees the answers has given the PIN and may ask for bare blocks too, so they tell an attacker nothing new.
"""

from __future__ import annotations

import hashlib
import hmac

from ..._encoding.apdu import ApduError, StatusWord

_SHORTEST_FILLING = 8
_HASH = "sha1"  # the only one that the algorithm reference stands for
_HASH_SIZE = 20


def unpad_pkcs1(block: bytes) -> bytes:
    """Returns the message in a block of RSAES-PKCS1-v1_5, clause 7.2.2.

    :raises ApduError: 6A80 if there is none
    """
    end = block.find(b"\0", 2)
    if block[:2] != b"\x00\x02" or end < 2 + _SHORTEST_FILLING:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return block[end + 1 :]


def unpad_oaep(block: bytes) -> bytes:
    """Returns the message in a block of RSAES-OAEP with SHA-1 and no label, clause 7.1.2.

    :raises ApduError: 6A80 if there is none
    """
    masked_seed, masked_data = block[1 : 1 + _HASH_SIZE], block[1 + _HASH_SIZE :]
    seed = _xor(masked_seed, _mask(masked_data, _HASH_SIZE))
    data = _xor(masked_data, _mask(seed, len(masked_data)))
    label, rest = data[:_HASH_SIZE], data[_HASH_SIZE:].lstrip(b"\0")
    if block[0] or not hmac.compare_digest(label, hashlib.new(_HASH).digest()) or rest[:1] != b"\x01":
        raise ApduError(StatusWord.INCORRECT_DATA)
    return rest[1:]


def _mask(seed: bytes, size: int) -> bytes:
    """MGF1, appendix B.2.1."""
    count = -(-size // _HASH_SIZE)
    return b"".join(hashlib.new(_HASH, seed + at.to_bytes(4, "big")).digest() for at in range(count))[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right))
