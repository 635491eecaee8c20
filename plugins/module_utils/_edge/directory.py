# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cards a program may use: those of its user and of its user's groups."""

from __future__ import annotations

import typing as t

from .._card.errors import CardGone
from .._card.face import Face
from .._card.host import CardHost
from .._card.record import Record, State
from .card import Card
from .peer import ROOT, Names, Peer


class Directory:
    """The cards of a host that have a face.

    :param root_uses: whether root uses everybody's cards. Those that belong to nobody are root's in any case
    :param faces: cards that have one of these
    """

    def __init__(self, host: CardHost, root_uses: bool, faces: t.Collection[Face]) -> None:
        self._host = host
        self._root_uses = root_uses
        self._faces = frozenset(faces)
        self._names = Names()
        self._known: t.Dict[int, t.Tuple[object, t.Optional[Record]]] = {}

    def usable(self, peer: Peer) -> t.List[int]:
        """Returns the numbers of the cards that a user may use."""
        return [number for number in sorted(self._host.numbers()) if self.may_use(number, peer)]

    def may_use(self, number: int, peer: Peer) -> bool:
        """Whether a user may use a card, by what its file says now."""
        record = self._record(number)
        if record is None or not record.presented or self._faces.isdisjoint(record.faces):
            return False
        if not record.owner and not record.group:
            return peer.uid == ROOT
        if peer.uid == ROOT and self._root_uses:
            return True
        return peer.uid == self._names.uid(record.owner) or self._names.gid(record.group) in peer.gids

    def _record(self, number: int) -> t.Optional[Record]:
        """Returns a card's record, read again when its file has changed."""
        stamp = self._host.stamp(number)
        if stamp is None:
            self._known.pop(number, None)
            return None
        if number not in self._known or self._known[number][0] != stamp:
            self._known[number] = (stamp, self._read(number))
        return self._known[number][1]

    def _read(self, number: int) -> t.Optional[Record]:
        try:
            record = self._host.record(number)
        except CardGone:
            return None
        return record if record.state is State.READY else None

    def open(self, number: int) -> Card:
        """:raises CardGone: if there is no such card"""
        return self._host.open(number)


class UserCards:
    """The cards of one user."""

    def __init__(self, directory: Directory, peer: Peer) -> None:
        self._directory = directory
        self._peer = peer

    def usable(self) -> t.Sequence[int]:
        return self._directory.usable(self._peer)

    def may_use(self, number: int) -> bool:
        return self._directory.may_use(number, self._peer)

    def open(self, number: int) -> Card:
        """:raises CardGone: if there is no such card"""
        return self._directory.open(number)
