# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card costs over the TPM that carries it, and beside tpm2-pkcs11 on the same TPM. Ratios of one run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._edge.piv import Application
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import tlv
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.access_broker import TCTI, access_broker
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from ansible_collections.hardbound.identity.tests.support.waiting import until

PIN = "123456"
DIGEST = hashlib.sha256(b"what is signed").digest()
RSA_BLOCK = b"\x00\x01" + b"\xff" * 202 + b"\x00" + bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256), KeySpecification(0x9D, KeyAlgorithm.RSA_2048))
SLOTS = {"P-256": 0x9A, "RSA-2048": 0x9D}
ROUNDS = {"P-256": 300, "RSA-2048": 150}
PASSES = 5


@pytest.fixture(scope="module")
def machine():
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        place = pathlib.Path(folder)
        (place / "tpm").mkdir()
        tpm = SoftwareTpm(place / "tpm")
        tpm.start()
        machine = CardMachine(place, tpm)
        yield machine
        machine.stop()
        tpm.stop()


def rate(action, rounds):
    """Actions a second, the median of short passes."""
    action()
    rates = []
    for _unused in range(PASSES):
        began = time.perf_counter()
        for _unused in range(rounds // PASSES):
            action()
        rates.append(rounds // PASSES / (time.perf_counter() - began))
    return statistics.median(rates)


def show(what, ours, name, theirs):
    print(f"{what:<58} {ours:8.1f}/s   {name} {theirs:8.1f}/s   ratio {ours / theirs:5.2f}")


def test_signatures_at_the_service_against_two_raw_commands(machine):
    """The same TPM, the same key, ticket and session: the card as a program's APDU finds it, against bare commands."""
    record = machine.make("bench", KEYS)
    tpm = Tpm(Tcti.parse(machine.tpm.tcti), machine.store.folder)
    card = Card(machine.store, Workbench(tpm), record.number)
    application = Application(card)
    verify = bytes.fromhex("0020008008") + PIN.encode().ljust(8, b"\xff")
    print()
    for name, slot in SLOTS.items():
        assert application.transmit(verify) == b"\x90\x00"
        apdu = general_authenticate(name, slot)
        assert application.transmit(apdu)[-2:] == b"\x90\x00"
        ratios = []
        with raw_signer(tpm, card, name, slot) as raw:
            for _unused in range(3):
                ours = rate(lambda: application.transmit(apdu), ROUNDS[name])  # noqa: B023
                theirs = rate(raw, ROUNDS[name])
                ratios.append(ours / theirs)
        show(f"{name} at the card's APDUs", ours, "raw TPM", theirs)
        print(f"{'':<58} median ratio of three {statistics.median(ratios):.2f}")
    machine_close(tpm, machine, record)


def general_authenticate(name, slot):
    challenge = DIGEST if name == "P-256" else RSA_BLOCK
    body = tlv.encode(0x7C, tlv.encode(0x82), tlv.encode(0x81, challenge))
    algorithm = 0x11 if name == "P-256" else 0x07
    return bytes((0x00, 0x87, algorithm, slot, 0x00)) + len(body).to_bytes(2, "big") + body + b"\x00\x00"


@contextlib.contextmanager
def raw_signer(tpm, card, name, slot):
    """Prepared commands to the TPM, nothing else: the ticket, the rest of the key's policy, and the signature."""
    ticket = card._session.opened.ticket
    saved = card._session.saved_keys[slot]
    handle = card._session.bench.place(saved)
    session = wire.first_handle(tpm.run(wire.start_policy_session()))
    first = wire.policy_ticket(session, ticket.timeout, ticket.name, ticket.proof)
    rest = list(wire.policy_steps(session, saved.rest))
    second = (
        wire.sign_ecdsa(handle, session, DIGEST, Algorithm.SHA256)
        if name == "P-256"
        else wire.rsa_private(handle, session, RSA_BLOCK)
    )

    def sign():
        """Returns the seconds that the steps between the ticket and the signature took."""
        tpm.run(first)
        began = time.perf_counter()
        for step in rest:
            tpm.run(step)
        between = time.perf_counter() - began
        tpm.run(second)
        return between

    yield sign
    tpm.flush(session)


def machine_close(tpm, machine, record):
    tpm.close()
    machine.destroy(record)


PYKCS11_LOOP = """
import statistics, sys, time, PyKCS11
from PyKCS11 import CKM_ECDSA, CKM_RSA_PKCS, Mechanism
module, label, pin, rounds, kind = sys.argv[1:6]
began = time.perf_counter()
library = PyKCS11.PyKCS11Lib()
library.load(module)
slots = library.getSlotList(tokenPresent=True)
slot = next(s for s in slots if label in library.getTokenInfo(s).label or label == "-")
session = library.openSession(slot)
session.login(pin)
ec = kind == "P-256"
kind = PyKCS11.CKK_EC if ec else PyKCS11.CKK_RSA
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_KEY_TYPE, kind)])[0]
data = bytes(range(32)) if ec else bytes.fromhex("3031300d060960864801650304020105000420") + bytes(range(32))
mechanism = Mechanism(CKM_ECDSA if ec else CKM_RSA_PKCS)
session.sign(key, data, mechanism)
first = time.perf_counter() - began
times = []
for _unused in range(int(rounds)):
    start = time.perf_counter()
    session.sign(key, data, mechanism)
    times.append(time.perf_counter() - start)
print(1 / statistics.median(times), first)
"""


def test_signatures_through_pkcs11_against_tpm2_pkcs11(machine):
    """PyKCS11 loops through opensc-pkcs11, pcscd and the service, and through tpm2-pkcs11, on one TPM in turn."""
    token = make_tpm2_pkcs11_token(machine)
    peer = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so"
    opensc = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
    print()
    for name, key in zip(SLOTS, KEYS):
        record = machine.make("bench", (replace(key, slot=0x9A),))  # OpenSC signs with no key of slot 9D.
        if machine.service is None:
            machine.start()
        machine.await_cards()
        ours, ours_first = loop(machine, opensc, "-", name, {})
        until(machine.tpm.is_free)  # The service lets go of a TPM that takes one program at a time.
        theirs, theirs_first = loop(machine, peer, "bench", name, token)
        show(f"{name} through opensc-pkcs11 and pcscd", ours, "tpm2-pkcs11", theirs)
        ratio = ours_first / theirs_first
        print(f"{name + ': first signature of a new process':<58} {ours_first:8.3f} s", end="   ")
        print(f"tpm2-pkcs11 {theirs_first:8.3f} s   ratio {ratio:5.2f}")
        print(f"the service's memory and processor with one card: {usage(machine.service.pid, 10)}")
        machine.destroy(record)
        machine.await_cards()


def loop(machine, module, label, name, environment):
    """Runs the loop in a new process and returns its rate and the time to its first signature."""
    arguments = ("/usr/bin/python3", "-c", PYKCS11_LOOP, module, label, PIN, str(ROUNDS[name]), name)
    found = machine.run(*arguments, env={**os.environ, **environment})
    return (float(number) for number in found.splitlines()[-1].split())


def make_tpm2_pkcs11_token(machine):
    """Sets tpm2-pkcs11 up behind a resource manager, which its tools can't do without; it signs without one."""
    store = machine.folder / "tpm2-pkcs11"
    store.mkdir(exist_ok=True)
    path = ["--path", str(store)]
    pins = ["--userpin", PIN, "--sopin", PIN]
    add_key = ["tpm2_ptool", "addkey", "--label", "bench", "--userpin", PIN]
    with access_broker(machine.tpm.tcti) as reach:
        everything = {**os.environ, **reach, "TPM2_PKCS11_TCTI": TCTI, "TPM2TOOLS_TCTI": TCTI, "TSS2_LOG": "all+none"}
        for command in (
            ["tpm2_ptool", "init", *path],
            ["tpm2_ptool", "addtoken", "--pid", "1", "--label", "bench", *pins, *path],
            [*add_key, "--algorithm", "ecc256", *path],
            [*add_key, "--algorithm", "rsa2048", *path],
        ):
            done = subprocess.run(command, env=everything, check=False, capture_output=True, text=True)
            assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr
    return {"TPM2_PKCS11_STORE": str(store), "TPM2_PKCS11_TCTI": machine.tpm.tcti, "TSS2_LOG": "all+none"}


def test_the_service_with_ten_cards(machine):
    records = [machine.make(f"card {number}", KEYS[:1]) for number in range(10)]
    for process in (machine.service, machine.pcscd):
        if process is not None:
            process.kill()
            process.wait()
    machine.run("rm", "-f", "/run/pcscd/pcscd.comm", "/run/pcscd/pcscd.pid")
    machine.start()
    # OpenSC gives each reader 4 slots and has 16 in all, unless its configuration says otherwise.
    configuration = machine.folder / "opensc.conf"
    configuration.write_text("app default {}\napp opensc-pkcs11 { pkcs11 { max_virtual_slots = 40; } }\n")
    everything = {**os.environ, "OPENSC_CONF": str(configuration)}
    until(lambda: len(token_slots(machine, everything)) == 10)
    slots = token_slots(machine, everything)
    use = ("--login", "--pin", PIN, "--sign", "--mechanism", "ECDSA", "--id", "01", "--output-file", "/dev/null")
    for slot in slots:
        machine.run("pkcs11-tool", "--slot", slot, *use, stdin="x" * 32, env=everything)
    print(f"\nthe service with ten cards, all used: {usage(machine.service.pid, 10)}")
    for record in records:
        machine.destroy(record)


def token_slots(machine, environment):
    """pcscd looks for a card now and then, so a reader may seem empty at first."""
    found = machine.run("pkcs11-tool", "--list-token-slots", ok=None, env=environment)
    return [line.split()[2].strip("():") for line in found.splitlines() if line.startswith("Slot ")]


def usage(pid, seconds):
    """Resident memory, and processor time over some idle seconds, of a process from the kernel's accounting."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    before = processor_time(pid)
    time.sleep(seconds)
    spent = processor_time(pid) - before
    return f"{int(resident) / 1024:.1f} MB resident, {100 * spent / seconds:.2f} % of a core when idle"


def processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars: {{ansible_python_interpreter: /usr/bin/python3}}
  tasks:
    - name: step
      {module}
      with_sequence: count={count}
"""


def playbook_seconds(folder, module, count):
    """Seconds of a playbook with so many runs of a module; the difference of two counts leaves its start out."""
    path = folder / "bench.yml"
    path.write_text(PLAYBOOK.format(module=module, count=count))
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", str(path)]
    began = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "ANSIBLE_PIPELINING": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - began


def module_seconds(folder, module, runs=10):
    return (playbook_seconds(folder, module, runs + 1) - playbook_seconds(folder, module, 1)) / runs


def test_the_module_against_one_that_does_nothing(machine):
    if shutil.which("ansible-playbook") is None:
        pytest.skip("needs ansible-playbook on PATH")
    arguments = f"{{name: %s, pin: '12345678', tpm: '{machine.tpm.tcti}', store: '{machine.store.folder}'}}"
    card = f"hardbound.identity.virtual_smartcard: {arguments}"
    library = machine.folder / "library"
    library.mkdir()
    (library / "bench_nothing.py").write_text(NOTHING)
    os.environ["ANSIBLE_LIBRARY"] = str(library)
    nothing = "bench_nothing: {}"
    playbook_seconds(machine.folder, card % "unchanged", 1)
    unchanged, idle = [], []
    for _unused in range(3):
        unchanged.append(module_seconds(machine.folder, card % "unchanged"))
        idle.append(module_seconds(machine.folder, nothing))
    new = module_seconds(machine.folder, card % "'new {{ item }}'", 5)
    base = statistics.median(idle)
    print(f"\nvirtual_smartcard, unchanged: {statistics.median(unchanged) / base:.2f} times a module that does nothing")
    print(f"virtual_smartcard, a new card without keys: {new / base:.2f} times ({base * 1000:.0f} ms is one)")


NOTHING = """
from ansible.module_utils.basic import AnsibleModule

AnsibleModule(argument_spec={}).exit_json(changed=False)
"""
