# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of a GPO: two counters that never carry into each other."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo_version import GpoVersion
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope
from hypothesis import given
from hypothesis import strategies as st

COUNTERS = st.integers(0, 0xFFFF)
VERSIONS = st.builds(GpoVersion, COUNTERS, COUNTERS)


@pytest.mark.parametrize(
    "number, machine, user, signed",
    [
        (0, 0, 0, 0),
        (0x00030005, 5, 3, 0x00030005),
        (0x7FFFFFFF, 0xFFFF, 0x7FFF, 0x7FFFFFFF),
        (0x80000001, 1, 0x8000, -0x7FFFFFFF),
        (0xFFFFFFFF, 0xFFFF, 0xFFFF, -1),
    ],
)
def test_the_number_and_its_halves(number, machine, user, signed):
    version = GpoVersion.of(number)
    assert (version.machine, version.user) == (machine, user)
    assert (version.number, version.signed) == (number, signed)
    assert GpoVersion.of(signed) == version


@pytest.mark.parametrize(
    "now, in_file, scope, after",
    [
        (GpoVersion(0, 0), GpoVersion(0, 0), Scope.DEVICE, GpoVersion(1, 0)),
        (GpoVersion(5, 3), GpoVersion(5, 3), Scope.USER, GpoVersion(5, 4)),
        (GpoVersion(0xFFFF, 3), GpoVersion(0xFFFF, 3), Scope.DEVICE, GpoVersion(1, 3)),
        (GpoVersion(5, 3), GpoVersion(6, 3), Scope.DEVICE, GpoVersion(7, 3)),
        (GpoVersion(1, 0), GpoVersion(0xFFFF, 0), Scope.DEVICE, GpoVersion(2, 0)),
        (GpoVersion(5, 3), GpoVersion(5, 9), Scope.DEVICE, GpoVersion(6, 10)),
    ],
)
def test_what_comes_next(now, in_file, scope, after):
    assert now.next(scope, in_file) == after


@given(VERSIONS, VERSIONS, st.sampled_from(list(Scope)))
def test_a_client_that_saw_either_number_reads_again(now, in_file, scope):
    after = now.next(scope, in_file)
    assert after.half(scope) not in (now.half(scope), in_file.half(scope), 0)
    other = Scope.USER if scope is Scope.DEVICE else Scope.DEVICE
    if now.half(other) == in_file.half(other):
        assert after.half(other) == now.half(other)
    else:
        assert after.half(other) not in (now.half(other), in_file.half(other), 0)
    assert 0 <= after.number <= 0xFFFFFFFF
