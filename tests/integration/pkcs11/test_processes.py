# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a login where processes fork, where files are few, and where the TPM itself is locked out."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import select
import shutil
import sys
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import identify
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.lockout import Parameters, set_parameters
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.support import pkcs11_module
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import SocketClient
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import CLIENT, Host
from ansible_collections.hardbound.identity.tests.support.waiting import until

OLD, OLD_PIN = pathlib.Path(__file__).parents[2] / "data" / "store_version_2", "234567"
"""A card of an older release, with its TPM."""
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256),)
FORKS = """
import importlib.util, json, os, sys
spec = importlib.util.spec_from_file_location("pkcs11_module", sys.argv[1])
pkcs11 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pkcs11)
module = pkcs11.Module(sys.argv[2])
module.initialize()
session = module.open(module.slots()[0])
module.log_in(session, sys.argv[3])
key = module.find_private_key(session, b"\\1")


def tried(sign):
    try:
        return len(sign())
    except Exception as error:
        return str(error)


def anew():
    module.initialize()
    opened = module.open(module.slots()[0])
    return module.sign(opened, key, bytes(32))


child = os.fork()
if not child:
    print(json.dumps([tried(lambda: module.sign(session, key, bytes(32))), tried(anew)]), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps(tried(lambda: module.sign(session, key, bytes(32)))))
"""
"""A program that logs in and forks. It prints what its child can do with the login, and anew, and then what it can."""


def test_a_child_has_nothing_of_the_login(host: Host) -> None:
    host.make("Corp card", keys=KEYS)
    host.start()
    said = host.run(sys.executable, "-c", FORKS, pkcs11_module.__file__, CLIENT, PIN)
    child, parent = map(json.loads, said.splitlines())
    assert child == ["C_SignInit ended with 0x190", "C_SignInit ended with 0x60"]
    assert parent == 64


def test_where_the_service_may_open_few_files_programs_are_served_still(host: Host) -> None:
    """Connections of two users; beyond what there is room for, programs have no slots."""
    host.make("Corp card", keys=KEYS)
    host.machine.program = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64));" + host.machine.program
    )
    host.start()
    service = host.machine.service
    assert service is not None
    refused, open_ones = 0, []
    for _each in range(60):
        try:
            open_ones.append(SocketClient(str(host.machine.socket)))
        except (OSError, EOFError, AssertionError):
            refused += 1
    assert (len(open_ones), refused) == (16, 44)
    until(lambda: _is_idle(service.pid))
    open_ones.pop().socket.close()
    host.tool("--sign", "--mechanism", "ECDSA", "--id", "01", "-i", _digest(host), "-o", "/dev/null")


def _is_idle(process: int) -> bool:
    """Whether a process sleeps for a while, in which nobody asks it for anything."""
    before = _ticks(process)
    select.select([], [], [], 0.3)
    return _ticks(process) - before <= 0.03 * os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _digest(host: Host) -> str:
    path = host.machine.folder / "digest"
    path.write_bytes(bytes(32))
    return str(path)


def test_a_tpm_in_lockout_is_no_locked_pin(host: Host, software_tpm: t.Any) -> None:
    """A card of an older release is under the lockout: it says so in the log, costs no try, and goes on afterwards."""
    software_tpm.stop()
    shutil.copy(OLD / "tpm2-00.permall.bin", software_tpm.folder / "tpm2-00.permall")
    software_tpm.start()
    store = host.machine.store
    old = (OLD / "0000.json").read_text().replace("swtpm:path=SOCKET", host.machine.tpm.tcti)
    pathlib.Path(store.path(0)).write_text(old)
    store.write(dataclasses.replace(store.read(0), faces=(Face.PKCS11,), owner=""))
    new = host.make("of this release", keys=KEYS)
    host.start()
    with_tpm(host, lambda tpm: set_parameters(tpm, Parameters(0, 7200, 900), b""))
    assert with_tpm(host, lambda tpm: identify(tpm).lockout.in_lockout)
    said = host.tool("-O", "--token-label", "old", pin=OLD_PIN, ok=False)
    assert "CKR_DEVICE_ERROR" in said
    assert "lockout" in host.machine.log()
    host.tool("-O", "--token-label", "of this release")
    with_tpm(host, lambda tpm: set_parameters(tpm, Parameters(32, 600, 1000), b""))
    host.tool("-O", "--token-label", "old", pin=OLD_PIN)
    assert [host.machine.tries(each)[0] for each in (store.read(0), new)] == [3, 3]


def with_tpm(host: Host, action: t.Callable[[Tpm], t.Any]) -> t.Any:
    tpm = Tpm(Tcti.parse(host.machine.tpm.tcti), host.machine.store.folder)
    try:
        with tpm.taken():
            return action(tpm)
    finally:
        tpm.close()
