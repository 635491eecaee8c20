# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A visit ends, whatever the host does."""

from __future__ import annotations

import json
import signal
import subprocess
import threading

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment import visitor as visitor_module
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.visitor import (
    HostSilent,
    VisitFailed,
    Visitor,
    fetch,
)


class ConnectionLost(Exception):
    pass


def visitor(answer, timeout=0):
    def run(module, arguments):
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    return Visitor(run, (ConnectionLost,), timeout)


def test_a_host_that_hangs_is_left_after_the_time_it_has():
    hang = threading.Event()
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(HostSilent, match="within 1 seconds"):
        visitor(hang.wait, 1).visit("smartcard_evidence", {})
    assert signal.getsignal(signal.SIGALRM) is before and signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_no_handler_of_errors_holds_up_the_end():
    def stubborn():
        while True:
            try:
                subprocess.run(["sleep", "60"], check=False)
            except Exception:
                continue

    with pytest.raises(HostSilent):
        visitor(stubborn, 1).visit("smartcard_evidence", {})


def test_the_limit_of_the_task_goes_on_after_a_visit():
    former = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        assert visitor({"changed": False}, 30).visit("smartcard_evidence", {}) == {"changed": False}
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 400
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


class Drip:
    """A maker's server, or whoever stands in between: it is never silent for long, and never comes to an end."""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def read(self, _size):
        while True:
            signal.sigtimedwait([], 0.01)


def test_a_server_that_never_comes_to_an_end_is_left(monkeypatch):
    monkeypatch.setattr(visitor_module, "LONGEST_DOWNLOAD", 1)
    assert fetch("HTTP://crl.maker.example/root.crl", lambda _url, timeout: Drip()) is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_broken_connection_is_told_from_a_module_that_failed():
    with pytest.raises(HostSilent, match=r"no route\?"):
        visitor(ConnectionLost("no route\x1b")).visit("smartcard_evidence", {})
    with pytest.raises(VisitFailed, match="no TPM"):
        visitor({"failed": True, "msg": "no TPM"}).visit("smartcard_evidence", {})


@pytest.mark.parametrize("answer", [None, [], 5, "x"])
def test_an_answer_that_is_no_object(answer):
    with pytest.raises(VisitFailed, match="no JSON object"):
        visitor(lambda: answer).visit("smartcard_evidence", {})


def test_an_answer_that_lies_too_deep():
    with pytest.raises(VisitFailed, match="too deep"):
        visitor(lambda: json.loads("[" * 200_000 + "]" * 200_000)).visit("smartcard_evidence", {})


@pytest.mark.parametrize("cards", [5, [5], [{"name": []}], [{"name": "a", "pin_escrow": 5}], {"a": 1}])
def test_a_module_that_fails_may_say_anything(cards):
    with pytest.raises(VisitFailed) as failed:
        visitor({"failed": True, "msg": ["x"], "cards": cards, "pin_escrow": {}}).visit("virtual_smartcard", {})
    assert failed.value.facts == {} and all(set(each) == {"name"} for each in failed.value.cards)
    assert "without a word" in str(failed.value)
