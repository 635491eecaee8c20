# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A face of cards, served by a thread as the card service serves it."""

from __future__ import annotations

import selectors
import socket
import threading
import time
import typing as t


class SelectorThread:
    """Serves whatever is registered.

    :param due: when something has to be done that no event asks for
    :param tidy: does it, and is called after each event
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        due: t.Callable[[], t.Sequence[float]] = tuple,
        tidy: t.Callable[[], None] = lambda: None,
    ) -> None:
        self._selector, self._due, self._tidy = selector, due, tidy
        self._ending, self._end = socket.socketpair()
        selector.register(self._ending, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            due = self._due()
            for key, events in self._selector.select(max(0.0, min(due) - time.monotonic()) if due else None):
                if key.data is None:
                    return
                key.data.serve(events)
            self._tidy()

    def stop(self) -> None:
        self._end.send(b"x")
        self._thread.join()

    def close(self) -> None:
        self._ending.close()
        self._end.close()
