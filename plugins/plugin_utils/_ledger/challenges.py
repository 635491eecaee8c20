# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Challenges that are out: each may be answered once, by whom it was made for, in time."""

from __future__ import annotations

import os
import typing as t
from datetime import timedelta

from . import schema
from .database import Connection
from .journal import Journal
from .packages import sa
from .record import CHALLENGE_LIFETIME, CertificatePlace, ChallengeState, Row
from .refusal import Refusal, RefusalCode

_KEEP_SECONDS = 86400
"""How long an expired challenge is kept, so that a late answer is told from an unknown one."""


class Challenges(Journal):
    """What the ledger knows of challenges; the secrets stay with whoever made them."""

    def open_challenge(self, host: str, card: str, lifetime: timedelta = CHALLENGE_LIFETIME) -> str:
        """Returns the number of a challenge for this host and card, in hex."""
        number = os.urandom(16).hex()

        def work(connection: Connection) -> None:
            table = schema.challenges
            connection.execute(sa.delete(table).where(table.c.expires_at < self._stamp() - _KEEP_SECONDS))
            expiry = self._stamp() + int(lifetime.total_seconds())
            values = {"id": number, "host": host, "card": card, "state": ChallengeState.OPEN.value}
            connection.execute(sa.insert(table).values(**values, expires_at=expiry))

        self.writing(work)
        return number

    def spend_challenge(self, number: str, host: str, card: str) -> None:
        """Takes a challenge out of use. Call it before the answer is looked at: so a wrong answer burns the
        challenge, and so does an answer from elsewhere.

        :raises Refusal: ``CHALLENGE_UNKNOWN``, ``_SPENT``, ``_EXPIRED`` or ``_OTHER_REQUESTER``
        """

        def work(connection: Connection) -> t.Tuple[bool, t.Optional[Row]]:
            table = schema.challenges
            taken = sa.update(table).where(table.c.id == number, table.c.state == ChallengeState.OPEN.value)
            won = connection.execute(taken.values(state=ChallengeState.SPENT.value)).rowcount == 1
            row = connection.execute(sa.select(table).where(table.c.id == number)).mappings().first()
            return won, t.cast(t.Optional[Row], row)

        def judge() -> None:
            won, row = self.writing(work)
            _judge(won, row, host, card, self._stamp())

        self._or_note(CertificatePlace(host, card), judge)


def _judge(won: bool, row: t.Optional[Row], host: str, card: str, at: int) -> None:
    if row is None:
        raise Refusal(RefusalCode.CHALLENGE_UNKNOWN, "the challenge was never made here: begin the enrolment anew")
    if not won:
        raise Refusal(RefusalCode.CHALLENGE_SPENT, "the challenge was answered before: begin the enrolment anew")
    if (row["host"], row["card"]) != (host, card):
        raise Refusal(RefusalCode.CHALLENGE_OTHER_REQUESTER, f"the challenge was made for {row['host']} {row['card']}")
    if row["expires_at"] <= at:
        raise Refusal(RefusalCode.CHALLENGE_EXPIRED, "the challenge has expired: begin the enrolment anew")
