# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet as it is in life: batches and slices, runs that are killed, variables that nobody set, a full disk."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.tests.support.fleet import family
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = pytest.mark.slow

PATIENCE = 60.0
VISITS = ["smartcard_evidence", "smartcard_activate"]


def test_serial_batches_go_on_past_hosts_that_lack_something(fleet):
    """One host at a time, and the first two can't even begin; only check mode's summary is asked for first."""
    fleet.add("ws-001")
    fleet.inventory["ws-001"]["smartcard_enrollment_ca_passphrase"] = "{{ nobody_defined_this }}"
    fleet.add("ws-002")
    fleet.inventory["ws-002"]["smartcard_enrollment_cards"] = "corp"
    fleet.add("ws-003")
    fleet.add("ws-004")
    options = ("-e", "smartcard_enrollment_serial=1", "--forks", "1")
    run = fleet.play(*options)
    assert run.code and "Traceback" not in run.output, run.output
    assert "\nSUMMARY  enrolled 2  renewed 0  unchanged 0  refused 2\n" in run.output
    assert "refused ws-001  INVENTORY_INVALID  " in run.output and "nobody_defined_this" in run.output
    assert "refused ws-002  INVENTORY_INVALID  " in run.output
    assert {each.host for each in fleet.ledger().certificates()} == {"ws-003", "ws-004"}
    quiet = fleet.play("--skip-tags", "summary", "--limit", "ws-003")
    assert quiet.code == 0 and "SUMMARY" not in quiet.output and quiet.statuses() == {"ws-003": "unchanged"}


def test_slices_at_once_share_one_ledger(fleet):
    """As a controller with job slices does it: each slice is a run of its own over its part of the inventory."""
    for number in range(4):
        fleet.add(f"ws-{number}")
    fleet.write()
    slices = [fleet.begin("--limit", part) for part in ("ws-0:ws-1", "ws-2:ws-3", "ws-2:ws-3")]
    outputs = [process.communicate()[0] for process in slices]
    assert [process.returncode for process in slices] == [0, 0, 0], outputs
    certificates = fleet.ledger().certificates()
    assert len(certificates) == 12 and all(each.activated_at for each in certificates)
    assert sorted({each.host for each in certificates}) == [f"ws-{number}" for number in range(4)]


MOMENTS = {
    "card begun": lambda fleet: list(fleet.folder.glob("ws-001/store/cards/*.json")),
    "issued": lambda fleet: fleet.ledger().certificates(),
    "stored": lambda fleet: fleet.ledger().certificates() and fleet.record("ws-001")["certificates"],
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_is_taken_up(fleet, moment):
    """Controller and host at once, without a word; what was issued is delivered, and nothing is made twice."""
    fleet.add("ws-001")
    fleet.write()
    run = fleet.begin()
    until(lambda: MOMENTS[moment](fleet) or run.poll() is not None, patience=PATIENCE)
    assert run.poll() is None, run.communicate()[0]
    for pid in family(run.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    run.communicate()
    issued = {each.serial for each in fleet.ledger().certificates()}
    again = fleet.play()
    assert again.code == 0, again.output
    certificates = fleet.ledger().certificates()
    assert len(certificates) == 3 and issued <= {each.serial for each in certificates}
    assert all(each.activated_at for each in certificates)
    assert len(list(fleet.folder.glob("ws-001/store/cards/*.json"))) == 1
    assert fleet.play().statuses() == {"ws-001": "unchanged"}


@pytest.fixture
def small_disk(fleet):
    """A file system that a ledger fits on, and nothing more."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a file system without room")
    disk = fleet.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: pathlib.Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def test_trouble_with_one_ledger_does_not_hold_the_others(fleet, small_disk):
    """A full disk, a damaged ledger, one that is gone: one clear line each. With room made, the run goes through."""
    full, damaged = small_disk / "ledger.sqlite", fleet.folder / "damaged.sqlite"
    Ledger(f"sqlite:///{full}", create=True).close()
    fill(small_disk)
    damaged.write_bytes(b"not a database.." * 512)
    ledgers = {"full": full, "damaged": damaged, "gone": fleet.folder / "gone.sqlite"}
    for host, path in ledgers.items():
        fleet.add(host)
        fleet.inventory[host]["smartcard_enrollment_ledger"] = f"sqlite:///{path}"
    fleet.add("good")
    run = fleet.play()
    assert run.code and "Traceback" not in run.output, run.output
    assert {host: result.get("code") for host, result in run.results.items()} == {
        **dict.fromkeys(ledgers, "CONTROLLER_NOT_READY"),
        "good": None,
    }
    assert "has no room on its disk: make room, then run again" in run.results["full"]["msg"]
    assert "is damaged: restore it from a backup" in run.results["damaged"]["msg"]
    assert "can't be opened: No such file or directory" in run.results["gone"]["msg"]
    (small_disk / "ballast").unlink()
    assert fleet.play("--limit", "full").statuses() == {"full": "enrolled"}


def test_the_ca_may_be_read_only(fleet):
    """Issuing writes into the ledger alone: the folder may be part of an execution environment."""
    fleet.add("ws-001")
    ledger = fleet.folder / "ledger.sqlite"
    shutil.move(authority.CaFolder(fleet.ca).ledger, ledger)
    before = {path: path.stat().st_mtime_ns for path in fleet.ca.rglob("*")}
    run = fleet.play(smartcard_enrollment_ledger=f"sqlite:///{ledger}")
    assert run.statuses() == {"ws-001": "enrolled"} and run.visits == {"ws-001": VISITS}, run.output
    assert {path: path.stat().st_mtime_ns for path in fleet.ca.rglob("*")} == before


def test_the_hosts_of_a_run_share_what_opens_the_cas_key(fleet, monkeypatch):
    """scrypt is for who has stolen the folder; a run whose passphrase is right pays for it once, not for each host."""
    environment = {**fleet.environment(), "ANSIBLE_CALLBACKS_ENABLED": "witness,openings"}
    monkeypatch.setattr(fleet, "environment", lambda: environment)
    openings = fleet.folder / "openings"
    for number in range(3):
        fleet.add(f"ws-{number:03}")
    enrolled = fleet.play("--forks", "1")
    assert set(enrolled.statuses().values()) == {"enrolled"}, enrolled.output
    assert openings.read_text().split() == ["issuing.key"]
    openings.unlink()
    unchanged = fleet.play("--forks", "1")
    assert set(unchanged.statuses().values()) == {"unchanged"}, unchanged.output
    assert openings.read_text().split() == ["issuing.key"]
    openings.unlink()
    refused = fleet.play("--forks", "1", smartcard_enrollment_ca_passphrase="incorrect donkey battery")
    assert set(refused.statuses().values()) == {"refused"} and not any(refused.visits.values()), refused.output
    assert openings.read_text().split() == 3 * ["issuing.key"]
