# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module: each target by file, check mode, diff, both states, and what it refuses."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.modules import hello_policy
from ansible_collections.hardbound.identity.tests.support.hello_runner import run
from ansible_collections.hardbound.identity.tests.support.hello_samples import TENANT

FILES = {
    "registry_pol": ({}, {"pin_min_length": 8, "use_hello": "enabled"}),
    "syncml": ({"tenant_id": TENANT}, {"pin_min_length": 8, "use_hello": "enabled"}),
    "graph_custom": ({"tenant_id": TENANT}, {"pin_min_length": 8, "use_hello": "enabled"}),
    "graph_catalog": ({}, {"pin_min_length": 8, "use_hello": "enabled"}),
    "provisioning": ({}, {"use_security_key_for_signin": "enabled"}),
    "linux": ({}, {"pin_min_length": 8, "use_hello": "enabled"}),
    "himmelblau": ({"himmelblau": {"pin_retry_count": 3}}, {"pin_min_length": 8, "use_hello": "enabled"}),
}


def attempt(check: bool = False, **arguments: object) -> dict:
    return run(hello_policy, check, **arguments)


@pytest.mark.parametrize("target", FILES)
def test_check_do_again_and_again_in_check_mode(target: str, tmp_path: pathlib.Path) -> None:
    extra, settings = FILES[target]
    dest = tmp_path / "policy"
    task = {"target": target, "dest": str(dest), "settings": settings, **extra}
    checked = attempt(check=True, **task)
    assert (checked["failed"], checked["changed"], dest.exists()) == (False, True, False)
    done = attempt(**task)
    assert (done["changed"], dest.exists(), done["dest"]) == (True, True, str(dest))
    assert done["diff"] == checked["diff"]
    assert done["diff"]["after"].items() >= settings.items()
    assert set(done["changed_settings"]) >= set(settings)
    before = dest.read_bytes()
    for check in (False, True):
        again = attempt(check=check, **task)
        assert (again["changed"], again["changed_settings"], dest.read_bytes()) == (False, [], before)
        assert again["settings"].items() >= settings.items()


@pytest.mark.parametrize("target", FILES)
def test_absent_takes_out_what_is_named_and_then_all(target: str, tmp_path: pathlib.Path) -> None:
    extra, settings = FILES[target]
    task = {"target": target, "dest": str(tmp_path / "policy"), **extra}
    attempt(settings=settings, **task)
    first = next(iter(settings))
    one = attempt(state="absent", settings={first: settings[first]}, **task)
    assert (one["changed"], one["changed_settings"]) == (True, [first])
    assert attempt(state="absent", **task)["changed"] is (len(settings) > 1)
    assert attempt(state="absent", **task)["changed"] is False


@pytest.mark.parametrize("value", [3, "eight", 999, {"state": "wrong"}])
def test_absent_does_not_look_at_the_values_of_what_goes(value: object, tmp_path: pathlib.Path) -> None:
    task = {"target": "linux", "dest": str(tmp_path / "policy")}
    attempt(settings={"pin_min_length": 8, "pin_history": 5}, **task)
    gone = attempt(state="absent", settings={"pin_min_length": value}, **task)
    assert (gone["failed"], gone["settings"]) == (False, {"pin_history": 5})
    wrong = attempt(state="absent", settings={"pin_min_lenght": value}, **task)
    assert "did you mean pin_min_length" in wrong["msg"]


def test_settings_that_a_task_does_not_name_stay(tmp_path: pathlib.Path) -> None:
    task = {"target": "linux", "dest": str(tmp_path / "policy")}
    attempt(settings={"pin_min_length": 8}, **task)
    found = attempt(settings={"pin_history": 5}, **task)
    assert found["settings"] == {"pin_history": 5, "pin_min_length": 8}
    assert found["diff"]["before"] == {"pin_min_length": 8}


@pytest.mark.parametrize("target", ["syncml", "graph_custom", "graph_catalog", "provisioning"])
def test_without_a_dest_the_document_is_returned_and_nothing_changes(target: str) -> None:
    extra, settings = FILES[target]
    found = attempt(target=target, settings=settings, **extra)
    assert found["changed"] is False
    assert found["document"].endswith("\n")
    assert ("SecurityKeys" if target == "provisioning" else "passportforwork") in found["document"].replace(
        "PassportForWork", "passportforwork"
    )


@pytest.mark.parametrize("target", ["syncml", "graph_custom", "graph_catalog", "provisioning"])
@pytest.mark.parametrize("settings", [None, {}, {"use_security_key_for_signin": "not_configured"}])
def test_with_nothing_to_say_the_document_is_one_that_says_nothing(target: str, settings: dict | None) -> None:
    extra, _settings = FILES[target]
    document = attempt(target=target, settings=settings, **extra)["document"]
    head, key = {
        "syncml": ("<?xml", "SyncBody"),
        "graph_custom": ("{", '"omaSettings": []'),
        "graph_catalog": ("{", '"settings": []'),
        "provisioning": ("<?xml", "PackageConfig"),
    }[target]
    assert document.startswith(head)
    assert key in document


@pytest.mark.parametrize("target", ["syncml", "registry_pol"])
def test_ess_disabled_takes_the_value_away_once(target: str, tmp_path: pathlib.Path) -> None:
    task = {"target": target, "dest": str(tmp_path / "policy"), **FILES[target][0]}
    attempt(settings={"ess_with_supported_peripherals": "allowed"}, **task)
    gone = attempt(settings={"ess_with_supported_peripherals": "disabled"}, **task)
    assert gone["settings"] == {"ess_with_supported_peripherals": "not_configured"}
    assert attempt(settings={"ess_with_supported_peripherals": "disabled"}, **task)["changed"] is False
    assert attempt(settings={"ess_with_supported_peripherals": "not_configured"}, **task)["changed"] is False


def test_a_linux_host_reports_what_is_not_about_cards(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda module, text, **options: warnings.append(text))
    settings = {"enhanced_anti_spoofing": "enabled", "pin_history": 5}
    found = attempt(target="linux", dest=str(tmp_path / "p"), settings=settings)
    assert list(found["not_applicable"]) == ["enhanced_anti_spoofing"]
    assert found["settings"] == {"pin_history": 5}
    assert any("enhanced_anti_spoofing is about cameras" in text for text in warnings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "linux", "settings": {"pin_min_length": 3}}, "settings.pin_min_length is 3: choose a whole number"),
        ({"target": "linux", "settings": {"pin_min_lenght": 8}}, "pin_min_lenght: did you mean pin_min_length?"),
        ({"target": "linux", "settings": {"use_hello": True}}, "settings.use_hello is True: choose enabled"),
        ({"target": "linux", "settings": {"pin_recovery": "maybe"}}, "value of pin_recovery must be one of"),
        (
            {"target": "linux", "settings": {"pin_min_length": 9, "pin_max_length": 8}},
            "settings.pin_min_length is 9, more than pin_max_length",
        ),
        ({"target": "linux", "scope": "user"}, "scope is user, but linux has no policy of users"),
        (
            {"target": "registry_pol", "settings": {"use_remote_passport": "enabled"}},
            "settings.use_remote_passport exists in",
        ),
        (
            {"target": "registry_pol", "scope": "user", "settings": {"pin_history": 5}},
            "settings.pin_history is a setting of the computer",
        ),
        (
            {"target": "registry_pol", "settings": {"pin_digits": "allowed"}},
            "settings.pin_digits has no value for allowed",
        ),
        (
            {"target": "registry_pol", "settings": {"ess_with_supported_peripherals": "on"}},
            "settings.ess_with_supported_peripherals is 'on': choose allowed, blocked, disabled, or not_configured",
        ),
        *(
            (
                {"target": "registry_pol", "scope": "user", "settings": {"ess_with_supported_peripherals": value}},
                "settings.ess_with_supported_peripherals is a setting of the computer, a user policy doesn't have it",
            )
            for value in ("allowed", "blocked", "disabled")
        ),
        (
            {
                "target": "syncml",
                "scope": "user",
                "tenant_id": TENANT,
                "settings": {"ess_with_supported_peripherals": "disabled"},
            },
            "settings.ess_with_supported_peripherals has no user node",
        ),
        ({"target": "syncml", "tenant_id": "corp", "settings": {"pin_history": 5}}, "tenant_id is 'corp'"),
        ({"target": "syncml", "settings": {"pin_history": 5}}, "tenant_id"),
        (
            {"target": "syncml", "tenant_id": TENANT, "settings": {"disable_card_emulation": "enabled"}},
            "settings.disable_card_emulation has no node in the PassportForWork CSP",
        ),
        ({"target": "provisioning", "settings": {"use_hello": "enabled"}}, "settings.use_hello is not in the schema"),
        ({"target": "himmelblau", "himmelblau": {"pin_retry_count": -1}}, "himmelblau.pin_retry_count is -1"),
        ({"target": "gpo", "dest": None}, "but all of the following are missing: gpo"),
        ({"target": "gpo", "gpo": {"name": "x", "domain": "y"}}, "dest means nothing to target gpo"),
        ({"target": "linux", "gpo": {"name": "x"}}, "gpo means nothing to target linux"),
        ({"target": "linux", "himmelblau": {}}, "himmelblau means nothing to target linux"),
        ({"target": "linux", "tenant_id": TENANT}, "tenant_id means nothing to target linux"),
        ({"target": "linux", "title": "Corp"}, "title means nothing to target linux"),
        ({"target": "gpo", "dest": None, "gpo": {"name": "x"}}, "gpo.domain is missing"),
        ({"target": "gpo", "dest": None, "gpo": {"name": " ", "domain": "corp.example"}}, "gpo.name is empty"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_written(
    arguments: dict, message: str, tmp_path: pathlib.Path
) -> None:
    found = attempt(**{"dest": str(tmp_path / "policy"), **arguments})
    assert found["failed"] is True
    assert message in found["msg"]
    assert not (tmp_path / "policy").exists()


def test_a_damaged_file_is_never_rewritten(tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "Registry.pol"
    attempt(target="registry_pol", dest=str(dest), settings={"pin_history": 5})
    damaged = dest.read_bytes()[:-3]
    dest.write_bytes(damaged)
    found = attempt(target="registry_pol", dest=str(dest), settings={"pin_history": 6})
    assert (found["failed"], dest.read_bytes()) == (True, damaged)
    assert "damaged" in found["msg"]


def test_a_missing_folder_is_an_error(tmp_path: pathlib.Path) -> None:
    found = attempt(target="graph_catalog", dest=str(tmp_path / "no" / "file"), settings={"pin_history": 5})
    assert "can't be written" in found["msg"]


def test_the_password_of_the_domain_is_in_no_answer() -> None:
    secret = "correct horse 42"
    found = attempt(target="gpo", gpo={"name": "x", "server": "127.0.0.1", "username": "u", "password": secret})
    assert found["failed"] is True
    assert secret not in str(found)


def test_the_examples_run(tmp_path: pathlib.Path) -> None:
    """All but those for a domain, which the tests with a real one run."""
    for task in yaml.safe_load(hello_policy.EXAMPLES):
        arguments = dict(task["hardbound.identity.hello_policy"])
        if arguments["target"] == "gpo":
            continue
        if arguments["target"] == "linux" or "dest" in arguments:
            arguments["dest"] = str(tmp_path / arguments["target"])
        assert attempt(**arguments)["failed"] is False
