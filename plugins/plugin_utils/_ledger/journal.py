# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions and the evidence that they were made upon, as they are written down and read again."""

from __future__ import annotations

import hashlib
import typing as t
import zlib

from ...module_utils._errors import InputError, StateError
from . import clock, schema, statement
from .clock import Clock
from .database import Connection, Database, T
from .packages import sa
from .record import CertificatePlace, Event, EventKind, Row
from .refusal import Refusal

LARGEST_EVIDENCE = 64 << 20
"""Bytes of a bundle: more is not what was written."""


class Journal(Database):
    """What all parts of the ledger share; see :class:`Database` for what can go wrong.

    :param now: the clock, for what is recorded and for what has expired
    """

    def __init__(self, url: str, now: Clock = clock.now, create: bool = False) -> None:
        self.now = now
        super().__init__(url, create)

    def record(
        self, kind: EventKind, place: CertificatePlace, code: str = "", serial: str = "", detail: str = ""
    ) -> None:
        """Records a decision of the caller, such as a refusal of the verifier."""
        self.writing(lambda connection: self.note(connection, kind, place, code, serial, detail))

    def note(
        self,
        connection: Connection,
        kind: EventKind,
        place: CertificatePlace,
        code: str = "",
        serial: str = "",
        detail: str = "",
    ) -> None:
        """Records a decision within the transaction that makes it."""
        event = Event(self._stamp(), kind, place.host, place.card, code, serial, detail)
        connection.execute(statement.INSERT_EVENT, event.row())

    def events(self, host: str = "", since: int = 0) -> t.List[Event]:
        """Returns every decision, of one host if it is named, oldest first."""
        table = schema.events
        query = sa.select(table).where(table.c.at >= since).order_by(table.c.id)
        query = query.where(table.c.host == host) if host else query
        rows = self.reading(lambda connection: connection.execute(query).mappings().all())
        return [Event.of(t.cast(Row, row)) for row in rows]

    def evidence(self, digest: str) -> bytes:
        """Returns a kept bundle.

        :raises InputError: the ledger does not hold it
        :raises StateError: it is not what was written
        """
        query = sa.select(schema.evidence.c.body).where(schema.evidence.c.digest == digest)
        body = self.reading(lambda connection: connection.execute(query).scalar())
        if body is None:
            raise InputError("evidence", f"is {digest!r}, which the ledger does not hold", "take it from the audit")
        bundle = _inflated(body)
        if hashlib.sha256(bundle).hexdigest() != digest:
            raise StateError(
                f"the evidence {digest} was changed in the ledger", "restore the ledger from a backup, and find out who"
            )
        return bundle

    def _keep_evidence(self, connection: Connection, host: str, bundle: bytes) -> str:
        digest = hashlib.sha256(bundle).hexdigest()
        if not connection.execute(statement.HAS_EVIDENCE, {"digest": digest}).first():
            row = {"digest": digest, "host": host, "at": self._stamp()}
            connection.execute(statement.INSERT_EVIDENCE, {**row, "body": zlib.compress(bundle)})
        return digest

    def _or_note(self, place: CertificatePlace, work: t.Callable[[], T]) -> T:
        """Runs work; a refusal is recorded, in a transaction of its own, and goes on."""
        try:
            return work()
        except Refusal as refusal:
            self.record(EventKind.REFUSED, place, refusal.code.name, detail=str(refusal))
            raise

    def _stamp(self) -> int:
        return clock.stamp(self.now())


def _inflated(body: bytes) -> bytes:
    """Whatever was put there, it takes no more room than a bundle."""
    try:
        return zlib.decompressobj().decompress(body, LARGEST_EVIDENCE)
    except zlib.error:
        return b""
