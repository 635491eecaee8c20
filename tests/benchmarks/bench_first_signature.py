# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What most programs do: a new process logs in, signs once and ends. Beside tpm2-pkcs11, in turn, on one TPM.

The card was used before since the TPM's start. The TPM is as slow as a firmware TPM or a discrete one by a relay that
holds each command up, beside swtpm as it is. Neither side has a resource manager, so each of ours also pays for the
listing of what is loaded, which /dev/tpmrm0 spares.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.turnstile import Turnstile
from ansible_collections.hardbound.identity.tests.benchmarks.bench_card import (
    KEYS,
    PIN,
    make_tpm2_pkcs11_token,
    token_slots,
)
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.command_log import ASYMMETRIC, PROFILES, SlowTpm
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from ansible_collections.hardbound.identity.tests.support.waiting import until

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
CLIENT, OPENSC = f"{LIBRARIES}/pkcs11/p11-kit-client.so", f"{LIBRARIES}/opensc-pkcs11.so"
PEER = f"{LIBRARIES}/pkcs11/libtpm2_pkcs11.so"
ROUNDS = {"swtpm": 15, "firmware TPM": 7, "discrete TPM": 5}


@pytest.fixture
def machine(request):
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        place = pathlib.Path(folder)
        (place / "tpm").mkdir()
        software_tpm = SoftwareTpm(place / "tpm")
        software_tpm.start()
        tpm = SlowTpm(software_tpm)
        machine = CardMachine(place, tpm)
        for number in range(request.param):
            machine.make(f"bench card {number}", KEYS[:1], faces=(Face.PCSC, Face.PKCS11))
        yield machine
        machine.stop()
        software_tpm.stop()


def build(folder):
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    built = folder / "sign"
    source = pathlib.Path(__file__).with_name("sign.c")
    subprocess.run(["cc", "-w", "-O1", "-o", str(built), str(source), "-ldl"], check=True)
    return str(built)


def ways(machine):
    """How a program reaches a key: its module, the token's label, and its environment."""
    peer = make_tpm2_pkcs11_token(machine)
    configuration = machine.folder / "opensc.conf"
    configuration.write_text("app default {}\napp opensc-pkcs11 { pkcs11 { max_virtual_slots = 40; } }\n")
    return {
        "p11-kit-client": (CLIENT, "bench card 0", {"P11_KIT_SERVER_ADDRESS": f"unix:path={machine.socket}"}),
        "opensc-pkcs11": (OPENSC, "-", {"OPENSC_CONF": str(configuration)}),
        "tpm2-pkcs11": (PEER, "bench", peer),
    }


def let_go(machine):
    """Waits until the service has the TPM no more: a program of another maker would lose its sessions to it."""
    turnstile = Turnstile(machine.store.folder, machine.tpm.tcti)
    turnstile.acquire(polite=False)
    turnstile.release()
    turnstile.close()
    until(lambda: machine.tpm.log.is_idle)


@pytest.mark.parametrize("machine", [1, 5], indirect=True, ids=["1 card", "5 cards"])
def test_a_new_process_that_logs_in_and_signs_once(machine):
    program, reached = build(machine.folder), ways(machine)
    machine.start()
    until(lambda: token_slots(machine, {**os.environ, **reached["opensc-pkcs11"][2]}), machine.log)
    for name, delays in PROFILES.items():
        machine.tpm.log.delays = dict(delays)
        times = {way: [] for way in reached}
        commands = {}
        for _unused in range(1 + ROUNDS[name]):
            for way, (module, label, environment) in reached.items():
                let_go(machine)
                with machine.tpm.log.counting() as commands[way]:
                    began = time.perf_counter()
                    machine.run(program, module, label, PIN, env={**os.environ, **environment})
                    times[way].append(time.perf_counter() - began)
                    let_go(machine)
        show(name, times, commands)


def show(name, times, commands):
    print()
    theirs = times["tpm2-pkcs11"][1:]
    for way, found in times.items():
        ratio = statistics.median(ours / other for ours, other in zip(found[1:], theirs))
        fastest = min(found[1:]) / min(theirs)
        slow = sum(count for kind, count in commands[way].items() if kind in ASYMMETRIC)
        print(
            f"{name:<13} {way:<15} {statistics.median(found[1:]) * 1000:8.1f} ms   beside tpm2-pkcs11 {ratio:5.2f},"
            f" the fastest {fastest:5.2f}   {sum(commands[way].values())} TPM commands, {slow} with a curve or RSA"
        )
