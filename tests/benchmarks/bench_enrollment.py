# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to enrol a fleet, TPM time included, beside the same hosts running two modules that do nothing."""

from __future__ import annotations

import json
import os
import time

import pytest
from ansible_collections.hardbound.identity.tests.integration.enrollment.conftest import Fleet, new_fleet

HOSTS = int(os.environ.get("HARDBOUND_BENCH_HOSTS", "20"))
FORKS = str(os.cpu_count() or 1)
NOTHING = [
    {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}, {"ansible.builtin.ping": {}}]}
]


def timed(fleet: Fleet, playbook: str, status: str = "") -> float:
    began = time.perf_counter()
    run = fleet.play("--forks", FORKS, playbook=playbook)
    taken = time.perf_counter() - began
    assert run.code == 0 and (not status or set(run.statuses().values()) == {status}), run.output
    return taken


def test_a_fleet_beside_one_that_does_nothing(capsys: pytest.CaptureFixture) -> None:
    with new_fleet() as fleet:
        for number in range(HOSTS):
            fleet.add(f"ws-{number:03}")
        nothing = fleet.folder / "nothing.yml"
        nothing.write_text(json.dumps(NOTHING))
        idle = min(timed(fleet, str(nothing)) for _unused in range(2))
        enrolled = timed(fleet, "hardbound.identity.enroll", "enrolled")
        unchanged = timed(fleet, "hardbound.identity.enroll", "unchanged")
    with capsys.disabled():
        print(f"\n{HOSTS} hosts, {FORKS} forks, P-256")
        for title, taken in (("two pings", idle), ("enrolled", enrolled), ("again, unchanged", unchanged)):
            print(f"  {title:17} {taken:6.1f} s, {taken / idle:4.1f} times two pings")
