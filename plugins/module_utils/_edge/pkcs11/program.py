# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One program: its requests are interpreted here, and answered one after the other.

It answers any bytes and raises nothing but what the process itself dies of.
"""

from __future__ import annotations

import typing as t

from ..._encoding.p11_kit import NEWEST, Request, answer, failure, read_request
from ..._encoding.p11_kit_frame import Frame, frame
from . import general, new_objects, objects, private_keys, sessions
from .context import Cards, Context
from .fault import CallRefused, rv_of
from .reference import Rv

_CALLS: t.Mapping[str, t.Callable[..., general.Answer]] = {
    **general.CALLS,
    **sessions.CALLS,
    **objects.CALLS,
    **private_keys.CALLS,
    **new_objects.CALLS,
}
_BEFORE_ANYTHING = "C_Initialize"


class Program:
    """:param cards: those that the program may use
    :param offered: the version that it has offered, its first byte
    :param failed: told of an error that is no answer to the program; that gets CKR_DEVICE_ERROR
    :param resumed: whether the program had said C_Initialize to a process before this one
    """

    def __init__(
        self,
        cards: Cards,
        offered: int,
        failed: t.Optional[t.Callable[[Exception], None]] = None,
        resumed: bool = False,
    ) -> None:
        self._context = Context(cards, resumed)
        self._offered = offered
        self._failed = failed

    @property
    def version(self) -> int:
        """The version of the protocol that both sides speak."""
        return min(self._offered, NEWEST)

    def respond(self, request: Frame) -> bytes:
        """Returns the answer to a frame, framed."""
        return frame(request.code, self._body(request.body))

    def _body(self, body: t.Optional[bytes]) -> bytes:
        try:
            if body is None:
                raise CallRefused(Rv.DATA_LEN_RANGE)
            request = read_request(body, self._offered)
            return answer(request.number, self._call(request))
        except Exception as error:
            return failure(self._rv(error))

    def _call(self, request: Request) -> general.Answer:
        name = request.call.name
        if not self._context.initialized and name != _BEFORE_ANYTHING:
            raise CallRefused(Rv.CRYPTOKI_NOT_INITIALIZED)
        handler = _CALLS.get(name)
        if handler is None:
            raise CallRefused(Rv.FUNCTION_NOT_SUPPORTED)
        return handler(self._context, *request.arguments)

    def _rv(self, error: Exception) -> Rv:
        rv = rv_of(error)
        if rv is not None:
            return rv
        if self._failed:
            self._failed(error)
        return Rv.DEVICE_ERROR

    def end(self) -> None:
        """Ends what the program had opened: it has gone."""
        self._context.end()
