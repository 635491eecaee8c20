# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM that takes long: it is asked little, programs wait for it, and no card leaves its reader meanwhile."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.card_machine import AS_MANAGED, KEYS, PIN, CardMachine
from ansible_collections.hardbound.identity.tests.support.command_log import ASYMMETRIC, PROFILES, SlowTpm
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
SECONDS = 12
"""What the TPM takes for a key: longer than the 10 that SSSD gives its child, the shortest known limit on the way."""
CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"


@pytest.fixture
def machine(software_tpm, short_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and pcscd")
    needs("pcscd", "pkcs11-tool", "yubico-piv-tool", "nsenter")
    machine = CardMachine(short_path, SlowTpm(software_tpm))
    yield machine
    machine.stop()


def signing(machine, label, module=()):
    use = ("--login", "--pin", PIN, "--sign", "--mechanism", "ECDSA", "--id", "01", "--output-file", "/dev/null")
    service = f"P11_KIT_SERVER_ADDRESS=unix:path={machine.socket}"
    machine.run("env", service, "pkcs11-tool", *module, "--token-label", label, *use, stdin="x" * 32)


def generating(machine, card, slot):
    """An administrator's program that has a card make a key."""
    tool = ("yubico-piv-tool", "--reader", card, f"--key={KEY.value.hex()}", "--slot", slot, "--algorithm", "RSA2048")
    command = machine._inside(*tool, "--action", "generate")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("module", [(), ("--module", CLIENT)], ids=["opensc-pkcs11", "p11-kit-client"])
def test_a_new_program_asks_the_tpm_for_little(machine, module):
    """It logs in and signs once; the host has another card too, and the card was used before. As on /dev/tpmrm0."""
    for name in ("first", "second"):
        machine.make(name, KEYS[:1], faces=(Face.PCSC, Face.PKCS11))
    machine.start_pcscd()
    machine.start_service(before=AS_MANAGED)
    machine.await_cards()
    signing(machine, "first", module)
    with machine.tpm.log.counting() as counts:
        signing(machine, "first", module)
    assert sum(counts.values()) <= 12, counts
    assert sum(count for kind, count in counts.items() if kind in ASYMMETRIC) <= 2, counts


def test_others_wait_for_a_key_that_takes_long_and_nothing_breaks(machine):
    """An administrator has a card make an RSA key. Another card's user signs meanwhile, and looks at the reader."""
    machine.make("maker", keys=(), admin_key=KEY)
    machine.make("user", KEYS[:1], faces=(Face.PCSC, Face.PKCS11))
    machine.start()
    signing(machine, "user", ("--module", CLIENT))
    machine.tpm.log.delays = {"Create": SECONDS}
    made = generating(machine, "maker", "9a")
    until(lambda: machine.tpm.log.kinds[-1] == "Create")
    started = len(machine.tpm.log.kinds)
    with ThreadPoolExecutor() as users:
        signed = users.submit(signing, machine, "user", ("--module", CLIENT))
        looked = users.submit(machine.run, "yubico-piv-tool", "--reader", "user", "--action", "status")
        said, _unused = made.communicate(timeout=60)
        assert made.returncode == 0 and "BEGIN PUBLIC KEY" in said, said
        assert signed.result() is None and "PIN tries left:" in looked.result()
    assert "Sign" in machine.tpm.log.kinds[started:]
    machine.tpm.log.delays = {}
    machine.await_cards()
    assert "hung pcscd" not in machine.log() and "ERROR" not in machine.log(), machine.log()


def test_a_process_that_waits_for_a_busy_tpm_gets_it(machine):
    """A module's process uses its card while the service is at a key."""
    record = machine.make("user", KEYS[:1], admin_key=KEY)
    machine.start()
    machine.tpm.log.delays = {"Create": SECONDS}
    made = generating(machine, "user", "9c")
    until(lambda: machine.tpm.log.kinds[-1] == "Create")
    tpm = Tpm(Tcti.parse(machine.tpm.tcti), machine.store.folder)
    with tpm.taken(), Card(machine.store, Workbench(tpm), record.number) as card:
        card.verify(PIN.encode())
        assert card.sign(0x9A, bytes(32))
    said, _unused = made.communicate(timeout=60)
    assert made.returncode == 0, said


def test_a_discrete_tpm_serves_all_programs(machine):
    machine.make("user", KEYS[:1], faces=(Face.PCSC, Face.PKCS11))
    machine.start()
    machine.tpm.log.delays = dict(PROFILES["discrete TPM"])
    for module in ((), ("--module", CLIENT)):
        for _unused in range(2):
            signing(machine, "user", module)
    assert "Successfully" in machine.run("yubico-piv-tool", "--reader", "user", "--action", "verify-pin", "--pin", PIN)
    assert "ERROR" not in machine.log(), machine.log()
