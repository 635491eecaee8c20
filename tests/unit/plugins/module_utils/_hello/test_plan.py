# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what changes, what stays, and how it looks to a person."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.plan import SettingChange, fit, plan, removal
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED
from ansible_collections.hardbound.identity.plugins.module_utils._hello.writer import Writer
from ansible_collections.hardbound.identity.tests.support.hello_samples import WRITERS

POL, CUSTOM, LINUX = WRITERS["registry_pol"], WRITERS["graph_custom"], WRITERS["linux"]


def test_the_diff_is_setting_names_and_values() -> None:
    current = parse_settings({"pin_min_length": 6, "use_hello": "enabled"})
    found = plan(fit(parse_settings({"pin_min_length": 8, "pin_history": 5}), POL), current, POL, "a file")
    assert found.before == {"use_hello": "enabled", "pin_min_length": 6}
    assert found.after == {"use_hello": "enabled", "pin_history": 5, "pin_min_length": 8}
    assert [step.name for step in found.steps] == ["pin_history", "pin_min_length"]
    assert found.title == "a file"


def test_what_is_so_already_is_no_change() -> None:
    current = parse_settings({"pin_min_length": 8})
    assert not plan(fit(current, POL), current, POL).changed


@pytest.mark.parametrize("writer", [POL, CUSTOM, LINUX])
def test_not_configured_of_what_is_not_there_is_no_change(writer: Writer) -> None:
    assert not plan(fit(parse_settings({"pin_history": "not_configured"}), writer), {}, writer).changed


def test_not_configured_of_what_lingers_on_clients_is_a_change_once() -> None:
    desired = fit(parse_settings({"use_biometrics": "not_configured"}), POL)
    found = plan(desired, {}, POL)
    assert found.steps == (SettingChange("use_biometrics", None, NOT_CONFIGURED),)
    assert found.after == {"use_biometrics": "not_configured"}
    assert not plan(desired, {"use_biometrics": NOT_CONFIGURED}, POL).changed


def test_a_rule_sees_what_stands_in_the_document_too() -> None:
    with pytest.raises(InputError, match="pin_min_length is 9"):
        plan(fit(parse_settings({"pin_min_length": 9}), POL), parse_settings({"pin_max_length": 8}), POL)


def test_a_contradiction_stays_an_error_on_a_second_run() -> None:
    model = parse_settings({"pin_min_length": 9, "pin_max_length": 8})
    with pytest.raises(InputError):
        plan(fit(model, POL), model, POL)


def test_removal_takes_the_named_settings_or_all_that_are_there() -> None:
    current = parse_settings({"pin_min_length": 8, "pin_history": 5})
    assert removal(["pin_history", "use_hello"], current) == {
        "use_hello": NOT_CONFIGURED,
        "pin_history": NOT_CONFIGURED,
    }
    assert removal([], current) == dict.fromkeys(["pin_history", "pin_min_length"], NOT_CONFIGURED)


def test_a_setting_that_a_target_lacks_may_be_not_configured_there() -> None:
    assert fit(parse_settings({"use_remote_passport": "not_configured"}), POL).model == {}


def test_linux_reports_what_is_not_about_cards() -> None:
    desired = fit(parse_settings({"enhanced_anti_spoofing": "enabled", "pin_min_length": 8}), LINUX)
    assert list(desired.model) == ["pin_min_length"]
    assert list(desired.not_applicable) == ["enhanced_anti_spoofing"]
    assert any(text.startswith("enhanced_anti_spoofing is about cameras") for text in plan(desired, {}, LINUX).warnings)
