# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new process logs in, signs once and ends: a card beside tpm2-pkcs11, in turn, on one /dev/tpmrm0.

tests/benchmarks/bench_first_signature.py is the same without a machine. The card was used before since the start.
"""

from __future__ import annotations

import base64
import json
import pathlib
import shutil
import statistics
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

ROUNDS = 9
MOST_CARDS = 5
SOURCE = pathlib.Path(__file__).parents[1] / "benchmarks/sign.c"
CARD, PEER = "card 0", "peer"
BIN = "/home/alice/sign"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
WAYS = {
    "p11-kit-client": [f"{LIBRARIES}/pkcs11/p11-kit-client.so", CARD],
    "opensc-pkcs11": [f"{LIBRARIES}/opensc-pkcs11.so", "-"],
    "tpm2-pkcs11": [f"{LIBRARIES}/libtpm2_pkcs11.so.1", PEER],
}
"""How a program reaches a key: its module and the token's label. By OpenSC it takes the last card that OpenSC shows."""
ENVIRONMENT = {
    "P11_KIT_SERVER_ADDRESS": "unix:path=/run/hardbound/pkcs11",
    "OPENSC_CONF": "/home/alice/opensc.conf",
    "TPM2_PKCS11_STORE": "/home/alice/token",
    "TPM2_PKCS11_TCTI": "device:/dev/tpmrm0",
    "TSS2_LOG": "all+none",
}
PREPARE = f"""
set -eu
cd /home/alice
echo 'app default {{}} app opensc-pkcs11 {{ pkcs11 {{ max_virtual_slots = 40; }} }}' >opensc.conf
mkdir token
export TPM2_PKCS11_TCTI=device:/dev/tpmrm0
tpm2_ptool init --path token
tpm2_ptool addtoken --pid 1 --label {PEER} --userpin {steps.PIN} --sopin {steps.PIN} --path token
tpm2_ptool addkey --label {PEER} --userpin {steps.PIN} --algorithm ecc256 --path token
"""
MEASURE = f"""
import json, os, subprocess, time
os.environ.update({ENVIRONMENT!r})
times = {{}}
for number in range(1 + {ROUNDS}):
    for way, (module, label) in {WAYS!r}.items():
        began = time.perf_counter()
        subprocess.run([{BIN!r}, module, label, {steps.PIN!r}], check=True)
        times.setdefault(way, []).append(time.perf_counter() - began)
print(json.dumps({{way: found[1:] for way, found in times.items()}}))
"""


def test_a_new_process_that_logs_in_and_signs_once(lab: Lab, tmp_path: pathlib.Path) -> None:
    machine = lab.machine
    put_program(machine, tmp_path)
    machine.root("usermod --append --groups tss alice")
    make(lab, [0])
    machine.run(PREPARE, user="alice")
    for others in (range(0), range(1, MOST_CARDS)):
        if others:
            make(lab, others)
        show(machine, 1 + len(others), json.loads(machine.run("python3 -", user="alice", given=MEASURE).stdout))


def make(lab: Lab, numbers: t.Iterable[int]) -> None:
    """Makes cards, all of which alice may use from both sides, and waits until they are in their readers."""
    cards = [steps.card("alice", name=f"card {number}", faces=["pcsc", "pkcs11"]) for number in numbers]
    for made in lab.controller.tasks(*({steps.MAKE: card} for card in cards)):
        steps.await_card(lab.machine, made["reader"])


def put_program(machine: Machine, folder: pathlib.Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    built = folder / "sign"
    subprocess.run(["cc", "-w", "-O1", "-o", str(built), str(SOURCE), "-ldl"], check=True)
    encoded = base64.b64encode(built.read_bytes()).decode()
    machine.run(f"base64 --decode >{BIN} && chmod 700 {BIN}", user="alice", given=encoded)


def show(machine: Machine, cards: int, times: t.Mapping[str, t.Sequence[float]]) -> None:
    print(f"\n{machine.image.suite}, cards on the host: {cards}")
    theirs = times["tpm2-pkcs11"]
    for way, found in times.items():
        ratio = statistics.median(ours / other for ours, other in zip(found, theirs))
        fastest = min(found) / min(theirs)
        print(
            f"{way:<15} {statistics.median(found) * 1000:8.1f} ms   beside tpm2-pkcs11 {ratio:5.2f},"
            f" the fastest {fastest:5.2f}"
        )
