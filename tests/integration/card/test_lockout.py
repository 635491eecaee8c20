# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM's lockout: kill -9 at every command, and what a wrong authorisation costs."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_lockout import TpmLockout, WantedLockout
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import identify
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.lockout import (
    Parameters,
    WrongLockoutAuth,
    set_authorisation,
    set_parameters,
)
from ansible_collections.hardbound.identity.tests.support.guillotine import Guillotine
from ansible_collections.hardbound.identity.tests.support.open_files import open_below

pytestmark = pytest.mark.tpm

VALUE = b"lock-4711"
BEFORE, AFTER = Parameters(32, 600, 1000), Parameters(10, 7200, 900)
WANTED = WantedLockout({"max_tries": 10, "recovery": 7200, "lockout_recovery": 900}, VALUE)


def converge(tpm):
    noun = TpmLockout(WANTED, tpm)
    found = noun.read()
    plan = noun.plan(found)
    if plan.changed:
        noun.apply(plan, found)
    return plan.changed


def test_killed_at_any_command_the_next_run_completes_it(software_tpm, short_path, bench_type):
    guillotine = Guillotine(software_tpm.socket, short_path / "relay.sock")
    (short_path / "store").mkdir()
    tpm = bench_type(short_path / "store", guillotine.tcti).tpm
    for deadly in itertools.count():
        died = guillotine.run(lambda: converge(tpm), deadly, after=True)
        converge(tpm)
        assert not converge(tpm)
        with tpm.taken():
            lockout = identify(tpm).lockout
            assert (lockout.max_tries, lockout.recovery, lockout.lockout_recovery) == (10, 7200, 900)
            set_authorisation(tpm, b"", VALUE)
            set_parameters(tpm, BEFORE, b"")
        tpm.close()
        if not died:
            assert deadly > 5
            return


def test_a_run_that_only_plans_keeps_no_lock_file_open(bench):
    noun = TpmLockout(WANTED, bench.tpm)
    found = noun.read()
    assert noun.plan(found).changed
    assert not open_below(bench.store.folder)
    with bench.tpm.taken():
        assert open_below(bench.store.folder)


def test_a_wrong_authorisation_changes_nothing_and_closes_the_lockout(bench):
    with bench.tpm.taken() as tpm:
        set_authorisation(tpm, VALUE, b"")
        with pytest.raises(WrongLockoutAuth):
            set_parameters(tpm, AFTER, b"guess")
        with pytest.raises(WrongLockoutAuth):
            set_parameters(tpm, AFTER, VALUE)
        assert identify(tpm).lockout.max_tries != AFTER.max_tries
