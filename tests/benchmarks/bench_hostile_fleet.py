# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of which a third lies, hangs, or shows another's evidence: how long the rest takes, beside the rest alone.

All hosts are on this machine, so a host that lies takes processor time from the others, as an honest one does. The rest
is therefore measured beside as many honest hosts as well, too: a host that misbehaves should cost no more than they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.fleet import Fleet, family, new_fleet
from ansible_collections.hardbound.identity.tests.support.waiting import until

HOSTS = int(os.environ.get("HARDBOUND_BENCH_HOSTS", "6"))
"""Honest ones: half as many come beside them."""
PATIENCE = 900.0
DONOR = "donor"
STEAL = "import json\ndef tell(answer):\n    json.dump(answer['evidence'], open({path!r}, 'w'))\n"
SHOW = "import json\ndef tell(answer):\n    answer['evidence'] = json.load(open({path!r}))\n"
HANG = "import time\ndef tell(answer):\n    time.sleep(3600)\n"
LIE = "def tell(answer):\n    answer['evidence']['cards'][0]['puk'] = False\n"


def fleet_of(stack: contextlib.ExitStack, hosts: int) -> Fleet:
    fleet = t.cast(Fleet, stack.enter_context(new_fleet()))
    for number in range(hosts):
        fleet.add(f"ws-{number:03}")
    return fleet


def add_third(fleet: Fleet) -> None:
    """Another's evidence is that of a host which was enrolled before, and has left the inventory."""
    path = str(fleet.folder / "stolen.json")
    fleet.add_liar(DONOR, STEAL.format(path=path), "evidence")
    assert fleet.play("--limit", DONOR).statuses() == {DONOR: "enrolled"}
    del fleet.inventory[DONOR]
    lies = [SHOW.format(path=path), HANG, LIE]
    for number in range(HOSTS // 2):
        fleet.add_liar(f"bad-{number:03}", lies[number % len(lies)], "evidence")
    fleet.variables["smartcard_enrollment_timeout"] = int(PATIENCE)


def taken(fleet: Fleet, hosts: int) -> float:
    """Returns the seconds until the last of the honest hosts had its result; what hangs is not waited for."""
    fleet.write()
    results = [fleet.folder / "results" / f"ws-{number:03}.json" for number in range(hosts)]
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
    assert active - {DONOR} == {f"ws-{number:03}" for number in range(hosts)}
    return ended - began


def test_the_rest_of_a_fleet_beside_the_rest_alone(capsys: pytest.CaptureFixture) -> None:
    with contextlib.ExitStack() as stack:
        alone, hostile, honest = (fleet_of(stack, count) for count in (HOSTS, HOSTS, HOSTS + HOSTS // 2))
        add_third(hostile)
        rest = [
            taken(fleet, hosts) for fleet, hosts in ((alone, HOSTS), (hostile, HOSTS), (honest, HOSTS + HOSTS // 2))
        ]
    with capsys.disabled():
        print(f"\n{HOSTS} honest hosts, and {HOSTS // 2} that lie, hang or show another's evidence")
        for title, seconds in zip(("alone", "beside those", "beside as many honest ones, all"), rest):
            print(f"  {title:32} {seconds:6.1f} s ({seconds / rest[0]:4.2f})")
