# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a fleet's cards as jobs of AWX, and slices of one at once."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.awx_job import PROJECT, Job
from ansible_collections.hardbound.identity.tests.support.fleet import PASSPHRASE, PIN, PUK

pytestmark = pytest.mark.slow

# What credentials and the survey put into a job, under the names of extensions/awx/controller.
CREDENTIALS = {"smartcard_enrollment_ca_passphrase": PASSPHRASE}
FIRST = {"smartcard_first_pin": PIN, "smartcard_first_puk": PUK}


def start(fleet: t.Any, name: str, playbook: str, hosts: t.Sequence[str], **variables: t.Any) -> Job:
    inventory = {"hosts": {host: fleet.inventory[host] for host in hosts}, "vars": fleet.variables}
    return Job(fleet.folder / "jobs" / name, playbook, inventory, {**CREDENTIALS, **variables})


def run(fleet: t.Any, name: str, playbook: str, hosts: t.Sequence[str], **variables: t.Any) -> Job:
    job = start(fleet, name, playbook, hosts, **variables)
    assert job.wait() == 0, job.output
    return job


def take_secrets_out(fleet: t.Any) -> None:
    """The inventory names what the survey asks for; the secrets themselves are in the job alone."""
    del fleet.variables["smartcard_enrollment_ca_passphrase"]
    for variables in fleet.inventory.values():
        for card in variables["smartcard_enrollment_cards"]:
            card["pin"] = "{{ smartcard_first_pin | default(omit) }}"
            card["puk"] = "{{ smartcard_first_puk | default(omit) }}"
            card["has_puk"] = True


def summary(job: Job) -> str:
    found = [line for line in job.output.splitlines() if "SUMMARY" in line]
    assert found, job.output
    return found[0]


def end_state(fleet: t.Any) -> t.Tuple[t.List[t.Tuple[str, ...]], t.Dict[str, t.Any]]:
    """What is valid of each host in the ledger, and what its disk holds."""
    issued = [each for each in fleet.ledger().certificates() if not each.revoked_at]
    assert all(each.activated_at for each in issued)
    records = {host: fleet.record(host) for host in fleet.inventory}
    return (
        sorted((each.host, each.card, each.slot, each.profile) for each in issued),
        {host: (record["name"], sorted(record["certificates"])) for host, record in records.items()},
    )


def test_each_playbook_runs_as_a_job_and_shows_no_secret(fleet):
    """The workflow in its order: enrol, audit, renew, retire."""
    fleet.add("ws-001")
    take_secrets_out(fleet)
    jobs = {
        "enroll": run(fleet, "1", "enroll", ["ws-001"], **FIRST),
        "audit": run(fleet, "2", "audit", ["ws-001"], enrollment_audit_path=str(fleet.folder)),
        "renew": run(fleet, "3", "renew", ["ws-001"]),
        "retire": run(fleet, "4", "retire", ["ws-001"], smartcard_enrollment_hosts="ws-001"),
    }
    # tests/integration/samba, test_recovery.py, and the scenario signin of extensions/molecule
    elsewhere = {"hello_policy", "recover", "signin"}
    assert set(jobs) == {path.stem for path in PROJECT.glob("*.yml")} - elsewhere
    assert "enrolled 1" in summary(jobs["enroll"])
    assert json.loads((fleet.folder / "audit.json").read_text())["totals"]["valid"] == 1
    assert "DUE  0 of 1 hosts" in jobs["renew"].output
    assert "retired 1" in summary(jobs["retire"])
    for job in jobs.values():
        job.assert_holds_none_of(PASSPHRASE, PIN, PUK)


def test_two_slices_at_once_end_as_one_run_does(fleet):
    hosts = ["ws-001", "ws-002", "ws-003", "ws-004"]
    for host in hosts:
        fleet.add(host)
    take_secrets_out(fleet)
    slices = [start(fleet, f"slice{number}", "enroll", hosts[number::2], **FIRST) for number in range(2)]
    assert [each.wait() for each in slices] == [0, 0], [each.output for each in slices]
    assert ["enrolled 2" in summary(each) for each in slices] == [True, True]
    sliced = end_state(fleet)
    run(fleet, "retired", "retire", hosts, smartcard_enrollment_hosts="all")
    whole = run(fleet, "whole", "enroll", hosts, **FIRST)
    assert "enrolled 4" in summary(whole) and end_state(fleet) == sliced
