# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook hello_policy on a real Samba domain controller, and hello_policy_info over a GPO of it."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS as CATALOGUE
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings, view
from ansible_collections.hardbound.identity.tests.benchmarks.bench_hello import SETTINGS
from ansible_collections.hardbound.identity.tests.support.awx_job import Job
from ansible_collections.hardbound.identity.tests.support.hello_playbook import PYTHON, playbook_in

NAME = "Hello by playbook"
UNITS = "OU=Domain Controllers,DC=corp,DC=example"
ALL_OF_A_GPO = view({setting.name: parse_settings(SETTINGS)[setting.name] for setting in CATALOGUE if setting.in_gpo})
"""A value of each setting that Group Policy has."""
TENANT = "2a1b3c4d-0000-4000-8000-123456789abc"


@pytest.fixture
def playbook(dc, tmp_path):
    playbook = playbook_in(tmp_path, inside=dc.inside)
    gpo = {"name": NAME, "server": dc.server, "create": True, "link": UNITS}
    playbook.groups(
        domain_controllers={
            "hello_policy_targets": [{"target": "gpo", "gpo": gpo}],
            "hello_policy_username": "administrator",
            "hello_policy_password": dc.password,
        }
    )
    return playbook


def access(dc, name=NAME, **changes):
    return {"name": name, "server": dc.server, "username": "administrator", "password": dc.password, **changes}


def test_check_do_again_and_who_wins(dc, playbook):
    would = playbook.run("--check", "--diff", "-vvv")
    assert f'+++ after: GPO "{NAME}" (new)' in would and '+    "pin_min_length": 8,' in would, would
    assert NAME not in dc.tool("gpo", "listall")
    done = playbook.run("--diff", "-vvv")
    assert "changed=1" in done and dc.tool("gpo", "listall").count(NAME) == 1
    assert "changed=0" in playbook.run()
    for output in (would, done, (playbook.folder / "home.log").read_text()):
        assert dc.password not in output

    pol, csp, host = (str(playbook.folder / name) for name in ("Registry.pol", "hello.xml", "linux.json"))
    sources = [
        {"kind": "linux_host", "path": host},
        {"kind": "eas", "settings": {"pin_expiration": 30}},
        {"kind": "device_csp", "path": csp},
        {"kind": "computer_gpo", "gpo": access(dc)},
        {"kind": "user_gpo", "path": pol},
    ]
    of_device = {"pin_history": 9, "use_biometrics": "disabled"}
    gpo_of_all = access(dc, f"{NAME}, all of it")
    *_written, found, everything = playbook.tasks(
        ("hello_policy", {"target": "gpo", "gpo": {**gpo_of_all, "create": True}, "settings": ALL_OF_A_GPO}),
        (
            "hello_policy",
            {"target": "registry_pol", "scope": "user", "dest": pol, "settings": {"use_hello": "disabled"}},
        ),
        ("hello_policy", {"target": "syncml", "tenant_id": TENANT, "dest": csp, "settings": of_device}),
        ("hello_policy", {"target": "linux", "dest": host, "settings": {"pin_min_length": 10}}),
        ("hello_policy_info", {"sources": sources}),
        ("hello_policy_info", {"sources": [{"kind": "computer_gpo", "gpo": gpo_of_all}]}),
    )
    assert everything["sources"][0]["settings"] == ALL_OF_A_GPO
    assert [note for note in everything["notes"] if "is linked to no domain" in note]
    won = {each["name"]: (each["value"], each["source"]) for each in found["settings"] if each["source"]}
    gpo = f'GPO "{NAME}" (version 1)'
    assert won == {
        "use_hello": ("disabled", pol),
        "pin_min_length": (8, gpo),
        "pin_digits": ("required", gpo),
        "use_biometrics": ("disabled", csp),
    }
    # All PIN rules come from the GPO, which says nothing of history and expiry.
    assert found["conflicts"] == ["use_hello", "pin_expiration", "pin_history", "pin_min_length"]
    assert [(each["name"], each["source"]) for each in found["not_enforceable"]] == [("pin_min_length", host)]
    assert len(found["notes"]) == 2 and dc.password not in str(found)


def test_as_a_job_of_awx_which_shows_no_password(dc, tmp_path):
    """The inventory says what and where, the credential who: see extensions/awx/controller."""
    name = "Hello by a job"
    gpo = {"name": name, "server": dc.server, "create": True, "link": UNITS}
    host = {"ansible_connection": "local", "hello_policy_targets": [{"target": "gpo", "gpo": gpo}]}
    host.update(ansible_python_interpreter=PYTHON, hello_policy_settings={"pin_min_length": 8})
    inventory = {"children": {"domain_controllers": {"hosts": {"dc1": host}}}}
    credential = {"hello_policy_username": "administrator", "hello_policy_password": dc.password}
    job = Job(tmp_path / "job", "hello_policy", inventory, credential, dc.inside)
    assert job.wait() == 0 and "changed=1" in job.output, job.output
    assert dc.tool("gpo", "listall").count(name) == 1
    job.assert_holds_none_of(dc.password)


def test_what_goes_wrong_with_a_domain_is_said(dc, playbook):
    wrong = {
        'there is no GPO "Nowhere"': access(dc, "Nowhere"),
        "refused the account": access(dc, password="Vaulted.Wrong.77"),
        "check that the domain controller is up": access(dc, server="10.53.57.9"),
    }
    found = playbook.tasks(
        *(
            ("hello_policy", {"target": "gpo", "gpo": gpo, "settings": {"use_hello": "enabled"}})
            for gpo in wrong.values()
        )
    )
    for (message, gpo), result in zip(wrong.items(), found):
        assert result["failed"] and message in result["msg"], result
        assert gpo["password"] not in str(result)
