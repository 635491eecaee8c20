# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's halves of PUKs, each sealed for the recovery key, which this database does not know.

A half is written before a host hears of it, so that a run which is killed leaves no card whose half nobody has. What a
host then says that its card has is kept, and all others of that card are forgotten.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from . import schema
from .database import Connection
from .journal import Journal
from .packages import sa
from .record import CertificatePlace, EventKind


@dataclass(frozen=True)
class Half:
    """One half, as it lies here.

    :param identifier: 32 digits in hexadecimal, by which the host names the half that belongs to its own
    :param sealed: JSON Web Encryption (RFC 7516, compact)
    :param kept: whether a card was shown that has it
    """

    identifier: str
    sealed: str = field(repr=False)
    kept: bool = False


class Halves(Journal):
    """The halves, read and written."""

    def halves(self, host: str, card: str) -> t.List[Half]:
        """Returns those of a card, the oldest first."""
        table = schema.halves
        query = sa.select(table).where(*_of(host, card)).order_by(table.c.made_at, table.c.identifier)
        rows = self.reading(lambda connection: connection.execute(query).mappings().all())
        return [Half(row["identifier"], row["sealed"], row["kept_at"] is not None) for row in rows]

    def offer_half(self, host: str, card: str, half: Half) -> None:
        """Writes a half down that a host is about to hear of."""
        known = {"identifier": half.identifier, "host": host, "card": card, "sealed": half.sealed}
        row: t.Dict[str, t.Any] = {**known, "made_at": self._stamp(), "kept_at": None}
        self.writing(lambda connection: connection.execute(sa.insert(schema.halves).values(row)))

    def take_back_half(self, identifier: str) -> None:
        """Forgets a half that no card has. One that is kept stays."""
        table = schema.halves
        gone = sa.delete(table).where(table.c.identifier == identifier, table.c.kept_at.is_(None))
        self.writing(lambda connection: connection.execute(gone))

    def keep_half(self, host: str, card: str, identifier: str) -> bool:
        """Notes which half a card has, and forgets its others. Returns whether the ledger holds that half."""
        known = self.halves(host, card)
        if not any(half.identifier == identifier for half in known):
            return False
        if [half.kept for half in known] != [True]:
            self.writing(lambda connection: self._keep(connection, CertificatePlace(host, card), identifier))
        return True

    def recovered(self, host: str, card: str, identifier: str, reason: str) -> None:
        """Records that a card has a new PIN, and which half its new PUK is made of: that, and no other, is left."""
        place = CertificatePlace(host, card)

        def work(connection: Connection) -> None:
            self._keep(connection, place, identifier)
            self.note(connection, EventKind.PIN_RECOVERED, place, detail=reason)

        self.writing(work)

    def _keep(self, connection: Connection, place: CertificatePlace, identifier: str) -> None:
        table = schema.halves
        of_card = _of(place.host, place.card)
        connection.execute(sa.delete(table).where(*of_card, table.c.identifier != identifier))
        kept = sa.update(table).where(*of_card, table.c.identifier == identifier).values(kept_at=self._stamp())
        connection.execute(kept)
        self.note(connection, EventKind.RECOVERY_KEPT, place, detail=identifier)


def _of(host: str, card: str) -> t.Tuple[t.Any, ...]:
    return schema.halves.c.host == host, schema.halves.c.card == card
