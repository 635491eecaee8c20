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
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PYSCARD = pathlib.Path("/usr/lib/python3/dist-packages/smartcard")
PYTHON = "/usr/bin/python3"

CONNECT = """
import os, sys, time
from smartcard.scard import *

def connect(name):
    context = SCardEstablishContext(SCARD_SCOPE_USER)[1]
    [reader] = [each for each in SCardListReaders(context, [])[1] if each.endswith(name)]
    for _try in range(200):
        status, card, protocol = SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1)
        if status == SCARD_S_SUCCESS:
            return card
        time.sleep(0.05)
    sys.exit("no card")

def send(card, hexadecimal):
    status, answer = SCardTransmit(card, SCARD_PCI_T1, list(bytes.fromhex(hexadecimal)))
    return bytes(answer).hex() if status == SCARD_S_SUCCESS else f"error {status & 0xFFFFFFFF:08X}"
"""

VICTIM = (
    CONNECT
    + """
card = connect("00 01")
assert send(card, "0020008008" + "313233343536ffff") == "9000"
longest = number = 0
while number < 5 or not os.path.exists(sys.argv[1]):
    start = time.monotonic()
    answer = send(card, "0087119A267C24820081" + "20" + "5A" * 32)
    assert answer.endswith("9000"), answer
    longest = max(longest, time.monotonic() - start)
    number += 1
    if number == 1:
        print("signs", flush=True)
print(f"longest {longest:.3f}", flush=True)
"""
)

ATTACKS = {
    "power off": "send(card, '00')",
    "power on": "send(card, '01')",
    "reset": "send(card, '02')",
    "the word for the ATR": "send(card, '04')",
    "one byte": "send(card, '03'), send(card, 'ff')",
    "nothing": "send(card, '')",
    "a transaction without end": "SCardBeginTransaction(card)",
    "a chain without end": "for _each in range(3000): send(card, '10DB3FFFFF' + '5A' * 255)",
    "a flood": "for _each in range(3000): send(card, '00CB3FFF055C035FC102')",
    "longest commands": "for _each in range(50): send(card, '00DB3FFF00FFF0' + '5A' * 0xFFF0)",
}
ATTACKER = CONNECT + "card = connect('00 00')\nexec(sys.argv[1])\nprint('done', flush=True)\ntime.sleep(60)\n"


class Program:
    """A program of a user, in the machine."""

    def __init__(self, machine, code, *arguments):
        self._process = subprocess.Popen(
            machine._inside("timeout", "50", PYTHON, "-c", code, *arguments),
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


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_other_signs_while_one_attacks(two, attack, record_property):
    enough = two.folder / "enough"
    victim = Program(two, VICTIM, str(enough))
    assert victim.line() == "signs"
    attacker = Program(two, ATTACKER, attack)
    newcomer = Program(two, VICTIM, str(enough))
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
    client = Program(two, CONNECT + f"card = connect('00 00')\nprint(send(card, '{apdu}'), send(card, '{SELECT}'))")
    assert client.line().startswith(f"{answer} 61")
    client.end()
