# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Salts of sessions, and one that is made ahead: a key exchange that nobody waits for then."""

from __future__ import annotations

import typing as t

from .storage_root import FoundKey


class Salt(t.NamedTuple):
    """TPM 2.0 part 1, annex C.6.1.

    :param encrypted: the contents of the TPM2B_ENCRYPTED_SECRET that holds it
    """

    secret: bytes
    encrypted: bytes


class Salts:
    """Gives each session a salt of its own."""

    def __init__(self) -> None:
        self._root: t.Optional[FoundKey] = None
        self._ahead: t.Optional[Salt] = None

    def take(self, root: FoundKey) -> Salt:
        """:param root: a storage key of the TPM, which alone reads the salt"""
        ahead, self._ahead = self._ahead, None
        if ahead is None or self._root is None or self._root.name != root.name:
            ahead = _salt(root)
        self._root = root
        return ahead

    def prepare(self) -> None:
        """Makes one for the key that the last was for."""
        if self._root is not None and self._ahead is None:
            self._ahead = _salt(self._root)


def _salt(root: FoundKey) -> Salt:
    from .._encoding.credential import SECRET, share_seed

    return Salt(*share_seed(root.key, SECRET))
