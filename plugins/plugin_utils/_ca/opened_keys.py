# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys that were opened in this run, for who has file and passphrase, too, so that one host costs the scrypt.

Ansible forks a process for each task of each host, all from one that has imported this, and so they share a page of
memory. What lies there opens with the passphrase and the file of the key. Who reads the page and the file could guess
at passphrases without scrypt, and reads passphrases already, for they lie in the memory of the same processes.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import typing as t

from ...module_utils._cryptography import AESGCM, InvalidTag

_KEY_SIZE = 32
_NONCE_SIZE = 12
_TAG_SIZE = 16
_LENGTH_SIZE = 2
_PLACE_SIZE = 4096
"""More than an RSA key of 4096 bits takes. A longer one is opened for each host."""
_PLACES = 16
"""More than the CAs of a run. Two keys that share a place cost a scrypt, and no more."""
_LONGEST = _PLACE_SIZE - _LENGTH_SIZE - _NONCE_SIZE - _TAG_SIZE


class OpenedKeys:
    """What a process leaves here, its siblings find. Nothing is written anywhere, and it ends with the last of them."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, _KEY_SIZE + _PLACES * _PLACE_SIZE)  # anonymous, and shared with what is forked
        self._page[:_KEY_SIZE] = os.urandom(_KEY_SIZE)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._page.madvise(mmap.MADV_DONTDUMP)

    def keep(self, file: bytes, passphrase: str, key: bytes) -> None:
        """Keeps what a passphrase has opened.

        :param file: the key as it lies on the disk
        :param key: the same, opened
        """
        if len(key) > _LONGEST:
            return
        nonce = os.urandom(_NONCE_SIZE)
        closed = nonce + self._cipher(file, passphrase).encrypt(nonce, key, None)
        place = _place(file)
        self._page[place : place + _LENGTH_SIZE + len(closed)] = len(closed).to_bytes(_LENGTH_SIZE, "big") + closed

    def find(self, file: bytes, passphrase: str) -> t.Optional[bytes]:
        """Returns what this passphrase has opened, or None: for another one, and where somebody is just writing."""
        begin = _place(file) + _LENGTH_SIZE
        size = int.from_bytes(self._page[begin - _LENGTH_SIZE : begin], "big")
        nonce, closed = self._page[begin : begin + _NONCE_SIZE], self._page[begin + _NONCE_SIZE : begin + size]
        try:
            return self._cipher(file, passphrase).decrypt(nonce, closed, None)
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, file: bytes, passphrase: str) -> AESGCM:
        told = hashlib.sha256(file).digest() + passphrase.encode("utf-8")
        return AESGCM(hmac.digest(self._page[:_KEY_SIZE], told, "sha256"))


def _place(file: bytes) -> int:
    return _KEY_SIZE + hashlib.sha256(file).digest()[0] % _PLACES * _PLACE_SIZE
