# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which passphrases have opened which keys in this run, so that a host for which nothing is signed costs no scrypt.

Ansible forks a process for each task of each host, all from one that has imported this, and so they share a page of
memory. It holds no key of a CA and no passphrase: a MAC for each, under a key of this run. Who reads the page could
guess at passphrases without scrypt, and reads passphrases already, for they lie in the memory of the same processes.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os

_KEY_SIZE = 32
_MAC_SIZE = 32
_PLACES = 16
"""More than the CAs of a run. Two keys that share a place cost a scrypt, and no more."""


class KnownPassphrases:
    """What a process learns here, its siblings know. Nothing is written anywhere, and it ends with the last of them."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, _KEY_SIZE + _PLACES * _MAC_SIZE)  # anonymous, and shared with what is forked
        self._page[:_KEY_SIZE] = os.urandom(_KEY_SIZE)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._page.madvise(mmap.MADV_DONTDUMP)

    def add(self, key: bytes, passphrase: str) -> None:
        """Notes that a passphrase has opened a key.

        :param key: the file, and what was compared with the key that was in it
        """
        self._page[self._place(key)] = self._mac(key, passphrase)

    def has(self, key: bytes, passphrase: str) -> bool:
        """Whether that was noted. A place that is being written says no."""
        return hmac.compare_digest(self._page[self._place(key)], self._mac(key, passphrase))

    def _place(self, key: bytes) -> slice:
        start = _KEY_SIZE + hashlib.sha256(key).digest()[0] % _PLACES * _MAC_SIZE
        return slice(start, start + _MAC_SIZE)

    def _mac(self, key: bytes, passphrase: str) -> bytes:
        told = hashlib.sha256(key).digest() + passphrase.encode("utf-8")
        return hmac.digest(self._page[:_KEY_SIZE], told, "sha256")
