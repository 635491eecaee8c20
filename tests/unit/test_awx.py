# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What extensions/awx says to AWX is what AWX takes, and what the playbooks need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

COLLECTION = Path(__file__).parents[2]
AWX = COLLECTION / "extensions/awx"
# Options of the modules of awx.awx 24.6.1 and their types, as their argument specifications have them.
MODULES = json.loads(Path(__file__).with_name("awx_modules.json").read_text())
MODULE_OF = {
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_schedules": "schedule",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
TYPES = {"bool": bool, "dict": dict, "int": int, "list": list, "str": str}
SECRETS = {
    "hello_policy_password",
    "smartcard_enrollment_ca_passphrase",
    "smartcard_enrollment_ledger",
    "smartcard_first_pin",
    "smartcard_recovery_passphrase",
    "smartcard_recovery_private_key",
}
PUBLIC = {"hello_policy_username"}
SURVEY_TYPES = {"text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"}


class Loader(yaml.SafeLoader):
    """Knows the tag with which Ansible is told to leave braces alone."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def resolved(value: Any, variables: dict[str, Any]) -> Any:
    """Returns a value with references to variables of the same files followed."""
    if isinstance(value, list):
        return [resolved(each, variables) for each in value]
    if isinstance(value, dict):
        return {key: resolved(each, variables) for key, each in value.items()}
    found = re.fullmatch(r"\{\{ (hardbound_\w+) \}\}", value) if isinstance(value, str) else None
    return resolved(variables[found[1]], variables) if found else value


@pytest.fixture(scope="module")
def controller() -> dict[str, list[dict[str, Any]]]:
    variables: dict[str, Any] = {}
    for path in sorted((AWX / "controller").glob("*.yml")):
        found = yaml.load(path.read_text(), Loader)
        assert not set(found) & set(variables), path
        variables.update(found)
    return {name: resolved(value, variables) for name, value in variables.items() if name.startswith("controller_")}


def assert_options(module: str, options: dict[str, Any]) -> None:
    assert set(options) <= set(MODULES[module]), f"{module}: {set(options) - set(MODULES[module])}"
    for name, value in options.items():
        assert isinstance(value, TYPES[MODULES[module][name]]), f"{module}: {name} is {value!r}"


def templates(controller: Any) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in controller["controller_templates"]}


def named(items: Any, name: str) -> Any:
    [found] = [each for each in items if each["name"] == name]
    return found


def surveys(controller: Any) -> list[dict[str, Any]]:
    holders = controller["controller_templates"] + controller["controller_workflows"]
    return [question for each in holders for question in each.get("survey_spec", {}).get("spec", [])]


def test_every_item_is_what_its_module_takes(controller: Any) -> None:
    assert set(controller) == set(MODULE_OF)
    for name, items in controller.items():
        for item in items:
            nodes = item.pop("simplified_workflow_nodes", [])
            assert_options(MODULE_OF[name], item)
            for node in nodes:
                assert_options("workflow_job_template_node", {"workflow_job_template": item["name"], **node})
            item.update({"simplified_workflow_nodes": nodes} if nodes else {})


def test_every_name_that_is_referred_to_is_there(controller: Any) -> None:
    names = {name: {each["name"] for each in items} for name, items in controller.items()}
    credentials = names["controller_credentials"] | {"Workstations"}
    for template in controller["controller_templates"]:
        assert template["project"] in names["controller_projects"]
        assert template["execution_environment"] in names["controller_execution_environments"]
        assert set(template["credentials"]) <= credentials
        assert (AWX / "project" / template["playbook"]).is_file()
    for credential in controller["controller_credentials"]:
        [kind] = [t for t in controller["controller_credential_types"] if t["name"] == credential["credential_type"]]
        assert set(credential["inputs"]) == {field["id"] for field in kind["inputs"]["fields"]}
    for schedule in controller["controller_schedules"]:
        assert schedule["unified_job_template"] in names["controller_templates"]


def test_the_workflow_reaches_every_template_and_asks_before_it_destroys(controller: Any) -> None:
    workflow = named(controller["controller_workflows"], "Smart cards: life cycle")
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    after = {
        name: [each for key in ("success_nodes", "always_nodes", "failure_nodes") for each in node.get(key, [])]
        for name, node in nodes.items()
    }
    assert {each for names in after.values() for each in names} | {next(iter(nodes))} == set(nodes)
    run = {node["unified_job_template"] for node in nodes.values() if "unified_job_template" in node}
    assert run == {name for name in templates(controller) if name.startswith("Smart cards: ")}
    assert [name for name, names in after.items() if "retire" in names] == ["agree"]
    assert "approval_node" in nodes["agree"] and nodes["agree"]["success_nodes"] == ["retire"]


def test_the_sign_in_follows_an_enrolment_and_somebody_s_agreement(controller: Any) -> None:
    workflow = named(controller["controller_workflows"], "Smart cards: enrol and sign in")
    enrol, agree, sign_in = workflow["simplified_workflow_nodes"]
    assert (enrol["success_nodes"], agree["success_nodes"]) == ([agree["identifier"]], [sign_in["identifier"]])
    assert "approval_node" in agree and set(enrol) == set(sign_in) | {"success_nodes"}
    assert templates(controller)[enrol["unified_job_template"]]["playbook"] == "enroll.yml"
    assert templates(controller)[sign_in["unified_job_template"]]["playbook"] == "signin.yml"


def test_nobody_recovers_a_pin_before_somebody_agreed(controller: Any) -> None:
    """The one job that can has the key from a credential of its own, and nothing but the approval leads to that job."""
    workflow = named(controller["controller_workflows"], "Smart cards: recover a PIN")
    first, last = workflow["simplified_workflow_nodes"]
    assert "approval_node" in first and set(first) == {"identifier", "approval_node", "success_nodes"}
    assert first["success_nodes"] == [last["identifier"]]
    holders = [each for each in controller["controller_templates"] if "Smart card recovery key" in each["credentials"]]
    assert [each["name"] for each in holders] == [last["unified_job_template"]]
    assert holders[0]["playbook"] == "recover.yml" and not holders[0].get("survey_enabled")


def test_secrets_are_secret(controller: Any) -> None:
    """Where a PIN is asked for it is a password; what a credential holds that opens something is encrypted."""
    for question in surveys(controller):
        assert question["type"] in SURVEY_TYPES
        secret = re.search("pin|puk|passphrase", question["variable"]) is not None
        assert (question["type"] == "password") is secret, question["variable"]
        assert not secret or question["default"] == ""
    injected: set[str] = set()
    for kind in controller["controller_credential_types"]:
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        for name, template in kind["injectors"]["extra_vars"].items():
            injected.add(name)
            [field] = re.findall(r"\{\{ (\w+) \}\}", template)
            assert fields[field].get("secret", False) is (name not in PUBLIC), name
    assert injected >= SECRETS
    for credential in controller["controller_credentials"]:
        secrets = {name: value for name, value in credential["inputs"].items() if name != "username"}
        assert all(value.startswith("{{ vaulted_") for value in secrets.values())


def test_what_a_schedule_starts_asks_for_nothing(controller: Any) -> None:
    for schedule in controller["controller_schedules"]:
        assert not templates(controller)[schedule["unified_job_template"]].get("survey_enabled")
        assert re.fullmatch(r"DTSTART;TZID=[\w/]+:\d{8}T\d{6} RRULE:FREQ=\w+(;\w+=\w+)*", schedule["rrule"])


def test_what_has_one_writer_is_not_sliced(controller: Any) -> None:
    for name in ("Smart cards: audit", "Smart cards: retire", "Windows Hello policy"):
        assert templates(controller)[name]["job_slice_count"] == 1


def test_the_projects_playbooks_import_the_collections() -> None:
    for path in sorted((AWX / "project").glob("*.yml")):
        [play] = yaml.safe_load(path.read_text())
        assert play["ansible.builtin.import_playbook"] == f"hardbound.identity.{path.stem}"
        assert (COLLECTION / "playbooks" / path.name).is_file()


def test_the_image_holds_this_version() -> None:
    version = yaml.safe_load((COLLECTION / "galaxy.yml").read_text())["version"]
    image = yaml.safe_load((AWX / "execution-environment.yml").read_text())
    tarball = f"hardbound-identity-{version}.tar.gz"
    assert [each["src"] for each in image["additional_build_files"]] == [tarball]
    [collection] = image["dependencies"]["galaxy"]["collections"]
    assert Path(collection["name"]).name == tarball
