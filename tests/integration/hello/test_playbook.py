# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One policy to a Linux host's own file and to files for device management. Domains: tests/integration/samba."""

from __future__ import annotations

import json

import pytest

TENANT = "2a1b3c4d-0000-4000-8000-123456789abc"
NOT_HERE = {"pin_min_length": "not_configured", "pin_digits": "not_configured", "use_hello": "not_configured"}


@pytest.fixture
def files(playbook):
    """Two groups: a Linux host, and one that keeps files to upload."""

    def target(kind, name, **more):
        return {"target": kind, "dest": str(playbook.folder / name), **more}

    playbook.groups(
        linux_workstations={"hello_policy_targets": [target("linux", "linux.json", settings={"pin_history": 3})]},
        device_management={
            "hello_policy_targets": [
                target("syncml", "hello.xml", tenant_id=TENANT),
                target("graph_custom", "custom.json", tenant_id=TENANT, title="Corp"),
                target("registry_pol", "Registry.pol"),
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
    return {path.name: path.read_bytes() for path in playbook.folder.iterdir() if path.is_file()}


def test_check_do_and_again(files):
    would = files.run("--check", "--diff")
    assert '+    "pin_history": 3,\n+    "pin_min_length": 8,' in would, would
    assert set(written(files)) == {"inventory.json"}
    assert "changed=1" in files.run()
    found = written(files)
    assert json.loads(found["linux.json"])["pin_policy"] == {"minlen": 8, "history": 3, "digits": "required"}
    assert json.loads(found["custom.json"])["displayName"] == "Corp"
    assert TENANT.encode() in found["hello.xml"]
    assert found["Registry.pol"].startswith(b"PReg")
    assert b"SecurityKeys" in found["customizations.xml"]
    for options in ((), ("--check",)):
        again = files.run(*options)
        assert "changed=1" not in again, again
    assert written(files) == found


def test_some_hosts_and_taking_out_again(files):
    files.run("--extra-vars", "hello_policy_hosts=host-of-linux_workstations")
    assert set(written(files)) == {"inventory.json", "linux.json"}
    files.run("--extra-vars", '{"hello_policy_state": "absent", "hello_policy_settings": {}}', "--limit", "host-of-l*")
    settings = json.loads(written(files)["linux.json"])["settings"]
    assert settings == {"use_hello": "enabled", "pin_min_length": 8, "pin_digits": "required"}


def test_a_wrong_setting_is_one_clear_line(files):
    output = files.run("--extra-vars", '{"hello_policy_settings": {"pin_min_lenght": 8}}', ok=False)
    assert "pin_min_lenght: did you mean pin_min_length?" in output
    output = files.run("--extra-vars", '{"hello_policy_targets": [{"target": "gpol"}]}', ok=False)
    assert "value of target must be one of" in output
    assert set(written(files)) == {"inventory.json"}
