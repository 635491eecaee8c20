# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card service with a socket in the place of /dev/uhid: cards are plugged in, answer, and go."""

from __future__ import annotations

import os
import struct
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.face import PasskeyFace
from ansible_collections.hardbound.identity.plugins.module_utils._edge.service import Service
from ansible_collections.hardbound.identity.plugins.module_utils._edge.uhid import UhidEvent
from ansible_collections.hardbound.identity.tests.integration.fido2.client import Program
from ansible_collections.hardbound.identity.tests.integration.fido2.serving import Machine
from ansible_collections.hardbound.identity.tests.support.waiting import until
from fido2.ctap import CtapError

pytestmark = pytest.mark.tpm

PIN, OTHER = "123456", "654321"


@pytest.fixture
def machine(bench, tmp_path):
    bench.tpm.release()
    machine = Machine(tmp_path / "run", bench.store.folder)
    yield machine
    machine.stop()


@pytest.fixture
def record(bench):
    record = bench.make("for browsers", pin_retries=8, passkeys=True)
    bench.tpm.release()
    yield record
    bench.destroy(record)


def revise(bench, record, **changes):
    with bench.store.changing(record.number):
        bench.store.write(replace(bench.store.read(record.number), **changes))


def test_a_card_is_plugged_in_and_answers(record, machine):
    device = machine.next()
    assert (device.name, device.place) == ("hardbound for browsers", f"hardbound/{record.number:04d}")
    assert device.serial == record.serial.hex()
    program = Program(device, PIN)
    made = program.make(options={"rk": True})
    assert program.get().credential["id"] == made.auth_data.credential_data.credential_id
    assert struct.unpack("=IIHH", device.ask_for_report()) == (UhidEvent.GET_REPORT_REPLY, 77, 95, 0)
    assert program.device.ping(bytes(500)) == bytes(500)


def test_a_new_pin_by_another_process_holds_at_once(bench, record, machine):
    program = Program(machine.next(), PIN)
    token = program.token("MAKE_CREDENTIAL", rp="corp.example")
    piv = bench.open(record)
    piv.change(Reference.PIN, PIN.encode(), OTHER.encode())
    bench.tpm.release()
    for act in (lambda: program.make(token), lambda: program.token("CREDENTIAL_MGMT")):
        with pytest.raises(CtapError, match=r"PIN_AUTH_INVALID|PIN_INVALID"):
            act()
    program.pin = OTHER
    program.make()
    assert machine.count == 1


def test_a_card_that_is_no_authenticator_any_more(bench, record, machine):
    device = machine.next()
    revise(bench, record, passkeys=False)
    assert device.is_gone
    revise(bench, record, passkeys=True)
    Program(machine.next(), PIN).make()
    revise(bench, record, presented=False)
    until(lambda: machine.count == 2, "a card that the policy hides was plugged in")


def test_a_card_that_is_destroyed_is_unplugged(bench, machine):
    record = bench.make("short", passkeys=True)
    bench.tpm.release()
    device = machine.next()
    bench.destroy(record)
    bench.tpm.release()
    assert device.is_gone


def test_a_device_that_the_kernel_takes_away_is_plugged_in_anew(record, machine):
    machine.next().end()
    Program(machine.next(), PIN).make()


def test_cards_without_passkeys_are_not_plugged_in(bench, record, machine):
    plain = bench.make("plain")
    bench.tpm.release()
    Program(machine.next(), PIN).make()
    assert machine.count == 1
    bench.destroy(plain)
    bench.tpm.release()


def test_a_host_without_uhid_serves_its_other_cards(bench, record, tmp_path, caplog):
    """As in containers: the card's other faces go on, and the log says what is missing, once."""
    if os.path.exists("/dev/uhid"):
        pytest.skip("this host has /dev/uhid")
    folder = tmp_path / "run"
    folder.mkdir()
    service = Service(CardHost(bench.store.folder, str(folder / "no policy")), folder, ("127.0.0.1", 1))
    service.offer_passkeys(PasskeyFace(True))
    for _look in range(3):
        service._store_due = 0.0
        service.step()
    service._close()
    told = [each for each in caplog.messages if "/dev/uhid can't be opened" in each]
    assert len(told) == 1 and "tpm_host_passkeys" in told[0]
