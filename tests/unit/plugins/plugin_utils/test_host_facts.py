# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that makes variables of its own: none of them decides anything on the controller."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.template import trust_as_template
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.plugin_utils._host_facts import check_variables, without_facts

TASK = {"name": "Enrol", "hardbound.identity.smartcard_enrollment": {"cards": "{{ their_cards | default([]) }}"}}
MINE: Any = [{"upn": "alice@corp.example"}]
STOLEN: Any = [{"upn": "admin@corp.example"}]


def written(value: Any) -> Any:
    """As Ansible reads what a person has written."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {written(name): written(each) for name, each in value.items()}
    return [written(each) for each in value]


def told(facts: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """Variables of a host as a task has them after the host has told its facts."""
    bare = {name[len("ansible_") :] if name.startswith("ansible_") else name: value for name, value in facts.items()}
    return {**written(variables), **facts, "ansible_facts": bare}


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"their_cards": STOLEN}, "their_cards"),
        ({"their_cards": STOLEN, "ansible_their_cards": STOLEN}, "their_cards"),
        ({"one_card": STOLEN[0]}, "one_card"),
        ({"site": {"domain": "evil.example"}}, "site"),
        ({"number_of_tries": 255}, "number_of_tries"),
        ({"smartcard_enrollment_external_ca": {"command": ["id"]}}, "smartcard_enrollment_external_ca"),
        ({"enrollment_audit_path": "/etc"}, "enrollment_audit_path"),
    ],
)
def test_what_a_task_is_made_of_is_not_what_the_host_says(facts: dict[str, Any], named: str) -> None:
    card = {"upn": "alice@{{ site.domain }}", "pin_retries": "{{ number_of_tries }}"}
    variables = {"site": {"domain": "corp.example"}, "one_card": card, "their_cards": ["{{ one_card }}"]}
    with pytest.raises(InputError) as refused:
        check_variables(told(facts, **variables), TASK)
    assert refused.value.field == named and "what the host says of itself" in str(refused.value)


@pytest.mark.parametrize(
    ("facts", "variables"),
    [
        ({}, {"their_cards": MINE}),
        ({"ansible_fqdn": "ws-001"}, {"fqdn": "ws-001", "their_cards": [{"common_name": "{{ fqdn }}"}]}),
        ({"packages": {"bash": "5"}}, {"their_cards": [{"common_name": "who carries packages"}]}),
        ({"ansible_hostname": "ws-001"}, {"their_cards": [{"common_name": "{{ ansible_facts.hostname }}"}]}),
    ],
    ids=["no_facts", "a_name_of_both", "a_word_in_a_name", "a_fact_that_the_inventory_asks_for"],
)
def test_facts_that_nothing_is_made_of_are_the_hosts_own_affair(
    facts: dict[str, Any], variables: dict[str, Any]
) -> None:
    check_variables(told(facts, **variables), TASK)


def test_variables_that_name_each_other_come_to_an_end() -> None:
    round_about = {"their_cards": "{{ a }}", "a": "{{ b }}", "b": "{{ a }}"}
    with pytest.raises(InputError, match=r"^b is"):
        check_variables({**told({"b": "x"}, **{**round_about, "b": "y"})}, TASK)


def test_a_module_of_ours_tells_no_facts() -> None:
    interpreter = {"discovered_interpreter_python": "/usr/bin/python3"}
    said = {"changed": False, "ansible_facts": {**interpreter, "smartcard_enrollment_cards": STOLEN}}
    assert without_facts(said) == {"changed": False, "ansible_facts": interpreter}
    assert without_facts({"changed": False, "ansible_facts": "x"}) == {"changed": False}
