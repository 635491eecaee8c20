# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an authenticator remembers from one command to the next: tokens, key pairs, and what was begun."""

from __future__ import annotations

import logging
import time
import typing as t

from ..._card.passkey import PasskeyPresence
from ..card import PasskeyCard
from .pin_protocol import PinProtocols
from .pin_token import Clock, PinToken
from .presence import PresenceNeeded, PresencePurpose, PresenceQuestion
from .reference import CtapStatus, Permission
from .refused import CtapRefused

_log = logging.getLogger("hardbound")
_PATIENCE = 30.0
"""Seconds between a command and the next one of a series: clauses 6.3 and 6.8."""

CtapAnswer = t.Optional[t.Dict[int, t.Any]]


class Series(t.NamedTuple):
    """Answers of which a client takes one after the other.

    :param due: when nobody waits for them any more
    """

    command: object
    channel: int
    answers: t.List[t.Callable[[], CtapAnswer]]
    due: float


class CtapState:
    """:param now: seconds of a clock that nobody sets"""

    def __init__(self, card: PasskeyCard, now: Clock = time.monotonic) -> None:
        self.card = card
        self.protocols = PinProtocols()
        self.token = PinToken(now)
        self.channel = 0
        """The program that asks."""
        self.present = False
        """Whether somebody has said for this request to be there."""
        self.wrong_in_a_row = 0
        """Wrong PINs since the device was plugged in, or the last right one."""
        self.blobs: t.Optional[bytearray] = None
        """Large blobs that are being written."""
        self.blobs_size = 0
        self._now = now
        self._series: t.Optional[Series] = None

    def begin(self, command: object, answers: t.Sequence[t.Callable[[], CtapAnswer]]) -> CtapAnswer:
        """Returns the first answer, and keeps the others for :meth:`next`."""
        self._series = Series(command, self.channel, list(answers), self._now() + _PATIENCE)
        return self.next(command)

    def next(self, command: object) -> CtapAnswer:
        """:raises CtapRefused: if there is nothing to go on with, or another program had begun it"""
        series, self._series = self._series, None
        if series is None or (series.command, series.channel) != (command, self.channel) or self._now() >= series.due:
            raise CtapRefused(CtapStatus.NOT_ALLOWED)
        first, *rest = series.answers
        if rest:
            self._series = series._replace(answers=rest, due=self._now() + _PATIENCE)
        return first()

    def end_series(self) -> None:
        self._series = None

    def check_token(
        self,
        mac: bytes,
        protocol: t.Optional[int],
        message: bytes,
        permission: Permission,
        rp: t.Optional[str] = None,
    ) -> None:
        """Checks pinUvAuthParam.

        :raises CtapRefused: unless a token that is good for it has made it
        """
        self.token.check(self.protocols.of(protocol), message, mac, permission, rp)
        if not self.card.verified:
            # Its PIN was changed elsewhere, or the TPM's own ticket is over.
            self.token.end()
            raise CtapRefused(CtapStatus.PIN_AUTH_INVALID)

    def require_presence(self, purpose: PresencePurpose, rp: str = "") -> None:
        """Called before anything is changed, since the request is given anew after the answer.

        :raises PresenceNeeded: if the card wants its owner to be asked, who was not asked yet
        """
        if self.card.presence is PasskeyPresence.ASK and not self.present:
            raise PresenceNeeded(PresenceQuestion(self.card.owner, self.card.name, purpose, rp))

    def answer_whether_present(self, param: bytes) -> None:
        """An empty pinUvAuthParam asks whether somebody is there: clauses 6.1.2 and 6.2.2, step 1.

        :raises CtapRefused: as an answer to that
        """
        if not param:
            self.require_presence(PresencePurpose.CHOOSE)
            raise CtapRefused(CtapStatus.PIN_INVALID)

    def tidy(self) -> None:
        """Closes the card when nobody may use it any more."""
        series = self._series
        if series is not None and self._now() >= series.due:
            self._series = None
        if not self.token.is_good and self._series is None and self.card.verified:
            self.card.logout()

    def log(self, sentence: str) -> None:
        """For whoever looks after the host: CTAP has numbers for errors, and no words."""
        _log.info("card %04d: %s", self.card.number, sentence)
