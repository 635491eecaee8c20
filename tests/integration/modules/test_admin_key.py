# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""admin_key of virtual_smartcard as a playbook runs it, and the filter that opens an escrowed one."""

from __future__ import annotations

import base64
import pathlib
import subprocess
import time

from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.integration.modules.conftest import Task
from ansible_collections.hardbound.identity.tests.integration.modules.test_virtual_smartcard import (
    command_lines,
    left_in_store,
    nv_indices,
)

PIN, PUK = "pin-4711", "puk-0815"
HEX = "a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"
WELL_KNOWN = "010203040506070801020304050607080102030405060708"


def administered(ansible, value, number=0):
    """Whether the card lets in whoever has this admin key."""
    tpm = Tpm(Tcti.parse(ansible.tcti), str(ansible.store))
    try:
        with tpm.taken():
            card = Card(Store(str(ansible.store)), Workbench(tpm), number)
            card.administer(AdminKey(Cipher.TRIPLE_DES, bytes.fromhex(value)))
            return card.administered
    finally:
        tpm.close()


def key_pair(ansible):
    private, public = ansible.folder / "escrow.key", ansible.folder / "escrow.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-out", str(private)], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)], check=True)
    return private, public.read_text()


def test_the_admin_key_of_a_card(ansible):
    made, again, changed, thrown_away = ansible.run(
        ansible.card(pin=PIN, admin_key=HEX),
        ansible.card(pin=PIN, admin_key=HEX),
        ansible.card(pin=PIN, admin_key="default"),
        ansible.card(pin=PIN, admin_key="random"),
    )
    assert made["changed"] and made["card"]["has_admin_key"] and made["admin_key_escrow"] is None
    assert not again["changed"] and not changed["changed"]
    assert "admin_key is left out" in thrown_away["msg"] and "has one: say has_admin_key: true" in thrown_away["msg"]
    assert administered(ansible, HEX)


def test_the_well_known_admin_key(ansible):
    [made] = ansible.run(ansible.card(pin=PIN, admin_key="default"))
    assert made["changed"] and any("everybody knows" in warning for warning in made["warnings"])
    assert administered(ansible, WELL_KNOWN)


def test_random_is_what_leaving_it_out_means(ansible):
    made, again, given = ansible.run(
        ansible.card(pin=PIN), ansible.card(pin=PIN, admin_key="random"), ansible.card(pin=PIN, admin_key=HEX)
    )
    assert made["changed"] and not again["changed"] and not made["card"]["has_admin_key"]
    assert "has none that anybody knows" in given["msg"]


def test_an_escrowed_admin_key(ansible):
    private, public = key_pair(ansible)
    opened = "{{ result_1.admin_key_escrow | hardbound.identity.open_escrow(key) }}"
    planned, made, again, shown = ansible.run(
        ansible.card(check=True, pin=PIN, admin_key="escrow", escrow_key=public),
        ansible.card(pin=PIN, admin_key="escrow", escrow_key=public),
        ansible.card(pin=PIN, admin_key="escrow", escrow_key=public),
        Task("virtual_smartcard_info", {"store": str(ansible.store)}),
    )
    assert planned["changed"] and planned["admin_key_escrow"] is None
    assert made["changed"] and made["admin_key_escrow"].count(".") == 4
    assert not again["changed"] and again["admin_key_escrow"] is None
    assert shown["cards"][0]["has_admin_key"]
    expression = opened.replace("result_1.admin_key_escrow", f"'{made['admin_key_escrow']}'")
    expression = expression.replace("(key)", f"(lookup('file', '{private}'))")
    command = ["ansible", "localhost", "-m", "ansible.builtin.debug", "-a", f"msg={expression}"]
    done = subprocess.run(command, env=ansible.environment(), capture_output=True, text=True, check=True)
    value = done.stdout.split('"msg": "')[1].split('"')[0]
    assert len(value) == 48 and administered(ansible, value)
    contents = [path.read_bytes() for path in ansible.store.rglob("*") if path.is_file()]
    assert not any(value.encode() in content or bytes.fromhex(value) in content for content in contents)


BAD = [
    ({"admin_key": HEX[:-1]}, "admin_key has 47 characters that are no key: give 48 hexadecimal digits"),
    ({"admin_key": HEX[:-1] + "x"}, "admin_key has 48 characters that are no key"),
    ({"admin_key": "escrow"}, "escrow_key is missing"),
    ({"admin_key": HEX, "escrow_key": "PEM"}, "escrow_key is given, but admin_key is not"),
]


def test_bad_input_leaves_no_trace(ansible):
    before = nv_indices(ansible)
    results = ansible.run(*(ansible.card(pin=PIN, **arguments) for arguments, _unused in BAD))
    for refused, (_unused, message) in zip(results, BAD):
        assert refused.get("failed") and message in refused["msg"], refused
    assert HEX[:40] not in ansible.output and "Traceback" not in ansible.output
    assert nv_indices(ansible) == before and left_in_store(ansible) == []


def test_the_admin_key_goes_nowhere(ansible):
    """Neither output, log, files nor any process's arguments hold it, plain or encoded."""
    ansible.write([ansible.card(pin=PIN, admin_key=HEX)])
    output = ansible.folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            ansible.command("-vvvv"), env=ansible.environment(), stdout=file, stderr=subprocess.STDOUT
        )
        processes = set()
        while process.poll() is None:
            processes |= command_lines()
            time.sleep(0.01)
    assert process.returncode == 0, output.read_text()
    (ansible.folder / "playbook.yml").unlink()
    raw = bytes.fromhex(HEX)
    places = (ansible.folder, pathlib.Path("/var/log"))
    contents = [path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()]
    for form in (HEX.encode(), HEX.upper().encode(), raw, base64.b64encode(raw), base64.b64encode(HEX.encode())):
        assert not any(form in content for content in contents)
        assert not any(form in line.encode() for line in processes)
