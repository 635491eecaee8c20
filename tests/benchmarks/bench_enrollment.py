# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to enrol a fleet, TPM time included, beside the same hosts running two modules that do nothing.

Beside that, what is Ansible's own: the tasks of the role with modules that do nothing in place of the visits.

The processor time is that of everything that ran: playbook, modules and software TPMs. On a machine that others
use, it tells more than the time on the wall.
"""

from __future__ import annotations

import json
import os
import resource
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.fleet import Fleet, new_fleet

HOSTS = int(os.environ.get("HARDBOUND_BENCH_HOSTS", "20"))
FORKS = str(os.cpu_count() or 1)
PING = {"ansible.builtin.ping": {}}
TASKS = [{"ansible.builtin.validate_argument_spec": {"argument_spec": {}}}, {"ansible.builtin.fail": {}, "when": False}]
IDLE = {
    "two pings": [PING, PING],
    "tasks, one visit": [*TASKS, PING],
    "tasks, two visits": [*TASKS, PING, PING],
}


class Taken(t.NamedTuple):
    """Seconds, on the wall and of processors."""

    wall: float
    cpu: float


def spent(fleet: Fleet) -> float:
    """Returns the processor time of what has ended, and of the software TPMs, which go on."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(tpm.processor_time() for tpm in fleet.tpms.values())


def timed(fleet: Fleet, playbook: str, status: str = "") -> Taken:
    began, before = time.perf_counter(), spent(fleet)
    run = fleet.play("--forks", FORKS, playbook=playbook)
    taken = Taken(time.perf_counter() - began, spent(fleet) - before)
    assert run.code == 0 and (not status or set(run.statuses().values()) == {status}), run.output
    return taken


def timed_idle(fleet: Fleet, title: str) -> Taken:
    playbook = fleet.folder / "idle.yml"
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": IDLE[title]}]))
    return timed(fleet, str(playbook))


def test_a_fleet_beside_one_that_does_nothing(capsys: pytest.CaptureFixture) -> None:
    with new_fleet() as fleet:
        for number in range(HOSTS):
            fleet.add(f"ws-{number:03}")
        before = timed_idle(fleet, "two pings")
        enrolled = timed(fleet, "hardbound.identity.enroll", "enrolled")
        unchanged = timed(fleet, "hardbound.identity.enroll", "unchanged")
        tasks = {title: timed_idle(fleet, title) for title in IDLE}
    after = tasks.pop("two pings")
    idle = Taken((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
    rows = {"two pings": idle, **tasks, "enrolled": enrolled, "again, unchanged": unchanged}
    with capsys.disabled():
        print(f"\n{HOSTS} hosts, {FORKS} forks, P-256; times two pings in brackets")
        for title, taken in rows.items():
            wall, cpu = taken.wall / idle.wall, taken.cpu / idle.cpu
            print(f"  {title:17} {taken.wall:6.1f} s wall ({wall:3.1f})  {taken.cpu:6.1f} s processor ({cpu:3.1f})")
