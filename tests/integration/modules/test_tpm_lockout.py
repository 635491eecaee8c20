# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tpm_lockout as a playbook runs it, and what root can and can't do afterwards."""

from __future__ import annotations

import subprocess

from ansible_collections.hardbound.identity.tests.support.ansible_tasks import Task

SETTINGS = {"max_tries": 10, "recovery": 7200, "lockout_recovery": 900}
VALUE = "lock-4711"


def lockout(ansible, check=False, **arguments):
    return Task("tpm_lockout", {"tpm": ansible.tcti, "store": str(ansible.store), **arguments}, check)


def root_can_reset(ansible, *auth):
    command = ["tpm2_dictionarylockout", "-T", ansible.tcti, "--clear-lockout", *auth]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_parameters_and_a_value(ansible):
    wanted = {**SETTINGS, "value": VALUE}
    planned, made, again, missing, changed = ansible.run(
        lockout(ansible, check=True, **wanted),
        lockout(ansible, **wanted),
        lockout(ansible, **wanted),
        lockout(ansible, max_tries=5),
        lockout(ansible, max_tries=5, value=VALUE),
    )
    assert [each["changed"] for each in (planned, made, again, changed)] == [True, True, False, True]
    assert not planned["lockout"]["auth_set"] and planned["diff"] == made["diff"]
    assert made["diff"]["after"] == {**SETTINGS, "auth_set": True}
    assert {name: made["lockout"][name] for name in SETTINGS} == SETTINGS and made["lockout"]["auth_set"]
    assert "value is missing, and the lockout's authorisation is set" in missing["msg"]
    assert changed["lockout"]["max_tries"] == 5 and changed["lockout"]["recovery"] == 7200
    assert VALUE not in ansible.output
    assert root_can_reset(ansible, "-p", VALUE)
    [wrong] = ansible.run(lockout(ansible, max_tries=6, value="wrong"))
    assert "the TPM refuses the lockout authorisation: wait 900 seconds" in wrong["msg"], wrong


def test_discard(ansible):
    assert root_can_reset(ansible)
    made, again, late = ansible.run(
        lockout(ansible, discard=True, **SETTINGS),
        lockout(ansible, discard=True, **SETTINGS),
        lockout(ansible, discard=True, max_tries=5),
    )
    assert made["changed"] and not again["changed"] and made["lockout"]["max_tries"] == 10
    assert "value is missing" in late["msg"]
    assert not root_can_reset(ansible)


def test_bad_input(ansible):
    cases = [
        ({"max_tries": 0}, "max_tries is 0: choose a number from 1"),
        ({"recovery": -1}, "recovery is -1"),
        ({"lockout_recovery": 2**32}, "lockout_recovery is 4294967296"),
        ({"value": ""}, "value is empty"),
        ({"value": "x" * 33}, "longer than the TPM takes"),
        ({"value": VALUE, "discard": True}, "mutually exclusive"),
    ]
    results = ansible.run(*(lockout(ansible, **{**SETTINGS, **changes}) for changes, _unused in cases))
    for refused, (_unused, message) in zip(results, cases):
        assert refused.get("failed") and message in refused["msg"], refused
    [found] = ansible.run(ansible.tpm_info())
    assert found["tpm"]["lockout"]["max_tries"] != 10 and not found["tpm"]["lockout"]["auth_set"]
