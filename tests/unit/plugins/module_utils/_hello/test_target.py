# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row a target: what modules, role and documentation say of a target is what its row says."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.doc_fragments import _hello
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello import arguments, sources
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope
from ansible_collections.hardbound.identity.plugins.module_utils._hello.source import SourceKind
from ansible_collections.hardbound.identity.plugins.module_utils._hello.target import (
    OPTIONS,
    TARGETS,
    Target,
    policy,
    target_named,
)
from ansible_collections.hardbound.identity.plugins.modules import hello_policy, hello_policy_info
from ansible_collections.hardbound.identity.tests.support.hello_samples import TENANT, WRITERS

NAMES = [each.name for each in TARGETS]
FORMATS = [each.name for each in TARGETS if each.is_format]
ROOM = pathlib.Path(sources.__file__).parent
ROLE = pathlib.Path(__file__).resolve().parents[5] / "roles/hello_policy/meta/argument_specs.yml"
OPTION = {"dest": "/nowhere", "tenant_id": TENANT, "title": "Corp", "gpo": {"name": "x"}, "himmelblau": {}}


@pytest.fixture(params=TARGETS, ids=NAMES)
def row(request: pytest.FixtureRequest) -> Target:
    return request.param


def task(row: Target, **options: object) -> dict[str, object]:
    return {
        "target": row.name,
        "scope": "device",
        "state": "present",
        "settings": None,
        **dict.fromkeys(OPTIONS),
        **options,
    }


def test_the_modules_and_the_role_offer_the_rows() -> None:
    fragment = yaml.safe_load(_hello.ModuleDocFragment.DOCUMENTATION)["options"]["target"]
    role = yaml.safe_load(ROLE.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]["hello_policy_targets"]
    assert fragment["choices"] == NAMES == role["options"]["target"]["choices"]
    assert hello_policy.ARGUMENTS["target"]["choices"] == NAMES
    documented = yaml.safe_load(hello_policy_info.DOCUMENTATION)["options"]["sources"]["suboptions"]
    assert documented["format"]["choices"] == FORMATS == sources.FORMATS
    assert set(OPTIONS) == {option for row in TARGETS for option in row.takes}


def test_a_row_names_options_that_the_module_and_the_role_have(row: Target) -> None:
    role = yaml.safe_load(ROLE.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]["hello_policy_targets"]
    assert set(row.needs) <= set(row.takes) <= set(OPTIONS) <= set(hello_policy.ARGUMENTS) & set(role["options"])
    assert (("target", row.name, list(row.needs)) in arguments.needed_arguments()) == bool(row.needs)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_taken_or_refused_by_name(row: Target, option: str) -> None:
    if option in row.takes:
        if option != "gpo":  # which would connect
            policy(task(row, **{option: OPTION[option]}))
        return
    with pytest.raises(InputError, match=f"^{option} means nothing to target {row.name}"):
        policy(task(row, **{option: OPTION[option]}))


def test_a_row_has_users_policies_or_refuses_them(row: Target) -> None:
    assert type(row.writer(Scope.DEVICE, {})) is type(WRITERS["registry_pol" if row.name == "gpo" else row.name])
    if Scope.USER in row.scopes:
        assert row.writer(Scope.USER, {}) != row.writer(Scope.DEVICE, {})
    else:
        with pytest.raises(InputError, match=f"^scope is user, but {row.name}"):
            row.writer(Scope.USER, {})


def test_only_the_default_file_of_a_row_that_rules_this_host_is_obeyed_here(row: Target) -> None:
    assert row.obeyed_here(None) == row.obeyed_here(row.default_dest) == (row.name == "linux")
    assert not row.obeyed_here("/elsewhere")


def test_the_format_of_a_kind_of_source_is_a_target_that_is_read() -> None:
    for kind in SourceKind:
        assert kind.document == "" or target_named(kind.document).is_format
        assert kind.document == "" or kind.scope in target_named(kind.document).scopes


def test_no_other_file_of_the_room_asks_for_a_target_by_name() -> None:
    asks = re.compile(rf"[=!]= *[\"']({'|'.join(NAMES)})[\"']|Target\.[A-Z]")
    for path in ROOM.glob("*.py"):
        assert not asks.search(path.read_text(encoding="utf-8")), path.name
