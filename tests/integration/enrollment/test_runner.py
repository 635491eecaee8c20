# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: ansible-runner, a private data folder each, secrets as extra variables, slices at once."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.hardbound.identity.tests.integration.enrollment.conftest import PASSPHRASE, PIN, PUK

pytestmark = pytest.mark.slow

COLLECTION = pathlib.Path(__file__).parents[3]
PROJECT = COLLECTION / "extensions/awx/project"
# What credentials and the survey put into a job, under the names of extensions/awx/controller.
CREDENTIALS = {"smartcard_enrollment_ca_passphrase": PASSPHRASE}
FIRST = {"smartcard_first_pin": PIN, "smartcard_first_puk": PUK}


class Job:
    """One run of a playbook by ansible-runner, in a folder of its own."""

    def __init__(self, fleet: t.Any, name: str, playbook: str, hosts: t.Sequence[str], **variables: t.Any) -> None:
        self.folder = fleet.folder / "jobs" / name
        self.artifacts = self.folder / "artifacts" / "job"
        for folder in ("inventory", "env"):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / "project").symlink_to(PROJECT)
        inventory = {"all": {"hosts": {host: fleet.inventory[host] for host in hosts}, "vars": fleet.variables}}
        (self.folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (self.folder / "env" / "extravars").write_text(yaml.safe_dump({**CREDENTIALS, **variables}))
        environment = {"ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_LOG_PATH": str(self.folder / "log")}
        program = pathlib.Path(sys.executable).with_name("ansible-runner")
        command = [str(program), "run", str(self.folder), "-p", f"{playbook}.yml", "-i", "job", "-vvv"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
        )

    def wait(self) -> int:
        self.output = self.process.communicate()[0]
        for path in (self.folder / "env").iterdir():
            path.unlink()  # AWX, too, removes what it put in
        return self.process.returncode

    def events(self) -> t.List[t.Dict[str, t.Any]]:
        return [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]

    def summary(self) -> str:
        found = [line for line in self.output.splitlines() if "SUMMARY" in line]
        assert found, self.output
        return found[0]


def run(fleet: t.Any, name: str, playbook: str, hosts: t.Sequence[str], **variables: t.Any) -> Job:
    job = Job(fleet, name, playbook, hosts, **variables)
    assert job.wait() == 0, job.output
    return job


def take_secrets_out(fleet: t.Any) -> None:
    """The inventory names what the survey asks for; the secrets themselves are in the job alone."""
    del fleet.variables["smartcard_enrollment_ca_passphrase"]
    for variables in fleet.inventory.values():
        for card in variables["smartcard_enrollment_cards"]:
            card["pin"] = "{{ smartcard_first_pin | default(none) }}"
            card["puk"] = "{{ smartcard_first_puk | default(none) }}"
            card["has_puk"] = True


def assert_no_secret(job: Job) -> None:
    contents = [path.read_bytes() for path in job.folder.rglob("*") if path.is_file()]
    contents.append(job.output.encode())
    assert len(contents) > 20 and any(b"SUMMARY" in content or b"report" in content for content in contents)
    for secret in (PASSPHRASE, PIN, PUK):
        for form in (secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode())):
            assert not any(form in content for content in contents)


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
    assert set(jobs) == {path.stem for path in PROJECT.glob("*.yml")}
    assert "enrolled 1" in jobs["enroll"].summary()
    assert json.loads((fleet.folder / "audit.json").read_text())["totals"]["valid"] == 1
    assert "unchanged 1" in jobs["renew"].summary()
    assert "retired 1" in jobs["retire"].summary()
    for job in jobs.values():
        assert any(event["event"] == "runner_on_ok" for event in job.events())
        assert_no_secret(job)


def test_two_slices_at_once_end_as_one_run_does(fleet):
    hosts = ["ws-001", "ws-002", "ws-003", "ws-004"]
    for host in hosts:
        fleet.add(host)
    take_secrets_out(fleet)
    slices = [Job(fleet, f"slice{number}", "enroll", hosts[number::2], **FIRST) for number in range(2)]
    assert [each.wait() for each in slices] == [0, 0], [each.output for each in slices]
    assert ["enrolled 2" in each.summary() for each in slices] == [True, True]
    sliced = end_state(fleet)
    run(fleet, "retired", "retire", hosts, smartcard_enrollment_hosts="all")
    whole = run(fleet, "whole", "enroll", hosts, **FIRST)
    assert "enrolled 4" in whole.summary() and end_state(fleet) == sliced
