# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paddings of RSA: RFC 8017.

Whoever sees what comes off has given the PIN and may ask for bare blocks too, so errors tell an attacker nothing new.
"""

from __future__ import annotations

import hashlib
import hmac
import os

_SHORTEST_FILLING = 8
PKCS1_OVERHEAD = 3 + _SHORTEST_FILLING
"""Bytes of a PKCS#1 v1.5 block that are not content."""
_DIGEST_INFO = {
    "sha1": "3021300906052b0e03021a05000414",
    "sha224": "302d300d06096086480165030402040500041c",
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}
"""DigestInfo up to the digest: clause 9.2, note 1. By hashlib's names."""


class PaddingError(ValueError):
    """A block has not the padding that it should have, or there is no room for it."""


def digest_info(name: str, digest: bytes) -> bytes:
    """Returns what a PKCS#1 v1.5 signature is made over."""
    return bytes.fromhex(_DIGEST_INFO[name]) + digest


def pad_pkcs1(content: bytes, size: int) -> bytes:
    """Returns a block of EMSA-PKCS1-v1_5, clause 9.2.

    :param content: what :func:`digest_info` returns, as a rule
    :param size: bytes of the modulus
    :raises PaddingError: if the content is too long
    """
    if len(content) > size - PKCS1_OVERHEAD:
        raise PaddingError("no room for a PKCS#1 padding")
    return b"\x00\x01" + b"\xff" * (size - len(content) - 3) + b"\x00" + content


def unpad_pkcs1(block: bytes) -> bytes:
    """Returns the message in a block of RSAES-PKCS1-v1_5, clause 7.2.2.

    :raises PaddingError: if there is none
    """
    end = block.find(b"\0", 2)
    if block[:2] != b"\x00\x02" or end < 2 + _SHORTEST_FILLING:
        raise PaddingError("no PKCS#1 padding")
    return block[end + 1 :]


def unpad_oaep(block: bytes, name: str = "sha1", mask: str = "sha1", label: bytes = b"") -> bytes:
    """Returns the message in a block of RSAES-OAEP, clause 7.1.2.

    :param name: of the hash, as hashlib has it
    :param mask: that of the mask generation
    :raises PaddingError: if there is none
    """
    size = hashlib.new(name).digest_size
    masked_seed, masked_data = block[1 : 1 + size], block[1 + size :]
    seed = _xor(masked_seed, _mask(mask, masked_data, size))
    data = _xor(masked_data, _mask(mask, seed, len(masked_data)))
    found, rest = data[:size], data[size:].lstrip(b"\0")
    if block[:1] != b"\0" or not hmac.compare_digest(found, hashlib.new(name, label).digest()) or rest[:1] != b"\x01":
        raise PaddingError("no OAEP padding")
    return rest[1:]


def pad_pss(digest: bytes, size: int, name: str, mask: str, salt_size: int) -> bytes:
    """Returns a block of EMSA-PSS, clause 9.1.1.

    :param size: bytes of the modulus, all of whose bits count
    :param name: of the hash that made the digest
    :param salt_size: bytes
    :raises PaddingError: if the digest is of another hash, or digest and salt are too long
    """
    room = size - len(digest) - 2 - salt_size
    if len(digest) != hashlib.new(name).digest_size or room < 0:
        raise PaddingError("no room for a PSS padding")
    salt = os.urandom(salt_size)
    seed = hashlib.new(name, bytes(8) + digest + salt).digest()
    content = bytes(room) + b"\x01" + salt
    masked = bytearray(_xor(content, _mask(mask, seed, len(content))))
    masked[0] &= 0x7F
    return bytes(masked) + seed + b"\xbc"


def _mask(name: str, seed: bytes, size: int) -> bytes:
    """MGF1, appendix B.2.1."""
    count = -(-size // hashlib.new(name).digest_size)
    return b"".join(hashlib.new(name, seed + at.to_bytes(4, "big")).digest() for at in range(count))[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right))
