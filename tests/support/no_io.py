# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A block in which files, sockets, processes, the clock and random numbers are out of reach."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import random
import socket
import subprocess
import time
import typing as t

import pytest

_WAYS_OUT: t.Tuple[t.Tuple[t.Any, t.Tuple[str, ...]], ...] = (
    (builtins, ("open",)),
    (io, ("open",)),
    (os, ("open", "stat", "lstat", "listdir", "scandir", "access", "readlink", "mkdir", "unlink", "replace", "rename")),
    (os, ("urandom", "geteuid", "system", "execv", "kill", "fork")),
    (random, ("random", "randrange")),
    (socket, ("socket", "create_connection", "getaddrinfo")),
    (subprocess, ("Popen", "run")),
    (time, ("time", "monotonic", "sleep")),
)


class WentOut(BaseException):
    """Not an Exception: code that expects errors of a disk shall not hide it."""


@contextlib.contextmanager
def no_io() -> t.Iterator[None]:
    """:raises WentOut: for what tries"""

    def wall(name: str) -> t.Callable[..., t.NoReturn]:
        def refuse(*_arguments: t.Any, **_named: t.Any) -> t.NoReturn:
            raise WentOut(name)

        return refuse

    with pytest.MonkeyPatch.context() as patch:
        for module, names in _WAYS_OUT:
            for name in names:
                patch.setattr(module, name, wall(f"{module.__name__}.{name}"))
        yield
