# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""admin_key of virtual_smartcard as a playbook runs it, and the filter that opens an escrowed one."""

from __future__ import annotations

import base64
import pathlib
import secrets
import subprocess
import time

from ansible_collections.hardbound.identity.tests.support.ansible_tasks import Task, command_lines
from ansible_collections.hardbound.identity.tests.support.tasks import ADMIN_KEY, WELL_KNOWN

PIN, PUK = "pin-4711", "puk-0815"


def test_the_admin_key_of_a_card(ansible):
    made, again, changed, thrown_away = ansible.run(
        ansible.card(pin=PIN, admin_key=ADMIN_KEY),
        ansible.card(pin=PIN, admin_key=ADMIN_KEY),
        ansible.card(pin=PIN, admin_key="default"),
        ansible.card(pin=PIN, admin_key="random"),
    )
    assert made["changed"] and made["card"]["has_admin_key"] and made["admin_key_escrow"] is None
    assert not again["changed"] and not changed["changed"]
    assert "admin_key is left out" in thrown_away["msg"] and "has one: say has_admin_key: true" in thrown_away["msg"]
    assert ansible.administered(ADMIN_KEY)


def test_the_well_known_admin_key(ansible):
    [made] = ansible.run(ansible.card(pin=PIN, admin_key="default"))
    assert made["changed"] and any("everybody knows" in warning for warning in made["warnings"])
    assert ansible.administered(WELL_KNOWN)


def test_random_is_what_leaving_it_out_means(ansible):
    made, again, given = ansible.run(
        ansible.card(pin=PIN), ansible.card(pin=PIN, admin_key="random"), ansible.card(pin=PIN, admin_key=ADMIN_KEY)
    )
    assert made["changed"] and not again["changed"] and not made["card"]["has_admin_key"]
    assert "has none that anybody knows" in given["msg"]


def test_an_escrowed_admin_key(ansible):
    private, public = ansible.recipient()
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
    assert len(value) == 48 and ansible.administered(value)
    contents = [path.read_bytes() for path in ansible.store.rglob("*") if path.is_file()]
    assert not any(value.encode() in content or bytes.fromhex(value) in content for content in contents)


BAD = [
    ({"admin_key": ADMIN_KEY[:-1]}, "admin_key has 47 characters that are no key: give 48 hexadecimal digits"),
    ({"admin_key": ADMIN_KEY[:-1] + "x"}, "admin_key has 48 characters that are no key"),
    ({"admin_key": "escrow"}, "escrow_key is missing"),
    ({"admin_key": ADMIN_KEY, "escrow_key": "PEM"}, "escrow_key is given, but admin_key is not"),
]


def test_bad_input_leaves_no_trace(ansible):
    before = ansible.nv_indices()
    results = ansible.run(*(ansible.card(pin=PIN, **arguments) for arguments, _unused in BAD))
    for refused, (_unused, message) in zip(results, BAD):
        assert refused.get("failed") and message in refused["msg"], refused
    assert ADMIN_KEY[:40] not in ansible.output and "Traceback" not in ansible.output
    assert ansible.nv_indices() == before and ansible.left_in_store() == []


def test_the_admin_key_goes_nowhere(ansible):
    """Neither output, log, files nor any process's arguments hold it, plain or encoded."""
    key = secrets.token_hex(24)  # Another process of this machine may have ADMIN_KEY among its arguments.
    ansible.write([ansible.card(pin=PIN, admin_key=key)])
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
    raw = bytes.fromhex(key)
    places = (ansible.folder, pathlib.Path("/var/log"))
    contents = [path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()]
    digits = key.encode()
    for form in (digits, digits.upper(), raw, base64.b64encode(raw), base64.b64encode(digits)):
        assert not any(form in content for content in contents)
        assert not any(form in line.encode() for line in processes)
