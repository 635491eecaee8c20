# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The info module over inline settings and files of each format."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.modules import hello_policy, hello_policy_info
from ansible_collections.hardbound.identity.tests.support.hello_runner import run
from ansible_collections.hardbound.identity.tests.support.hello_samples import TENANT


def ask(*sources: dict[str, Any], **arguments: object) -> dict[str, Any]:
    return run(hello_policy_info, sources=list(sources), **arguments)


def of(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in answer["settings"] if each["name"] == name)


@pytest.mark.parametrize(
    ("kind", "target", "named"),
    [
        ("computer_gpo", "registry_pol", False),
        ("device_csp", "syncml", False),
        ("device_csp", "graph_custom", True),
        ("device_csp", "graph_catalog", True),
        ("linux_host", "linux", False),
    ],
)
def test_a_file_of_each_format_is_read(kind: str, target: str, named: bool, tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "policy")
    tenant = {"tenant_id": TENANT} if target in ("syncml", "graph_custom") else {}
    run(hello_policy, target=target, dest=path, settings={"pin_min_length": 8}, **tenant)
    found = ask({"kind": kind, "path": path, **({"format": target} if named else {})})
    assert found["sources"] == [{"kind": kind, "label": path, "settings": {"pin_min_length": 8}}]
    assert (of(found, "pin_min_length")["value"], of(found, "pin_min_length")["source"]) == (8, path)
    assert found["platform"] == ("linux" if kind == "linux_host" else "windows")
    assert found["changed"] is False


def test_a_mix_tells_who_won_and_who_lost() -> None:
    found = ask(
        {"kind": "device_csp", "settings": {"pin_min_length": 6, "pin_history": 5}},
        {"kind": "computer_gpo", "label": "the GPO", "settings": {"pin_min_length": 8}},
        {"kind": "linux_host", "settings": {"pin_min_length": 9}},
    )
    assert of(found, "pin_min_length") == {
        "name": "pin_min_length",
        "value": 8,
        "source": "the GPO",
        "default": "6 (disputed)",
        "conflict": True,
        "overridden": [{"source": "device_csp", "value": 6}, {"source": "linux_host", "value": 9}],
        "notes": [],
    }
    assert found["conflicts"] == ["pin_history", "pin_min_length"]
    assert [each["name"] for each in found["not_enforceable"]] == ["pin_min_length"]
    assert len(found["settings"]) == 25


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "device_csp"}, "sources[0] says nothing: give it exactly one of settings, path and gpo"),
        ({"kind": "device_csp", "settings": {}, "path": "x"}, "sources[0] has settings and path"),
        ({"kind": "device_csp", "settings": {"pin_histroy": 1}}, "did you mean pin_history"),
        ({"kind": "device_csp", "settings": {"pin_history": 99}}, "sources[0].settings.pin_history is 99"),
        ({"kind": "eas", "path": "/x"}, "sources[0].format is missing"),
        ({"kind": "device_csp", "path": "/nowhere"}, "/nowhere is not there or empty"),
        (
            {"kind": "device_csp", "gpo": {"name": "x", "domain": "y"}},
            "sources[0].kind is device_csp, but the source is a GPO",
        ),
        ({"kind": "computer_gpo", "gpo": {"name": "x"}}, "gpo.domain is missing"),
        ({"kind": "computer_gpo", "path": "/dev/null/x"}, "can't be read"),
    ],
)
def test_a_wrong_source_is_refused_by_name(source: dict[str, Any], message: str) -> None:
    found = ask(source)
    assert found["failed"] is True
    assert message in found["msg"]


def test_without_sources_it_is_about_this_linux_host() -> None:
    found = ask()
    assert (found["failed"], found["platform"]) == (False, "linux")


def test_the_examples_run_and_return_what_is_documented() -> None:
    documented = yaml.safe_load(hello_policy_info.RETURN)
    for task in yaml.safe_load(hello_policy_info.EXAMPLES):
        if "hardbound.identity.hello_policy_info" in task:
            arguments = task["hardbound.identity.hello_policy_info"] or {}
            found = run(hello_policy_info, **arguments)
            assert found["failed"] is False
            assert set(documented) <= set(found)
            assert set(documented["settings"]["contains"]) == set(found["settings"][0])
