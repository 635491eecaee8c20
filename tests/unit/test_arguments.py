# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documentation and roles say of a module's options is what the module takes.

ansible-test holds this for modules that run on a host. It does not see what an action plugin takes.
"""

from __future__ import annotations

import importlib
import re
from typing import Any, Iterator, Mapping

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.action import (
    attestation_verify,
    enrollment_audit,
    enrollment_due,
    smartcard_enrollment,
    smartcard_recovery,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.report import report
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import CHANGEABLE
from ansible_collections.hardbound.identity.plugins.module_utils._task import (
    activation,
    enrollment,
    recovery,
    wanted_card,
)
from ansible_collections.hardbound.identity.plugins.modules import hello_policy, hello_policy_info
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import enrollment_ca
from ansible_collections.hardbound.identity.tests.support.described_options import PLUGINS, module_options
from ansible_collections.hardbound.identity.tests.support.pages import COLLECTION
from ansible_collections.hardbound.identity.tests.support.task_cards import record

ARGUMENTS: dict[str, Mapping[str, Any]] = {
    "attestation_verify": attestation_verify.ARGUMENTS,
    "enrollment_audit": enrollment_audit.ARGUMENTS,
    "enrollment_due": enrollment_due.ARGUMENTS,
    "enrollment_ca": enrollment_ca.ARGUMENTS,
    "hello_policy": hello_policy.ARGUMENTS,
    "hello_policy_info": hello_policy_info.ARGUMENTS,
    "smartcard_activate": activation.ARGUMENTS,
    "smartcard_enrollment": smartcard_enrollment.ARGUMENTS,
    "smartcard_evidence": enrollment.ARGUMENTS,
    "smartcard_recover": recovery.ARGUMENTS,
    "smartcard_recovery": smartcard_recovery.ARGUMENTS,
    "virtual_smartcard": wanted_card.ARGUMENTS,
}
AUTHS = ("tpm_owner_auth", "tpm_endorsement_auth")
ROLES = ("enrollment_ca", "hello_policy", "smartcard_enrollment", "virtual_smartcard")


def compare(told: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    assert set(told) == set(arguments)
    for name, argument in arguments.items():
        for field in ("type", "choices", "default", "elements", "required"):
            assert told[name].get(field, False) == argument.get(field, False), f"{name}.{field}"
        if "options" in argument:
            compare(told[name]["suboptions"], argument["options"])


@pytest.mark.parametrize("module", ARGUMENTS)
def test_the_documentation_describes_the_arguments(module: str) -> None:
    compare(module_options(module), ARGUMENTS[module])


def references(text: str) -> Iterator[str]:
    """The options of the same module that a text names, as paths."""
    for path in re.findall(r"\bO\(([\w.\[\]]+)[=)]", text):
        yield path.replace("[]", "")


def paths(options: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, option in options.items():
        yield above + name
        yield from paths(option.get("suboptions", {}), f"{above}{name}.")


@pytest.mark.parametrize("module", ARGUMENTS)
def test_an_option_that_the_documentation_names_is_there(module: str) -> None:
    options = module_options(module)
    assert set(references(str(options))) <= set(paths(options))


def passed_on(role: str) -> dict[str, str]:
    """Returns the role's variables by the options of its module that they become."""
    files = sorted((COLLECTION / f"roles/{role}/tasks").glob("*.yml"))
    [task] = [each for file in files for each in load(str(file)) if f"hardbound.identity.{role}" in each]
    uses = task[f"hardbound.identity.{role}"].items()
    found = {option: re.search(rf"\b{role}_\w+", str(value)) for option, value in uses}
    return {option: match[0] for option, match in found.items() if match}


def load(name: str) -> Any:
    return yaml.safe_load((COLLECTION / name).read_text())


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_variables_are_as_the_options_of_its_module(role: str) -> None:
    variables = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    pairs = {option: variables[name] for option, name in passed_on(role).items() if name in variables}
    if role == "hello_policy":  # It calls its module once for each target.
        pairs.update(variables["hello_policy_targets"]["options"])
    assert len(pairs) >= 3
    compare_partly(pairs, ARGUMENTS[role])


def compare_partly(said: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """An empty default stands for what the module does without."""
    for name, variable in said.items():
        argument = arguments[name]
        for field in ("type", "choices", "elements", "required", "no_log"):
            assert variable.get(field, False) == argument.get(field, False), f"{name}.{field}"
        if "default" in variable and (variable["default"] or "default" in argument):
            assert variable["default"] == argument.get("default"), name
        compare_partly(variable.get("options", {}), argument.get("options", {}))


@pytest.mark.parametrize("role", ["enrollment_ca", "smartcard_enrollment", "virtual_smartcard"])
def test_a_role_passes_on_every_option_of_its_module(role: str) -> None:
    """But the name of a card that exists, by which one is destroyed."""
    assert set(ARGUMENTS[role]) - set(passed_on(role)) - {"instance_id"} == set()


def test_the_role_knows_what_a_card_of_its_variable_may_have() -> None:
    of_the_host = {"tpm", "store", *AUTHS}
    known = load("roles/virtual_smartcard/vars/main.yml")["__virtual_smartcard_options"]
    assert known == sorted(set(ARGUMENTS["virtual_smartcard"]) - of_the_host - {"instance_id"})


def test_the_documentation_describes_the_card_that_a_task_returns() -> None:
    returned = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.virtual_smartcard").RETURN)
    assert {*returned["card"]["contains"], "slots"} == report(record()).keys()


def test_a_task_returns_what_can_be_changed_of_a_card() -> None:
    assert report(record()).keys() >= {*CHANGEABLE, "pin_retries", "puk_retries"}


def secrets(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, argument in arguments.items():
        if argument.get("no_log"):
            yield name
        yield from secrets(argument.get("options", {}))


@pytest.mark.parametrize(
    ("module", "names"),
    {
        "attestation_verify": {"ledger"},
        "enrollment_audit": {"ledger"},
        "enrollment_due": {"ledger"},
        "enrollment_ca": {"passphrase", "root_passphrase", "ledger"},
        "hello_policy": {"password"},
        "smartcard_activate": {*AUTHS},
        "smartcard_enrollment": {"ca_passphrase", "ledger", *AUTHS, "pin", "puk", "admin_key"},
        "smartcard_evidence": {*AUTHS, "pin", "puk", "admin_key", "half"},
        "smartcard_recover": {*AUTHS, "new_pin"},
        "smartcard_recovery": {*AUTHS, "ledger", "new_pin", "recovery_private_key", "recovery_passphrase"},
        "virtual_smartcard": {*AUTHS, "pin", "puk", "admin_key", "ca_passphrase", "ledger"},
    }.items(),
)
def test_every_secret_is_kept_out_of_logs(module: str, names: set[str]) -> None:
    assert set(secrets(ARGUMENTS[module])) == names
