# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter of CTAP's commands. It answers any bytes, once somebody is there where that is asked."""

from __future__ import annotations

import time
import typing as t

from ..._card.errors import NotOffered
from ..card import PasskeyCard
from . import cbor
from .client_pin import client_pin
from .config import config
from .credential_management import credential_management
from .get_assertion import get_assertion, get_next_assertion
from .info import get_info
from .large_blobs import large_blobs
from .make_credential import make_credential
from .parameters import CtapParameters
from .pin_token import Clock
from .presence import PresenceNeeded, PresencePurpose
from .reference import CtapCommand, CtapStatus
from .refused import CtapRefused, ctap_status_of
from .state import CtapAnswer, CtapState

Failed = t.Callable[[Exception], None]


def _selection(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    """Clause 6.9. There is no button: unless the owner is asked, whoever is to choose a device has this one."""
    state.require_presence(PresencePurpose.CHOOSE)
    return None


def _reset(state: CtapState, _given: CtapParameters) -> CtapAnswer:
    """Clause 6.6. The card decides, by what whoever made it has said of programs that make it anew."""
    state.require_presence(PresencePurpose.RESET)
    state.card.make_anew()
    return None


_HANDLERS: t.Mapping[int, t.Callable[[CtapState, CtapParameters], CtapAnswer]] = {
    CtapCommand.MAKE_CREDENTIAL: make_credential,
    CtapCommand.GET_ASSERTION: get_assertion,
    CtapCommand.GET_INFO: get_info,
    CtapCommand.CLIENT_PIN: client_pin,
    CtapCommand.RESET: _reset,
    CtapCommand.GET_NEXT_ASSERTION: get_next_assertion,
    CtapCommand.CREDENTIAL_MANAGEMENT: credential_management,
    CtapCommand.CREDENTIAL_MANAGEMENT_PREVIEW: credential_management,
    CtapCommand.SELECTION: _selection,
    CtapCommand.LARGE_BLOBS: large_blobs,
    CtapCommand.CONFIG: config,
}
_MANAGEMENT = (CtapCommand.CREDENTIAL_MANAGEMENT, CtapCommand.CREDENTIAL_MANAGEMENT_PREVIEW)
_IN_SERIES = (CtapCommand.GET_NEXT_ASSERTION, *_MANAGEMENT)
"""Whatever else is asked ends what was begun: clauses 6.3 and 6.8."""


class Authenticator:
    """A card as an authenticator. What a PIN has opened ends with the token that the PIN brought.

    :param failed: told of an error that is no answer to the client, which gets CTAP1_ERR_OTHER
    :param now: seconds of a clock that nobody sets
    """

    def __init__(self, card: PasskeyCard, failed: t.Optional[Failed] = None, now: Clock = time.monotonic) -> None:
        self._state = CtapState(card, now)
        self._failed = failed

    def transmit(self, request: bytes, channel: int = 0, present: bool = False) -> bytes:
        """Returns the answer to a request: a status byte, and after a zero what CBOR says.

        :param channel: the program that asks
        :param present: whether somebody has said to be there, and to mean this request
        :raises PresenceNeeded: if somebody has to say so first; nothing was changed
        """
        self._state.channel, self._state.present = channel, present
        try:
            answer = self._handle(request)
            body = b"" if answer is None else cbor.encode(answer)
            return bytes((CtapStatus.OK,)) + body
        except PresenceNeeded:
            raise
        except Exception as error:
            return bytes((self._status(error),))
        finally:
            self.tidy()

    def _handle(self, request: bytes) -> CtapAnswer:
        handler = _HANDLERS.get(request[0]) if request else None
        if handler is None:
            raise CtapRefused(CtapStatus.INVALID_COMMAND)
        if request[0] not in _IN_SERIES:
            self._state.end_series()
        return handler(self._state, CtapParameters(cbor.decode(request[1:]) if len(request) > 1 else {}))

    def _status(self, error: Exception) -> CtapStatus:
        status = ctap_status_of(error)
        if isinstance(error, NotOffered):
            self._state.log(f"refused: {error}")
        if status is not None:
            return status
        if self._failed:
            self._failed(error)
        return CtapStatus.OTHER

    def tidy(self) -> None:
        """Ends what is over by now. To be called now and then, for nobody else looks at the clock."""
        try:
            self._state.tidy()
        except Exception as error:
            if self._failed:
                self._failed(error)
