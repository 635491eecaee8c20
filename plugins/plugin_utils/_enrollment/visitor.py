# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A visit to a host: a module runs there, for a limited time, and whatever comes back harms nobody but the host."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

from ...module_utils._errors import HardboundError
from . import words
from .answers import escrowed, told_cards

SECONDS = 10
"""How long a maker's server may be silent; and below, how long all that it serves may take to come."""
LONGEST_DOWNLOAD = 60
LARGEST_DOWNLOAD = 16 << 20
DEFAULT_TIMEOUT = 900
"""Seconds of a visit: a slow TPM makes an RSA key in a minute, and a card may have several."""

Result = t.Dict[str, t.Any]
Run = t.Callable[[str, t.Dict[str, t.Any]], Result]
"""Runs a module, given by its full name, with its arguments, which it may change; returns what it said."""


class VisitFailed(HardboundError):
    """A module failed on the host. What it has told once before that is not lost."""

    def __init__(self, seen: t.Mapping[str, t.Any]) -> None:
        super().__init__(words.sentence(seen.get("msg")) or "the module failed without a word.")
        self._told = {name: value for name, value in escrowed(seen).items() if value}
        self.cards = told_cards(seen.get("cards"))
        """What it has told of cards that it had made by then."""

    @property
    def facts(self) -> Result:
        return self._told


class HostSilent(HardboundError):
    """The host did not answer in time, or its connection broke."""


class _OutOfTime(BaseException):
    """Ends whatever waits for the host. No handler of an error takes it for one."""


class Visitor:
    """Visits one host.

    :param run: how a module is run there
    :param silence: the errors by which a broken connection shows
    :param timeout: seconds that a visit may take; 0 for no end
    """

    def __init__(self, run: Run, silence: t.Tuple[t.Type[Exception], ...] = (), timeout: int = 0) -> None:
        self._run = run
        self._silence = silence
        self._timeout = timeout

    def visit(self, module: str, arguments: t.Mapping[str, t.Any]) -> Result:
        """Runs a module of this collection on the host.

        :raises VisitFailed: with the host's words, or because they can't be read
        :raises HostSilent: if it does not answer in time
        """
        try:
            with _limited(self._timeout):
                seen = self._run(f"hardbound.identity.{module}", dict(arguments))
        except _OutOfTime:
            raise HostSilent(f"the host has not answered within {self._timeout} seconds.") from None
        except self._silence as error:
            raise HostSilent(words.sentence(str(error)) or "the connection broke.") from error
        except RecursionError:
            raise VisitFailed({"msg": "the host's answer lies too deep to be read."}) from None
        if not isinstance(seen, dict):
            raise VisitFailed({"msg": "the host's answer is no JSON object."})
        if seen.get("failed"):
            raise VisitFailed(seen)
        return seen


@contextlib.contextmanager
def _limited(seconds: int) -> t.Iterator[None]:
    """Ends what is within after so many seconds. A thread that is not the main one has no alarm: it goes on."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: t.Any) -> t.NoReturn:
        raise _OutOfTime

    former = signal.signal(signal.SIGALRM, end)
    left, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)  # That of the task, if it has one, goes on.
        signal.signal(signal.SIGALRM, former)


def fetch(url: str, open_url: t.Callable[..., t.Any]) -> t.Optional[bytes]:
    """Returns what a maker serves, or None. What comes is checked by whoever asked for it.

    :param open_url: as Ansible's
    """
    if not url.lower().startswith(("http://", "https://")):
        return None
    try:
        with _limited(LONGEST_DOWNLOAD), open_url(url, timeout=SECONDS) as answer:
            data: bytes = answer.read(LARGEST_DOWNLOAD + 1)
    except (Exception, _OutOfTime):  # Whatever keeps it from coming, it is not there.
        return None
    return data if len(data) <= LARGEST_DOWNLOAD else None
