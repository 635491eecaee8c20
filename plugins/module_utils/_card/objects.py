# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data objects of a card in use, open and protected. What each method promises, :class:`~.card.Card` says."""

from __future__ import annotations

import typing as t

from .derivation import box, unbox
from .session import CardSession


class Objects:
    def __init__(self, session: CardSession) -> None:
        self._session = session

    def read(self, tag: int) -> t.Optional[bytes]:
        return self._session.record.objects.get(tag)

    def write(self, tag: int, value: t.Optional[bytes]) -> None:
        self._session.revise(lambda record: record.with_object(tag, value))

    def read_protected(self, tag: int) -> t.Optional[bytes]:
        opened = self._session.require_either()
        boxed = self.read(tag)
        return None if boxed is None else unbox(opened.contents().parent_auth, self._label(tag), boxed)

    def write_protected(self, tag: int, value: t.Optional[bytes]) -> None:
        auth = self._session.require_either().contents().parent_auth
        self.write(tag, None if value is None else box(auth, self._label(tag), value))

    def _label(self, tag: int) -> bytes:
        return self._session.known.serial + tag.to_bytes(4, "big")
