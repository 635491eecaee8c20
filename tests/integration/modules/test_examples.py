# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card modules' examples, run as they stand, except those that need an outside CA or a help desk's key."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess

import yaml
from ansible_collections.hardbound.identity.tests.support.ansible_tasks import PYTHON

MODULES = "ansible_collections.hardbound.identity.plugins.modules"
SECRETS = {
    "vaulted_first_pin": "pin-4711",
    "vaulted_second_pin": "pin-1234",
    "vaulted_third_pin": "pin-9999",
    "vaulted_pin": "pin-9999",
    "vaulted_puk": "puk-0815",
    "vaulted_second_puk": "puk-1234",
    "vaulted_lockout_authorisation": "lock-4711",
}
WITH_TPM = {"virtual_smartcard", "tpm_info", "tpm_lockout"}
REQUEST = pathlib.Path("/var/tmp/alice.csr")


def examples(module):
    return yaml.safe_load(importlib.import_module(f"{MODULES}.{module}").EXAMPLES)


def alone(module):
    """The examples of one PIV card that need nobody else: neither whoever opens what is escrowed, nor a CA."""
    others = ("escrow", "attestation_ca", "gids")
    return [task for task in examples(module) if not any(word in json.dumps(task) for word in others)]


def test_the_examples_run(ansible):
    card = alone("virtual_smartcard")
    key, certificate = examples("virtual_smartcard_key"), examples("virtual_smartcard_certificate")
    tasks = [
        *card[:-1],
        *alone("virtual_smartcard_pin"),
        *key[:-1],
        *examples("virtual_smartcard_request"),
        certificate[-1],
        *examples("virtual_smartcard_info"),
        key[-1],
        card[-1],
        *examples("tpm_info"),
        *examples("tpm_lockout"),
    ]
    names = [task["name"] for task in tasks]
    assert len(names) == len(set(names))
    where = {"store": str(ansible.store)}
    own_modules = {name for task in tasks for name in task if name.startswith("hardbound.identity.")}
    tpm = {"tpm": ansible.tcti}
    defaults = {name: {**where, **(tpm if name.split(".")[-1] in WITH_TPM else {})} for name in own_modules}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": PYTHON, **SECRETS},
        "module_defaults": defaults,
        "tasks": tasks,
    }
    (ansible.folder / "playbook.yml").write_text(json.dumps([play]))
    there = REQUEST.exists()
    try:
        done = subprocess.run(ansible.command(), env=ansible.environment(), capture_output=True, text=True, check=False)
    finally:
        if not there:
            REQUEST.unlink(missing_ok=True)
    assert done.returncode == 0 and "unreachable=0" in done.stdout, done.stdout + done.stderr
    assert not any(value in done.stdout for value in SECRETS.values())
