# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passkeys cost: commands of the TPM, room on the card, and memory of the service."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
from collections import Counter

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyUser, WantedPasskey
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.tests.integration.fido2.client import Program
from ansible_collections.hardbound.identity.tests.support.card_bench import PIN, Bench
from ansible_collections.hardbound.identity.tests.support.command_log import CommandLog
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn

pytestmark = pytest.mark.tpm

MANY = 100
START = "StartAuthSession"
MOST_MEMORY = 60_000
"""Kilobytes of the whole process."""
SERVICE = """
import sys
from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._edge import service
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
host = CardHost(sys.argv[1], "/nonexistent")
card = host.open(0)
assert Authenticator(card).transmit(bytes((4,)))[0] == 0
assert len(card.passkeys.listed()) == int(sys.argv[2])
host.close()
print(open("/proc/self/status").read())
"""
"""What the card service has of a card that was asked what it is: all modules, and the card's passkeys."""


@pytest.fixture
def noted(swtpm, clock, unexpected):
    """A program at a card, and the commands that the TPM gets."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        log = CommandLog(swtpm.socket, pathlib.Path(folder) / "relay")
        bench = Bench(pathlib.Path(folder) / "store", log.tcti)
        record = bench.make(pin_retries=8)
        card = bench.open(record)
        with PluggedIn(Authenticator(card, unexpected.append, clock), clock) as plugged_in:
            yield Program(plugged_in, PIN.decode()), log
        card.close()
        bench.destroy(record)
        bench.tpm.close()


SECRET_READ = {"PolicyCommandCode": 1, "PolicyOR": 1, f"{START} salted": 1, "NV_Read": 1}
KEY_MADE = {"Load": 2, START: 1, "Create": 1, "ContextSave": 1, "FlushContext": 1}
SIGNED = {"PolicyTicket": 1, "PolicyOR": 1, "Sign": 1}
"""A passkey that is made attests itself with the key as it is loaded by then."""
MADE = Counter(SECRET_READ) + Counter(KEY_MADE) + Counter(SIGNED)


@pytest.mark.parametrize("resident", [True, False])
def test_a_passkey_that_is_made_loads_its_parent_once(noted, resident):
    program, log = noted
    for _unused in range(2):  # What the first ones alone take.
        program.make(options={"rk": resident})
    token = program.token("MAKE_CREDENTIAL", rp="corp.example")
    with log.counting() as counts:
        program.make(token, options={"rk": resident})
    assert counts == MADE + Counter({"FlushContext": 1})  # That of the key which was used last.


def test_an_assertion_is_two_commands_while_its_key_is_loaded(noted):
    program, log = noted
    identifier = program.make().auth_data.credential_data.credential_id
    program.get(allowed=[identifier])
    for _unused in range(2):
        token = program.token("GET_ASSERTION", rp="corp.example")
        with log.counting() as counts:
            program.get(token, allowed=[identifier])
        assert counts == {"PolicyOR": 1, "Sign": 1}


def test_an_assertion_of_another_passkey_takes_two_more(noted):
    program, log = noted
    first, second = (program.make().auth_data.credential_data.credential_id for _unused in range(2))
    program.get(allowed=[first])
    token = program.token("GET_ASSERTION", rp="corp.example")
    with log.counting() as counts:
        program.get(token, allowed=[second])
    assert counts["ContextLoad"] == counts["FlushContext"] == counts["Sign"] == 1 and counts["Load"] == 0


def test_a_card_has_room_for_a_hundred_and_the_service_for_them(bench):
    record = bench.make("full of passkeys", pin_retries=8)
    card = bench.open(record, PIN)
    for number in range(MANY):
        user = PasskeyUser(number.to_bytes(2, "big"), f"user{number}@corp.example", f"User number {number}")
        card.passkeys.make(WantedPasskey("corp.example", user, discoverable=True))
    assert len({each.identifier for each in card.passkeys.listed()}) == MANY
    last = card.passkeys.listed()[-1]
    assert card.passkeys.sign(last, bytes(32))
    card.close()
    bench.tpm.release()
    command = [sys.executable, "-c", SERVICE.replace("host.open(0)", f"host.open({record.number})")]
    done = subprocess.run([*command, bench.store.folder, str(MANY)], check=True, capture_output=True, text=True)
    status = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    assert int(status["VmHWM"].split()[0]) < MOST_MEMORY
    bench.destroy(record)
