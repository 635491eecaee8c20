# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One user's program does its worst with its own card; another user's program signs with another card meanwhile.

The cards of the two lie in one copy of the driver, which is as near as they get.
"""

from __future__ import annotations

import pathlib
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support import hostile_client
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PYSCARD = pathlib.Path("/usr/lib/python3/dist-packages/smartcard")
PYTHON = "/usr/bin/python3"
CLIENT = str(pathlib.Path(hostile_client.__file__))


class Program:
    """A program of a user, in the machine."""

    def __init__(self, machine, *arguments):
        self._process = subprocess.Popen(
            machine._inside("timeout", "50", PYTHON, CLIENT, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def line(self):
        return self._process.stdout.readline().strip()

    def end(self):
        self._process.terminate()  # timeout passes it on
        return self._process.communicate()[0]


@pytest.fixture
def two(machine):
    if not PYSCARD.is_dir():
        pytest.skip("needs python3-pyscard, for programs that send what no tool sends")
    for name in ("attacker", "victim"):
        machine.make(name, keys=(KeySpecification(0x9A, KeyAlgorithm.ECC_P256),))
    machine.start()
    return machine


@pytest.mark.parametrize("attack", hostile_client.ATTACKS)
def test_the_other_signs_while_one_attacks(two, attack, record_property):
    enough = two.folder / "enough"
    victim = Program(two, "sign", "00 01", PIN, str(enough))
    assert victim.line() == "signs"
    attacker = Program(two, "attack", "00 00", attack)
    newcomer = Program(two, "sign", "00 01", PIN, str(enough))
    try:
        assert newcomer.line() == "signs"
        assert attacker.line() == "done"
        enough.touch()
        longest = victim.line()
        assert longest.startswith("longest "), longest + victim.end()
        record_property("longest signature", longest)
    finally:
        for program in (victim, newcomer, attacker):
            program.end()
    assert "ERROR" not in two.log()
    until(lambda: "dentity" in two.run("opensc-tool", "--reader", "0", "--send-apdu", SELECT, ok=None))


SELECT = "00A404000BA000000308000010000100"


@pytest.mark.parametrize(("apdu", "answer"), [("03", "6700"), ("ff", "6700"), ("0000", "6700"), ("000000", "6700")])
def test_what_is_too_short_is_answered(two, apdu, answer):
    client = Program(two, "ask", "00 00", apdu, SELECT)
    assert client.line().startswith(f"{answer} 61")
    client.end()
