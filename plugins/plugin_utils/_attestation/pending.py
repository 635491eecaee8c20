# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second visit, seen from the controller: a challenge that is answered once. Check 8 of docs/attestation.md."""

from __future__ import annotations

import hmac
import os
from datetime import datetime

from ...module_utils._encoding.challenge import SECRET_SIZE, Challenge, answer, seal
from ...module_utils._encoding.credential import make_credential
from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import Fields, encoded
from ...module_utils._encoding.public import Public
from .._ledger import clock
from .._ledger.record import CHALLENGE_LIFETIME
from .finding import Code, Report


class PendingChallenge:
    """A challenge that is out. It holds the secret, so it has no representation and is never written down.

    :param ek: the verified EK
    :param ak: the verified AK, whose Name is computed here and not taken from the host
    :param payload: what the host gets once its TPM opens the challenge: certificates
    :raises WireError: if the EK's numbers are no key
    """

    def __init__(self, ek: Public, ak: Public, host: str, card: str, payload: bytes, now: datetime) -> None:
        self._secret = os.urandom(SECRET_SIZE)
        self._host = host
        self._end = now + CHALLENGE_LIFETIME
        self._spent = False
        self._given = b""
        credential = make_credential(ek, ak.name, self._secret)
        self.challenge = Challenge(card, credential, seal(self._secret, card, payload))

    def __repr__(self) -> str:
        return f"PendingChallenge({self._host!r}, {self.challenge.card!r})"

    def accept(self, host: str, card: str, given: bytes, now: datetime, report: Report) -> bool:
        """Tells whether the answer is right, in time, and from where the challenge went. Any answer spends it."""
        spent, self._spent = self._spent, True
        if not report.demand(not spent, Code.CHALLENGE_SPENT, f"the challenge of {self._host} was answered before"):
            return False
        expected = answer(self._secret, self.challenge.card, self.challenge.sealed)
        right = hmac.compare_digest(given, expected)
        same = (host, card) == (self._host, self.challenge.card)
        clause = f"the challenge of {self._host} was answered by {host} for the card {card}"
        report.demand(same, Code.CHALLENGE_OTHER_REQUESTER, clause)
        in_time = report.demand(now <= self._end, Code.CHALLENGE_EXPIRED, f"the challenge of {self._host} has expired")
        clause = f"the answer of {host} does not show that its TPM opened the challenge"
        report.demand(right, Code.CHALLENGE_ANSWER, clause)
        if right and same and in_time:
            self._given = given
        return bool(self._given)

    def proof(self, now: datetime) -> Document:
        """Returns what a bundle keeps of a challenge that was answered rightly. Its secret opens nothing any more.

        :raises ValueError: before that
        """
        if not self._given:
            raise ValueError("the challenge was not answered")
        return {
            "challenge": self.challenge.document(),
            "secret": encoded(self._secret),
            "answer": encoded(self._given),
            "at": clock.text(now),
        }


def read_proof(fields: Fields) -> str:
    """Returns the card of an answer that a bundle holds.

    :raises WireError: if it is malformed, or the answer is not right
    """
    challenge = Challenge.parse(fields.value("challenge"))
    secret, given = fields.octets("secret", SECRET_SIZE), fields.octets("answer", SECRET_SIZE)
    clock.read(fields.text("at", 20))
    fields.end()
    if not hmac.compare_digest(given, answer(secret, challenge.card, challenge.sealed)):
        raise fields.fault("answer", "is not the answer to the challenge")
    return challenge.card
