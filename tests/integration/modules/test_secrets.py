# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets as YAML makes them, and results as the next task needs them, with the real ansible-playbook."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_python_interpreter: /usr/bin/python3
    number: {value}
    cards: [{{name: first, pin: "12345678"}}, {{name: second, pin: {value}}}]
  tasks:
    - name: In the task
      hardbound.identity.virtual_smartcard: {{name: card, pin: {value}, tpm: "{tcti}", store: {store}}}
      ignore_errors: true
      register: task
    - name: Through a variable
      hardbound.identity.virtual_smartcard_pin: {{name: card, pin: x, new_pin: "{{{{ number }}}}", store: {store}}}
      ignore_errors: true
      register: variable
    - name: Keep what was said
      ansible.builtin.copy:
        content: "{{{{ [task.msg, variable.msg] | to_json }}}}"
        dest: {folder}/said.json
        mode: "0600"
    - name: In an inventory's list, through a role
      ansible.builtin.include_role:
        name: hardbound.identity.smartcard_enrollment
      vars:
        smartcard_enrollment_cards: "{{{{ cards }}}}"
        smartcard_enrollment_profile: ad_smartcard_logon
        smartcard_enrollment_ca: /nonexistent
        smartcard_enrollment_ca_passphrase: long enough for anybody
        smartcard_enrollment_trust_anchors: /nonexistent
        smartcard_enrollment_store: {store}
        smartcard_enrollment_tpm: "{tcti}"
"""

VALUES = {
    "octal": "0123456",
    "integer": "12345678",
    "float": "1234.5678",
    "exponent": "1.5e+7",
    "yes": "yes",
    "date": "2024-12-31",
    "null": "null",
    "tilde": "~",
    "list": '["12345678"]',
    "dictionary": "{a: b}",
}


@pytest.mark.parametrize("kind", VALUES)
def test_an_unquoted_secret_is_refused_wherever_it_stands(ansible, kind):
    value = VALUES[kind]
    text = PLAYBOOK.format(value=value, tcti=ansible.tcti, store=ansible.store, folder=ansible.folder)
    (ansible.folder / "playbook.yml").write_text(text)
    done = subprocess.run(ansible.command(), env=ansible.environment(), capture_output=True, text=True, check=False)
    said = json.loads((ansible.folder / "said.json").read_text())
    for name, message in zip(("pin", "new_pin"), said):
        assert message.startswith(f"{name} is ") and "quote it" in message, message
    assert "cards[1].pin is " in done.stdout + done.stderr, done.stdout
    assert not list(ansible.store.iterdir())
    assert not isinstance(yaml.safe_load(value), str)


def test_the_pin_0000_takes_nothing_out_of_a_result(ansible):
    """The next task can use the instance id, and nobody reads the PIN."""
    tasks = [
        ansible.card(pin="0000", puk="00000000", pin_policy={"minlen": 4}, keys=[{"slot": "signature"}]),
        ansible.part("pin", pin="0000", new_pin="0001", name=None, instance_id="{{ result_0.instance_id }}"),
        ansible.part("key", name=None, instance_id="{{ result_1.instance_id }}", slot="authentication", pin="0001"),
    ]
    made, changed, key = ansible.run(*tasks)
    for result in (made, changed, key):
        assert not result.get("failed") and result["changed"], result
        assert result["instance_id"] == r"ROOT\SMARTCARDREADER\0000"
        assert "********" not in json.dumps(result)
    assert '"pin": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"' in ansible.output
    assert '"pin": "000' not in ansible.output and '"puk": "0' not in ansible.output
    assert made["card"]["instance_id"] == made["instance_id"] and len(made["card"]["serial"]) == 32


@pytest.mark.parametrize("word", ["default", "Default", "DEFAULT"])
def test_default_means_the_same_however_it_is_written(ansible, word):
    made, pin = ansible.run(
        ansible.card(pin=word, puk=word, admin_key=word),
        ansible.part("pin", pin="12345678", new_pin="pin-4711"),
    )
    warned = " ".join(made["warnings"])
    for secret in ("pin", "puk", "admin_key"):
        assert f"{secret} is default, which everybody knows" in warned
    assert made["card"]["has_admin_key"] and made["card"]["puk_retries"] == 5
    assert pin["changed"] and not pin.get("failed")
