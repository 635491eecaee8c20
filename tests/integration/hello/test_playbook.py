# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One policy to a Linux host's own file and to files for device management. Domains: tests/integration/samba."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.hardbound.identity.tests.support.hello_playbook import playbook_in

TENANT = "2a1b3c4d-0000-4000-8000-123456789abc"
NOT_HERE = {"pin_min_length": "not_configured", "pin_digits": "not_configured", "use_hello": "not_configured"}


@pytest.fixture
def files(tmp_path):
    """Two groups: a Linux host, and one that keeps files to upload."""
    playbook = playbook_in(tmp_path)

    def target(kind, name, **more):
        return {"target": kind, "dest": str(playbook.folder / name), **more}

    playbook.groups(
        linux_workstations={"hello_policy_targets": [target("linux", "linux.json", settings={"pin_history": 3})]},
        device_management={
            "hello_policy_targets": [
                target("graph_custom", "custom.json", tenant_id=TENANT, title="Corp"),
                target(
                    "provisioning",
                    "customizations.xml",
                    settings={**NOT_HERE, "use_security_key_for_signin": "enabled"},
                ),
            ]
        },
    )
    return playbook


def written(playbook):
    ours = ("inventory.json", "home.log")
    return {
        each.name: each.read_bytes() for each in playbook.folder.iterdir() if each.is_file() and each.name not in ours
    }


def test_check_do_and_again(files):
    would = files.run("--check", "--diff")
    assert '+    "pin_history": 3,\n+    "pin_min_length": 8,' in would, would
    assert written(files) == {}
    assert "changed=1" in files.run()
    found = written(files)
    assert json.loads(found["linux.json"])["pin_policy"] == {"minlen": 8, "history": 3, "digits": "required"}
    assert json.loads(found["custom.json"])["displayName"] == "Corp"
    assert b"SecurityKeys" in found["customizations.xml"]
    again = files.run()
    assert "changed=1" not in again, again
    assert written(files) == found


def test_some_hosts_and_taking_out_again(files):
    files.run("--extra-vars", "hello_policy_hosts=host-of-linux_workstations")
    assert set(written(files)) == {"linux.json"}
    files.run("--extra-vars", '{"hello_policy_state": "absent", "hello_policy_settings": {}}', "--limit", "host-of-l*")
    settings = json.loads(written(files)["linux.json"])["settings"]
    assert settings == {"use_hello": "enabled", "pin_min_length": 8, "pin_digits": "required"}


def test_a_wrong_setting_is_one_clear_line(files):
    output = files.run("--extra-vars", '{"hello_policy_settings": {"pin_min_lenght": 8}}', ok=False)
    assert "pin_min_lenght: did you mean pin_min_length?" in output
    output = files.run("--extra-vars", '{"hello_policy_targets": [{"target": "gpol"}]}', ok=False)
    assert "value of target must be one of" in output
    assert written(files) == {}


LOOK = """
- hosts: linux_workstations
  gather_facts: false
  tasks:
    - name: Look
      hardbound.identity.hello_policy_info:
        sources:
          - {kind: computer_gpo, settings: {pin_min_length: 8}}
          - {kind: device_csp, settings: {pin_min_length: 6, use_biometrics: disabled}}
      no_log: "{{ hidden | default(false) }}"
"""


def test_a_person_sees_a_table_of_what_takes_effect_when_asking_for_more(files):
    look = files.folder / "look.yml"
    look.write_text(LOOK)
    output = files.run("-v", playbook=str(look))
    assert re.search(r"^  pin_min_length +8 +computer_gpo +6 \(device_csp\)$", output, re.MULTILINE), output
    assert re.search(r"^  use_biometrics +disabled +device_csp$", output, re.MULTILINE)
    assert "What takes effect" not in files.run(playbook=str(look))
    assert "What takes effect" not in files.run("-v", "--extra-vars", "hidden=true", playbook=str(look))
