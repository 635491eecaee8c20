# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``renew`` over an inventory of 10,000 hosts, none of which is due, beside a play over it that only says something.

And over an inventory of which a hundredth is due, beside the enrolment of as many hosts that are alone in theirs. No
host that is in order is there to be connected to: a connection would fail the run.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import statistics
import subprocess
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import IssuedCertificate
from ansible_collections.hardbound.identity.tests.support.fleet import PASSPHRASE, Fleet, new_fleet

HOSTS = 10_000
ROUNDS = 3
DUE = int(os.environ.get("HARDBOUND_BENCH_HOSTS", "20"))
"""Of a hundred times as many. The numbers of hosts are what differs from a fleet of 10,000."""
FORKS = str(os.cpu_count() or 1)
PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: here}, run_once: true}]}\n"


def certificate(ledger: Ledger, issuer: str, host: str, slot: str) -> IssuedCertificate:
    """A certificate in force, as large as they are."""
    at = int(ledger.now().timestamp())
    serial = os.urandom(20).hex()
    texts = dict.fromkeys(("key", "claim", "content", "evidence"), os.urandom(32).hex())
    names = {"host": host, "card": "corp", "slot": slot, "profile": "ad_smartcard_logon", "identity": "{}"}
    times = {"not_before": at, "not_after": at + 365 * 86400, "issued_at": at, "activated_at": at}
    rest = {"kind": "x509", "generation": 1, "assurance": "fixed", "body": os.urandom(900)}
    return IssuedCertificate(serial=serial, number=serial, authority=issuer, **texts, **names, **times, **rest)  # type: ignore[arg-type]


def fill(ledger: Ledger, issuer: str, names: t.Sequence[str]) -> None:
    """Gives hosts the certificates of which nothing is due."""
    rows = [certificate(ledger, issuer, name, slot) for name in names for slot in ("", "authentication")]
    ledger.writing(lambda connection: [ledger.insert(connection, row) for row in rows])


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A CA, a ledger in which all is in order, and the inventory."""
    place = authority.CaFolder(tmp_path / "ca")
    authority.create(place, authority.Blueprint("Corp"), PASSPHRASE, PASSPHRASE, clock.now())
    ledger = Ledger(place.ledger_url, create=True)
    issuer = authority.Authority(place, PASSPHRASE).identifier
    names = [f"ws-{number:05}" for number in range(HOSTS)]
    fill(ledger, issuer, names)
    variables = {"smartcard_enrollment_ca": str(place.path), "ansible_host": "192.0.2.1", "ansible_timeout": 1}
    inventory = {"all": {"hosts": {name: {} for name in names}, "vars": variables}}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    (tmp_path / "play.yml").write_text(PLAY)
    return tmp_path


def timed(folder: pathlib.Path, playbook: str) -> t.Tuple[float, float, str]:
    """Returns seconds by the clock, seconds of processors, and the output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    command = ["ansible-playbook", "-i", str(folder / "inventory.json"), playbook]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, used, run.stdout


def test_renewal_of_a_fleet_in_order(folder: pathlib.Path) -> None:
    rounds = [(timed(folder, "play.yml"), timed(folder, "hardbound.identity.renew")) for _round in range(ROUNDS)]
    assert all(f"DUE  0 of {HOSTS} hosts" in renewal[2] for _play, renewal in rounds)
    clock, used = (statistics.median(renewal[at] for _play, renewal in rounds) for at in (0, 1))
    ratio = statistics.median(renewal[1] / play[1] for play, renewal in rounds)
    print(f"\nrenew over {HOSTS} hosts, none due: {clock:.1f} s, {used:.1f} s of processors")
    print(f"{ratio:.2f} times the processors of a play over the same inventory that only says something")


def enrolled(fleet: Fleet, playbook: str, hosts: t.Sequence[str]) -> t.Tuple[float, float]:
    """Returns seconds by the clock and of processors, software TPMs included, for hosts that are enrolled so."""

    def used() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime + sum(tpm.processor_time() for tpm in fleet.tpms.values())

    began, before = time.perf_counter(), used()
    run = fleet.play("--forks", FORKS, playbook=playbook)
    taken = time.perf_counter() - began, used() - before
    assert run.code == 0 and run.statuses() == dict.fromkeys(hosts, "enrolled"), run.output
    return taken


def test_renewal_of_a_hundredth(capsys: pytest.CaptureFixture[str]) -> None:
    with new_fleet() as fleet:
        alone, due = ([f"{kind}-{number:03}" for number in range(DUE)] for kind in ("alone", "due"))
        for host in alone:
            fleet.add(host)
        by_themselves = enrolled(fleet, "hardbound.identity.enroll", alone)
        in_order = [f"ws-{number:05}" for number in range(99 * DUE)]
        fleet.inventory = {host: {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"} for host in in_order}
        issuer = authority.Authority(authority.CaFolder(fleet.ca), PASSPHRASE).identifier
        fill(fleet.ledger(), issuer, in_order)
        for host in due:
            fleet.add(host)
        among_others = enrolled(fleet, "hardbound.identity.renew", due)
    with capsys.disabled():
        print(f"\n{DUE} hosts due of {100 * DUE}, {FORKS} forks, beside {DUE} hosts alone (at most 1.2 times)")
        for title, at in (("by the clock", 0), ("of processors", 1)):
            ratio = among_others[at] / by_themselves[at]
            print(f"  {among_others[at]:6.1f} and {by_themselves[at]:6.1f} s {title}: {ratio:4.2f} times")
