# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what comes about in another thread, process or program."""

from __future__ import annotations

import time
import typing as t

_PATIENCE = 20.0  # seconds; a busy machine takes long, and a test that passes waits no longer than it has to
_INTERVAL = 0.005  # seconds


def until(
    condition: t.Callable[[], object],
    otherwise: t.Union[str, t.Callable[[], str]] = "it did not come about",
    patience: float = _PATIENCE,
) -> None:
    """Waits until the condition is true, and fails if that takes longer than the patience, in seconds.

    :param otherwise: what the failure says, or what gives the words once it has come to that, such as a log
    """
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, otherwise if isinstance(otherwise, str) else otherwise()
        time.sleep(_INTERVAL)
