# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the way through p11-kit costs: over the card itself, over bare TPM commands, and beside tpm2-pkcs11."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.benchmarks.bench_card import (
    DIGEST,
    KEYS,
    PIN,
    machine,
    make_tpm2_pkcs11_token,
    raw_signer,
    show,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["machine"]

CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
PEER = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so"
TIMED = """
import time
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
def timed(name):
    method = getattr(Card, name)
    def call(*arguments):
        began = time.perf_counter()
        try:
            return method(*arguments)
        finally:
            with open({log!r}, "a") as log:
                log.write(f"{{time.perf_counter() - began}} ")
    setattr(Card, name, call)
for name in ("tries", "verify", "ecdsa", "logout", "close"):
    timed(name)
"""
"""What the service runs first: it notes how long its cards work, for what is left is the way to them."""
ROUNDS = 15
SLOT = 0x9A


@pytest.fixture
def card(machine):
    record = machine.make("bench card", KEYS[:1], faces=(Face.PKCS11,))
    if machine.service is None:
        machine.start_service()
    os.environ["P11_KIT_SERVER_ADDRESS"] = f"unix:path={machine.socket}"
    until(machine.socket.exists)
    yield record
    until(lambda: is_free(machine))
    machine.destroy(record)


@pytest.fixture
def program(machine):
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    built = machine.folder / "sign"
    source = pathlib.Path(__file__).with_name("sign.c")
    subprocess.run(["cc", "-w", "-O1", "-o", str(built), str(source), "-ldl"], check=True)
    return str(built)


def restart(machine, before=""):
    machine.service.kill()
    machine.service.wait()
    machine.start_service(before=before)
    until(lambda: connects(machine.socket))


def is_free(machine):
    """Whether nobody is connected to the TPM, neither here nor in the service's network namespace."""
    lines = pathlib.Path(f"/proc/{machine.service.pid}/net/unix").read_text().splitlines()
    return machine.tpm.is_free() and not any(
        line.endswith(f" {machine.tpm.socket}") and line.split()[5] == "03" for line in lines
    )


def connects(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def fastest(times):
    return statistics.quantiles(times, n=20)[0]


def seconds(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def test_a_new_process_that_logs_in_and_signs_once(machine, card, program):
    """The card used before since the TPM's start; the two in turn, each waiting until the TPM is free."""
    token = {**os.environ, **make_tpm2_pkcs11_token(machine)}

    def run(module, label, environment):
        subprocess.run([program, module, label, PIN], env=environment, check=True, capture_output=True)

    restart(machine, TIMED.format(log=str(machine.folder / "in_the_card")))
    times = {way: [] for way in ("p11-kit", "the card in it", "tpm2-pkcs11")}
    for _unused in range(ROUNDS):
        until(lambda: is_free(machine))
        times["p11-kit"].append(seconds(lambda: run(CLIENT, "bench card", os.environ)))
        until(lambda: is_free(machine))
        times["the card in it"].append(in_the_card(machine))
        times["tpm2-pkcs11"].append(seconds(lambda: run(PEER, "bench", token)))
    median = {way: statistics.median(found[1:]) * 1000 for way, found in times.items()}
    print()
    for way, found in median.items():
        print(f"one P-256 signature of a new process, {way:<16} {found:8.1f} ms")
    outside = statistics.median(all_ - card_ for all_, card_ in zip(times["p11-kit"], times["the card in it"])) * 1000
    print(f"outside the card: {outside:.1f} ms")
    print(f"beside tpm2-pkcs11: ratio {median['p11-kit'] / median['tpm2-pkcs11']:.2f}")


def in_the_card(machine):
    """Seconds that the service's cards have worked since it was last asked."""
    log = machine.folder / "in_the_card"
    spent = sum(map(float, log.read_text().split()))
    log.write_text("")
    return spent


def test_a_loop_of_signatures_against_raw_commands(machine, card, program):
    """The fastest twentieth of many on either side, so that other processes of a busy machine count for neither.

    The raw commands are the ticket and the signature, or all that the key's policy has.
    """
    ours, two, all_ = [], [], []
    for _unused in range(5):
        loop = subprocess.run([program, CLIENT, "bench card", PIN, "200"], check=True, capture_output=True, text=True)
        ours += map(float, loop.stdout.split())
        until(lambda: is_free(machine))
        tpm = Tpm(Tcti.parse(machine.tpm.tcti), machine.store.folder)
        with tpm.taken():
            direct = Card(machine.store, Workbench(tpm), card.number)
            direct.verify(PIN.encode())
            direct.sign(SLOT, DIGEST)
            with raw_signer(tpm, direct, "P-256", SLOT) as raw:
                for _each in range(200):
                    began = time.perf_counter()
                    between = raw()
                    all_.append(time.perf_counter() - began)
                    two.append(all_[-1] - between)
        tpm.close()
    print()
    for raw, theirs in (("two raw commands", two), ("the whole policy", all_)):
        show("P-256 in one session through p11-kit", 1 / fastest(ours), raw, 1 / fastest(theirs))
        show("the median of each", 1 / statistics.median(ours), raw, 1 / statistics.median(theirs))


def test_two_hundred_connections(machine, card):
    """20 of them sign in turn. What one waits beyond its place in the queue would show as a longer turn."""
    from ansible_collections.hardbound.identity.tests.support.p11_kit_client import Mechanism, SocketClient

    programs = [SocketClient(str(machine.socket)) for _each in range(200)]
    ecdsa, signing = Mechanism(0x1041), []
    for client in programs[:20]:
        session = client.open(client.call("C_GetSlotList", 1, 9)[0][0])
        client.call("C_Login", session, 1, PIN.encode())
        (key,) = client.find(session, (0, 3), (0x102, b"\1"))
        signing.append((client, session, key))
        client.sign(session, ecdsa, key, DIGEST)
    alone = statistics.median(
        seconds(lambda: signing[0][0].sign(*signing[0][1:2], ecdsa, signing[0][2], DIGEST)) for _each in range(40)
    )
    turns = []
    for _unused in range(5):
        turns += [seconds(lambda: client.sign(session, ecdsa, key, DIGEST)) for client, session, key in signing]  # noqa: B023
    status = pathlib.Path(f"/proc/{machine.service.pid}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    print(f"\n200 connections, 20 in use: {int(resident) / 1024:.1f} MB resident")
    print(f"one signature: alone {alone * 1000:.2f} ms, taking turns {statistics.median(turns) * 1000:.2f} ms")
    for client in programs:
        client.socket.close()
