# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``renew`` over an inventory of 10,000 hosts, none of which is due, beside a play over it that only says something.

No host is there to be connected to: a connection would fail the run.
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

HOSTS = 10_000
ROUNDS = 3
PASSPHRASE = "correct-horse-battery-staple"
PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: here}, run_once: true}]}\n"


def certificate(ledger: Ledger, issuer: str, host: str, slot: str) -> IssuedCertificate:
    """A certificate in force, as large as they are."""
    at = int(ledger.now().timestamp())
    serial = os.urandom(20).hex()
    texts = dict.fromkeys(("key", "claim", "content", "evidence"), os.urandom(32).hex())
    names = {"host": host, "card": "corp", "slot": slot, "profile": "ad_smartcard_logon", "identity": "{}"}
    times = {"not_before": at, "not_after": at + 365 * 86400, "issued_at": at, "activated_at": at}
    rest = {"kind": "x509", "generation": 1, "assurance": "fixed", "body": os.urandom(900)}
    return IssuedCertificate(serial=serial, authority=issuer, **texts, **names, **times, **rest)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A CA, a ledger in which all is in order, and the inventory."""
    place = authority.CaFolder(tmp_path / "ca")
    authority.create(place, authority.Blueprint("Corp"), PASSPHRASE, PASSPHRASE, clock.now())
    ledger = Ledger(place.ledger_url, create=True)
    issuer = authority.Authority(place, PASSPHRASE).identifier
    names = [f"ws-{number:05}" for number in range(HOSTS)]
    rows = [certificate(ledger, issuer, name, slot) for name in names for slot in ("", "authentication")]
    ledger.writing(lambda connection: [ledger.insert(connection, row) for row in rows])
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
