# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new process logs in, signs once and ends: a card beside tpm2-pkcs11, in turn, on one /dev/tpmrm0.

Beside that, a logon by ssh with the card, in turn with the same by a key in a file. The card was used before since the
start. The TPM is as slow as a firmware TPM or a discrete one by what stands between QEMU and swtpm.
tests/benchmarks/bench_first_signature.py and bench_logon.py are the same without a machine.
"""

from __future__ import annotations

import base64
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._command.trial import P11_KIT
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support import command_log
from ansible_collections.hardbound.identity.tests.support.machine_controller import Controller
from ansible_collections.hardbound.identity.tests.support.machine_image import Image
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit
from ansible_collections.hardbound.identity.tests.support.slow_channel import SlowChannel
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine, Snapshot

ROUNDS = 7
OTHERS: t.Dict[str, t.Optional[str]] = {"1 card": None, "1 card, and 4 of bob": "bob", "5 cards": "alice"}
"""What is on the computer beside the card that signs, and whose the four others are."""
SOURCE = pathlib.Path(__file__).parents[1] / "benchmarks/sign.c"
CARD, PEER = "card 0", "peer"
BIN = "/home/alice/sign"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
WAYS = {
    "p11-kit-client": [BIN, f"{LIBRARIES}/pkcs11/p11-kit-client.so", CARD, steps.PIN],
    "opensc-pkcs11": [BIN, f"{LIBRARIES}/opensc-pkcs11.so", "-", steps.PIN],
    "tpm2-pkcs11": [BIN, f"{LIBRARIES}/pkcs11/libtpm2_pkcs11.so", PEER, steps.PIN],
}
"""A program, with its module and the token's label. By OpenSC it takes the last card that OpenSC shows."""
_KNOWN = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=known"]
_SSH = ["ssh", "-F", "none", *_KNOWN, "-o", "IdentityAgent=none"]
LOGONS = {
    "ssh by card": [*_SSH, "-o", "IdentityFile=none", "-o", f"PKCS11Provider={steps.MODULE}", "localhost", "true"],
    "ssh by file": [*_SSH, "-o", "IdentitiesOnly=yes", "-i", "key", "localhost", "true"],
}
ENVIRONMENT = {
    "P11_KIT_SERVER_ADDRESS": f"unix:path={P11_KIT}",
    "OPENSC_CONF": "/home/alice/opensc.conf",
    "TPM2_PKCS11_STORE": "/home/alice/token",
    "TPM2_PKCS11_TCTI": "device:/dev/tpmrm0",
    "TSS2_LOG": "all+none",
    "SSH_ASKPASS": "/home/alice/askpass",
    "SSH_ASKPASS_REQUIRE": "force",
}
PREPARE = f"""
set -eu
cd /home/alice
echo 'app default {{}} app opensc-pkcs11 {{ pkcs11 {{ max_virtual_slots = 40; }} }}' >opensc.conf
printf '#!/bin/sh\necho {steps.PIN}\n' >askpass
chmod 700 askpass
ssh-keygen -q -t ecdsa -b 256 -N '' -f key
{{ cat key.pub; ssh-keygen -D {steps.MODULE}; }} >>.ssh/authorized_keys
mkdir token
export TPM2_PKCS11_TCTI=device:/dev/tpmrm0
tpm2_ptool init --path token
tpm2_ptool addtoken --pid 1 --label {PEER} --userpin {steps.PIN} --sopin {steps.PIN} --path token
tpm2_ptool addkey --label {PEER} --userpin {steps.PIN} --algorithm ecc256 --path token
"""
MEASURE = f"""
import json, os, subprocess, sys, time
os.environ.update({ENVIRONMENT!r})
times = {{}}
for number in range(1 + {ROUNDS}):
    for way, command in json.loads(sys.argv[1]).items():
        began = time.perf_counter()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        times.setdefault(way, []).append(time.perf_counter() - began)
print(json.dumps({{way: found[1:] for way, found in times.items()}}))
"""
OUTFIT = Outfit(variables={"tpm_host_faces": ["pcsc", "pkcs11"], "tpm_host_firefox": False, "tpm_host_chromium": False})
Times = t.Dict[str, t.List[float]]


@pytest.fixture
def outfit() -> Outfit:
    return OUTFIT


@pytest.fixture
def channels() -> t.List[SlowChannel]:
    return []


@pytest.fixture
def slow_lab(
    debian: Image, prepared: pathlib.Path, channels: t.List[SlowChannel], tmp_path: pathlib.Path
) -> t.Iterator[Lab]:
    """A prepared machine whose TPM can be slowed down."""
    machine = Machine(debian, Snapshot(prepared))
    machine.between = lambda tpm, relay: channels.append(SlowChannel(tpm, relay, command_log.kind))
    with machine:
        yield Lab(machine, Controller(tmp_path / "controller", machine), prepared / "anchors.pem")


def test_a_new_process_that_logs_in_and_signs_once(
    slow_lab: Lab, channels: t.List[SlowChannel], tmp_path: pathlib.Path
) -> None:
    machine = slow_lab.machine
    put_program(machine, tmp_path)
    machine.root("usermod --append --groups tss alice")
    make(slow_lab, "alice", [0])
    machine.run(PREPARE, user="alice")
    for cards, owner in OTHERS.items():
        if owner:
            make(slow_lab, owner, range(1, 5))
        for profile, delays in command_log.PROFILES.items():
            channels[-1].delays = delays
            title = f"{machine.image.suite}, {profile}, {cards}"
            show(title, "tpm2-pkcs11", measured(machine, WAYS))
            if not owner:
                show(title, "ssh by file", measured(machine, LOGONS))
            channels[-1].delays = {}


def measured(machine: Machine, commands: t.Mapping[str, t.Sequence[str]]) -> Times:
    command = f"python3 - {shlex.quote(json.dumps(commands))}"
    return t.cast(Times, json.loads(machine.run(command, user="alice", given=MEASURE).stdout))


def make(lab: Lab, owner: str, numbers: t.Iterable[int]) -> None:
    """Makes cards, or gives those that are there to somebody else, and waits until all are in their readers."""
    cards = [steps.card(owner, name=f"card {number}", faces=["pcsc", "pkcs11"]) for number in numbers]
    # A reader is named after its cards, so that a later card may give it another name.
    found = lab.controller.tasks(*({steps.MAKE: card} for card in cards), {steps.LIST: {}})[-1]
    for card in found["cards"]:
        steps.await_card(lab.machine, card["reader"], "alice" if card["name"] == CARD else owner)


def put_program(machine: Machine, folder: pathlib.Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    built = folder / "sign"
    subprocess.run(["cc", "-w", "-O1", "-o", str(built), str(SOURCE), "-ldl"], check=True)
    encoded = base64.b64encode(built.read_bytes()).decode()
    machine.run(f"base64 --decode >{BIN} && chmod 700 {BIN}", user="alice", given=encoded)


def show(title: str, beside: str, times: Times) -> None:
    print(f"\n{title}")
    theirs = times[beside]
    for way, found in times.items():
        ratio = statistics.median(ours / other for ours, other in zip(found, theirs))
        over = statistics.median(ours - other for ours, other in zip(found, theirs))
        fastest = min(found) / min(theirs)
        print(
            f"  {way:<15} {statistics.median(found) * 1000:8.1f} ms   beside {beside} {ratio:5.2f},"
            f" the fastest {fastest:5.2f}, {over:5.2f} s over it"
        )
