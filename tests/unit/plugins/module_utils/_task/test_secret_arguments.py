# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are strings, stay out of what a module tells, and take nothing of it with them."""

from __future__ import annotations

import datetime
import json
import sys
import types
from typing import Any, Iterator, Mapping

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._task import pin, wanted_card
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge, show
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import ARGUMENTS as EVIDENCE_ARGUMENTS
from ansible_collections.hardbound.identity.plugins.module_utils._task.secret_arguments import (
    MASK,
    check_strings,
    is_word,
    masked,
    public_knowledge,
    register_secrets,
    secret_values,
    well_known,
    word,
)

NO_STRINGS = {
    "an octal number of YAML": 0o123456,
    "a number": 123456,
    "a large number": 1e6,
    "a truth value": False,
    "a date": datetime.date(2024, 12, 31),
    "a time": datetime.datetime(2024, 12, 31, 12, 0),
    "null": None,
    "a list": ["1234"],
    "a tuple": ("1234",),
    "a dictionary": {"pin": "1234"},
    "bytes": b"1234",
}


@pytest.mark.parametrize("value", NO_STRINGS.values(), ids=NO_STRINGS)
@pytest.mark.parametrize("name", ["pin", "puk", "admin_key", "tpm_owner_auth", "tpm_endorsement_auth"])
def test_what_is_no_string_is_refused_and_not_repeated(name: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"^{name} is .*, and a secret is a string: quote it") as caught:
        check_strings(wanted_card.ARGUMENTS, {"name": "card", name: value})
    for form in ("123456", "42798", "1234", "2024"):
        assert form not in str(caught.value)


@pytest.mark.parametrize("value", NO_STRINGS.values(), ids=NO_STRINGS)
def test_lists_of_cards_and_dictionaries_are_looked_into(value: object) -> None:
    cards = [{"name": "one", "pin": "1234"}, {"name": "two", "puk": value}]
    with pytest.raises(InputError, match=r"^cards\[1\].puk is "):
        check_strings(EVIDENCE_ARGUMENTS, {"cards": cards})
    with pytest.raises(InputError, match=r"^attestation_ca.ca_passphrase is "):
        check_strings(wanted_card.ARGUMENTS, {"attestation_ca": {"ca_passphrase": value}})


class Text(str):
    """As Ansible's own strings, which know where they come from."""


def test_strings_and_what_is_left_out_pass() -> None:
    for value in ("0123456", "", Text("1e6"), "no"):
        check_strings(wanted_card.ARGUMENTS, {"pin": value, "pin_retries": 5, "keys": [{"slot": "x"}]})
    check_strings(EVIDENCE_ARGUMENTS, {"cards": "no list", "tpm_owner_auth": "x"})
    check_strings(EVIDENCE_ARGUMENTS, {"cards": ["no dictionary"]})


@pytest.mark.parametrize("written", ["default", "Default", "DEFAULT"])
def test_default_is_one_word_however_it_is_written(written: str) -> None:
    assert (word(written), well_known(written), is_word(written)) == ("default", "12345678", True)
    assert public_knowledge("puk", well_known(written))[0].startswith("puk is default, which everybody knows")


def test_other_secrets_are_as_they_are_written() -> None:
    assert (word("Defaults"), well_known("Secret"), word(None), well_known(None)) == ("Defaults", "Secret", None, None)
    assert public_knowledge("pin", "87654321") == () and public_knowledge("pin", None) == ()


def test_arguments_are_shown_without_secrets() -> None:
    values = {
        "tpm_owner_auth": None,
        "cards": [{"name": "one", "pin": "1234", "admin_key": "RANDOM", "keys": [{"slot": "signature"}]}],
    }
    [card] = masked(EVIDENCE_ARGUMENTS, values)["cards"]
    assert card == {"name": "one", "pin": MASK, "admin_key": "RANDOM", "keys": [{"slot": "signature"}]}
    assert secret_values(EVIDENCE_ARGUMENTS, values) == ["1234"]
    assert values["cards"][0]["pin"] == "1234"  # type: ignore[index]


def result(number: str) -> dict[str, Any]:
    """What a module tells, with a number everywhere."""
    card = {"serial": f"00{number}ff", "pin_set_at": f"{number}-11-26T13:52:55Z"}
    return {"instance_id": rf"ROOT\SMARTCARDREADER\{number}", "reader": f"{number} 00 00", "card": card}


class Report:
    """A noun that has nothing to do."""

    def __init__(self, number: str) -> None:
        self.number = number

    def read(self) -> None:
        return None

    def plan(self, current: None) -> Plan[str]:
        return Plan((), {"name": self.number}, {"name": self.number}, f"card {self.number}")

    def apply(self, plan: Plan[str], current: None) -> Mapping[str, object]:
        raise AssertionError

    def report(self, plan: Plan[str], current: None) -> Mapping[str, object]:
        return result(self.number)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What modules have told, in the place of standard output."""
    results: list[dict[str, Any]] = []
    monkeypatch.setattr(AnsibleModule, "_record_module_result", lambda _module, result: results.append(result))
    monkeypatch.setattr(AnsibleModule, "_log_invocation", lambda _module: None)
    yield results


def invocation(shown: dict[str, Any]) -> dict[str, Any]:
    """The arguments as a module tells them. Newer releases of ansible-core tell none."""
    told = shown.get("invocation", {"module_args": {"pin": MASK}})["module_args"]
    return dict(told)


def make(arguments: dict[str, dict[str, Any]], values: dict[str, Any]) -> AnsibleModule:
    with patch_module_args(values):
        return AnsibleModule(arguments, supports_check_mode=True)


@pytest.mark.parametrize("thousand", range(10))
def test_a_result_is_whole_whatever_the_pin_is_and_holds_no_pin_of_its_own(
    told: list[dict[str, Any]], thousand: int
) -> None:
    module = make({"pin": {"type": "str", "no_log": True}}, {"pin": "0000"})
    for number in range(1000 * thousand, 1000 * (thousand + 1)):
        given = f"{number:04d}"
        for other in (given, "card"):
            module.params, module.no_log_values = {"pin": given}, {given}
            with pytest.raises(SystemExit):
                converge(module, lambda there=other: Report(there))  # type: ignore[misc]
            shown = told.pop()
            assert {name: shown[name] for name in result(other)} == result(other)
            assert shown["diff"]["before"] == {"name": other}
            assert invocation(shown)["pin"] == MASK
        assert given not in json.dumps(shown, default=str)


def test_a_module_without_spine_and_a_failure_are_whole_too(told: list[dict[str, Any]]) -> None:
    module = make(pin.ARGUMENTS, {"name": "0000", "pin": "0000"})
    assert module.no_log_values == {"0000"}
    with pytest.raises(SystemExit):
        show(module, lambda: {"cards": ["0000"]})
    shown = told.pop()
    assert (shown["cards"], shown["changed"], invocation(shown)["pin"]) == (["0000"], False, MASK)

    def fail() -> Any:
        raise InputError("name", "is '0000'", "choose another")

    module = make(pin.ARGUMENTS, {"name": "0000", "pin": "0000"})
    for drive in (show, converge):
        with pytest.raises(SystemExit):
            drive(module, fail)
        shown = told.pop()
        assert (shown["msg"], shown["failed"]) == ("name is '0000': choose another.", True)
        assert invocation(shown)["pin"] == MASK


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What an ansible-core that masks is told of, release 2.22."""
    secrets: list[str] = []
    module = types.ModuleType("ansible.module_utils.secrets")
    module.register_secret = secrets.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return secrets


def test_an_ansible_core_that_masks_is_told_of_each_form_of_a_secret(registered: list[str]) -> None:
    register_secrets("s3cret-1", None, "", "Default")
    assert registered == ["s3cret-1", "7333637265742d31", "czNjcmV0LTE="]


def test_it_is_not_told_of_what_stands_in_the_result_for_another_reason(
    told: list[dict[str, Any]], registered: list[str]
) -> None:
    module = make({"pin": {"type": "str", "no_log": True}, "puk": {"type": "str", "no_log": True}}, {})
    module.params = {"pin": "0000", "puk": "s3cret-1"}
    with pytest.raises(SystemExit):
        converge(module, lambda: Report("0000"))
    assert "0000" not in registered and "s3cret-1" in registered
