# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as a task writes them."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import (
    parse_setting,
    parse_settings,
    to_data,
    view,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import (
    NOT_CONFIGURED,
    PolicyState,
    SettingState,
)
from ansible_collections.hardbound.identity.tests.support.hello_samples import ALL
from hypothesis import given
from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["enabled", "allowed"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["state", "value", "rules", "group_a", "group_b", "exclude_tpm12"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(("name", "state"), ALL)
def test_a_state_is_written_as_it_is_read(name: str, state: SettingState) -> None:
    setting = setting_named(name)
    assert parse_setting(setting, to_data(setting, state), name) == state


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_not_configured(setting) -> None:
    assert parse_setting(setting, "not_configured", setting.name) == NOT_CONFIGURED
    assert parse_setting(setting, {"state": "not_configured"}, setting.name) == NOT_CONFIGURED
    assert to_data(setting, NOT_CONFIGURED) == "not_configured"


@given(st.sampled_from(SETTINGS), ANYTHING)
def test_anything_is_taken_or_refused_by_name(setting, data: object) -> None:
    try:
        state = parse_setting(setting, data, f"settings.{setting.name}")
    except InputError as error:
        assert error.field.startswith(f"settings.{setting.name}")
    else:
        assert parse_setting(setting, to_data(setting, state), setting.name) == state


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("use_hello", True, "use_hello"),
        ("use_hello", "on", "use_hello"),
        (
            "use_hello",
            {"state": "enabled", "disable_post_logon_provisoning": True},
            "use_hello.disable_post_logon_provisoning",
        ),
        (
            "use_hello",
            {"state": "disabled", "disable_post_logon_provisioning": True},
            "use_hello.disable_post_logon_provisioning",
        ),
        ("use_hello", {"disable_post_logon_provisioning": 1}, "use_hello.disable_post_logon_provisioning"),
        ("use_biometrics", "required", "use_biometrics"),
        ("pin_min_length", 3, "pin_min_length"),
        ("pin_min_length", 128, "pin_min_length"),
        ("pin_min_length", "eight", "pin_min_length"),
        ("pin_min_length", 8.0, "pin_min_length"),
        ("pin_min_length", True, "pin_min_length"),
        ("pin_min_length", "enabled", "pin_min_length.value"),
        ("pin_history", 51, "pin_history"),
        ("pin_expiration", 731, "pin_expiration"),
        ("pin_expiration", -1, "pin_expiration"),
        ("pin_digits", 1, "pin_digits"),
        ("ess_with_supported_peripherals", "maybe", "ess_with_supported_peripherals"),
        ("device_unlock", "enabled", "device_unlock.group_a"),
        ("device_unlock", {"group_a": ["pin"]}, "device_unlock.group_b"),
        ("device_unlock", {"group_a": "pin", "group_b": ["face"]}, "device_unlock.group_a"),
        ("device_unlock", {"group_a": ["pin", "pin"], "group_b": ["face"]}, "device_unlock.group_a"),
        ("device_unlock", {"group_a": ["pin"], "group_b": ["iris"]}, "device_unlock.group_b[0]"),
        ("dynamic_lock", {"rules": []}, "dynamic_lock.rules"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(name: str, data: object, field: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_settings({name: data})
    assert raised.value.field == f"settings.{field}"
    assert raised.value.remedy


def test_a_number_may_come_as_text_from_a_template() -> None:
    assert parse_settings({"pin_history": "5"}) == {"pin_history": SettingState(PolicyState.ENABLED, (("value", 5),))}


def test_classes_go_by_the_words_of_a_pin_policy_and_by_those_of_a_setting() -> None:
    assert parse_settings({"pin_digits": "required"}) == parse_settings({"pin_digits": "enabled"})
    assert parse_settings({"pin_digits": "disallowed"}) == parse_settings({"pin_digits": "disabled"})


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"settings\.pin_histroy .*did you mean pin_history"):
        parse_settings({"pin_histroy": 5})


def test_a_view_is_in_the_order_of_the_catalogue_and_says_defaults_not_at_all() -> None:
    model = parse_settings(
        {"pin_min_length": 8, "use_hello": "enabled", "require_security_device": {"exclude_tpm12": True}}
    )
    assert list(view(model).items()) == [
        ("use_hello", "enabled"),
        ("require_security_device", {"state": "enabled", "exclude_tpm12": True}),
        ("pin_min_length", 8),
    ]
