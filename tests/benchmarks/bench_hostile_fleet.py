# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of which a third lies, hangs, or shows another's evidence: how long the rest takes, beside the rest alone.

Hosts have processors of their own, and these share the controller's. So what a host of the third says was prepared,
and costs the honest ones nothing but what the controller does about it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.fleet import Fleet, family, new_fleet
from ansible_collections.hardbound.identity.tests.support.waiting import until

HOSTS = int(os.environ.get("HARDBOUND_BENCH_HOSTS", "6"))
"""Honest ones: half as many come beside them."""
ROUNDS = 2
PATIENCE = 900.0
DONOR = "donor"
KEEP = "import json\ndef tell(answer):\n    json.dump(answer, open({path!r}, 'w'))\n"
SAYS = "#!/bin/sh\ncat > /dev/null\ncat {path}\n"
HANGS = "#!/bin/sh\nexec sleep 3600\n"


def fleet_of(stack: contextlib.ExitStack) -> Fleet:
    fleet = t.cast(Fleet, stack.enter_context(new_fleet()))
    for number in range(HOSTS):
        fleet.add(f"ws-{number:03}")
    return fleet


def add_third(fleet: Fleet) -> None:
    """Another's evidence is that of a host which was enrolled before, and has left the inventory."""
    stolen, lie = fleet.folder / "stolen.json", fleet.folder / "lie.json"
    fleet.add_liar(DONOR, KEEP.format(path=str(stolen)), "evidence")
    assert fleet.play("--limit", DONOR).statuses() == {DONOR: "enrolled"}
    answer = json.loads(stolen.read_text())
    answer["evidence"]["cards"][0]["puk"] = False
    lie.write_text(json.dumps(answer))
    donor = fleet.inventory.pop(DONOR)
    programs = [SAYS.format(path=stolen), HANGS, SAYS.format(path=lie)]
    for number in range(HOSTS // 2):
        program = fleet.folder / f"bad-{number:03}"
        program.write_text(programs[number % len(programs)])
        program.chmod(0o755)
        fleet.inventory[program.name] = {**donor, "ansible_python_interpreter": str(program)}
    fleet.variables["smartcard_enrollment_timeout"] = int(PATIENCE)


def taken(fleet: Fleet) -> float:
    """Returns the seconds until the last of the honest hosts had its result; what hangs is not waited for."""
    fleet.write()
    honest = {f"ws-{number:03}" for number in range(HOSTS)}
    results = [fleet.folder / "results" / f"{host}.json" for host in honest]
    began = time.time()
    run = fleet.begin("--forks", str(2 * HOSTS))
    try:
        until(lambda: all(each.exists() for each in results) or run.poll() is not None, patience=PATIENCE)
        ended = max(each.stat().st_mtime for each in results)
    finally:
        for pid in family(run.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.communicate()
    active = {each.host for each in fleet.ledger().certificates() if each.activated_at}
    assert active - {DONOR} == honest
    return ended - began


def test_the_rest_of_a_fleet_beside_the_rest_alone(capsys: pytest.CaptureFixture) -> None:
    alone = beside = 0.0
    for _round in range(ROUNDS):
        with contextlib.ExitStack() as stack:
            own, hostile = fleet_of(stack), fleet_of(stack)
            add_third(hostile)
            alone, beside = alone + taken(own), beside + taken(hostile)
    with capsys.disabled():
        print(f"\n{HOSTS} honest hosts, and {HOSTS // 2} that lie, hang or show another's evidence; {ROUNDS} rounds")
        for title, seconds in (("alone", alone), ("beside those", beside)):
            print(f"  {title:13} {seconds / ROUNDS:6.1f} s ({seconds / alone:4.2f})")
