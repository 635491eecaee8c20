# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One program at a time has the TPM; the one who has it sees that another waits; a dead one lets go."""

from __future__ import annotations

import multiprocessing
import signal

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import turnstile
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmUnreachable
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.turnstile import Turnstile
from ansible_collections.hardbound.identity.tests.support.waiting import until

PLACE = "swtpm:path=/somewhere"
FORK = multiprocessing.get_context("fork")


def hold(folder, ready, polite=False):
    mine = Turnstile(folder, PLACE)
    mine.acquire(polite)
    ready.set()
    signal.pause()


@pytest.fixture
def other(tmp_path):
    """Starts another process that takes the TPM."""
    processes = []

    def start():
        ready = FORK.Event()
        processes.append(FORK.Process(target=hold, args=(str(tmp_path), ready)))
        processes[-1].start()
        return processes[-1], ready

    yield start
    for process in processes:
        process.kill()
        process.join()


def test_who_holds_it_sees_who_waits(tmp_path, other):
    mine = Turnstile(str(tmp_path), PLACE)
    mine.acquire(False)
    assert not mine.wanted()
    _unused, ready = other()
    until(mine.wanted)
    assert not ready.is_set()
    mine.release()
    assert ready.wait(10)
    assert not mine.wanted()


def test_the_kernel_frees_what_a_killed_process_held(tmp_path, other):
    process, ready = other()
    assert ready.wait(10)
    process.kill()
    process.join()
    mine = Turnstile(str(tmp_path), PLACE)
    mine.acquire(False)
    mine.close()


def test_patience_ends_in_words(tmp_path, other, monkeypatch):
    monkeypatch.setattr(turnstile, "PATIENCE", 0.05)
    _unused, ready = other()
    assert ready.wait(10)
    with pytest.raises(TpmUnreachable, match="another program has kept the TPM at swtpm"):
        Turnstile(str(tmp_path), PLACE).acquire(False)


def test_two_places_are_two_turnstiles(tmp_path):
    first, second = Turnstile(str(tmp_path), PLACE), Turnstile(str(tmp_path), PLACE + "/else")
    first.acquire(False)
    second.acquire(False)
    first.close()
    second.close()
