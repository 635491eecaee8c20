# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules between settings: each finds its fault, and only that."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.rules import check, warnings

SIGNAL = [{"bluetooth": {}}]
CLASSES = ("pin_digits", "pin_lowercase", "pin_special", "pin_uppercase")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pin_min_length": 9, "pin_max_length": 8}, "pin_min_length is 9, more than pin_max_length, which is 8"),
        ({"pin_max_length": 5}, "pin_max_length is 5, less than the 6 characters that hold"),
        (dict.fromkeys(CLASSES, "disallowed"), "no PIN is possible"),
        (
            {"allow_all_user_card_enumeration": "enabled", "disable_card_emulation": "enabled"},
            "allow_all_user_card_enumeration is enabled, but doesn't work",
        ),
        (
            {"hello_cert_as_smartcard_cert": "enabled", "disable_card_emulation": "enabled"},
            "hello_cert_as_smartcard_cert is enabled, but doesn't work",
        ),
        (
            {"device_unlock": {"group_a": ["pin", "trusted_signal"], "group_b": ["face"]}},
            "group_a names trusted_signal",
        ),
        ({"device_unlock": {"group_a": ["pin"], "group_b": ["trusted_signal"]}}, "rules are missing"),
        ({"device_unlock": {"group_a": ["face"], "group_b": ["fingerprint"]}}, "don't name pin"),
        ({"device_unlock": {"group_a": ["pin"], "group_b": ["pin"]}}, "one factor can't count twice"),
        (
            {"device_unlock": {"group_a": ["pin"], "group_b": ["face"]}, "use_biometrics": "disabled"},
            "group_b names biometric providers only",
        ),
    ],
)
def test_a_contradiction_is_an_error(settings: dict[str, object], message: str) -> None:
    model = parse_settings(settings)
    with pytest.raises(InputError, match=message) as raised:
        check(model, set(model))
    assert raised.value.field.startswith("settings.")
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pin_min_length": 8, "pin_max_length": 8}, "both 8"),
        (
            {"use_certificate_for_on_prem_auth": "enabled", "use_cloud_trust_for_on_prem_auth": "enabled"},
            "use_certificate_for_on_prem_auth wins",
        ),
        ({"device_unlock": {"group_a": ["pin"], "group_b": ["face"], "rules": SIGNAL}}, "rules have no effect"),
        (
            {"pin_history": 5},
            "forgotten by Windows at a PIN reset",
        ),
        ({"disable_card_emulation": "enabled"}, "made afterwards"),
        ({"use_hello": "not_configured"}, "use_hello is not_configured, and sources disagree"),
        (
            {"ess_with_supported_peripherals": "allowed"},
            "ess_with_supported_peripherals is enabled, and sources disagree",
        ),
        ({"disable_post_logon_credential_caching": "enabled"}, "Insider"),
    ],
)
def test_what_a_person_should_know_is_a_warning(settings: dict[str, object], message: str) -> None:
    model = parse_settings(settings)
    check(model, set(model))
    assert [text for text in warnings(model, set(model)) if message in text]
    assert warnings(model, set()) == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"pin_min_length": 4, "pin_max_length": 127, "use_hello": "enabled"},
        {"pin_min_length": 5, "pin_max_length": 6},
        {**dict.fromkeys(CLASSES, "disallowed"), "pin_digits": "allowed"},
        {"allow_all_user_card_enumeration": "enabled", "disable_card_emulation": "disabled"},
        {"device_unlock": {"group_a": ["pin", "face"], "group_b": ["trusted_signal"], "rules": SIGNAL}},
        {"device_unlock": "disabled", "use_biometrics": "disabled"},
        {"use_cloud_trust_for_on_prem_auth": "enabled", "pin_history": 0},
    ],
)
def test_what_goes_together_passes_in_silence(settings: dict[str, object]) -> None:
    model = parse_settings(settings)
    check(model, set(model))
    assert not [text for text in warnings(model, set(model)) if "afterwards" not in text]


def test_a_contradiction_that_the_task_has_no_part_in_is_left_alone() -> None:
    model = parse_settings({"pin_min_length": 9, "pin_max_length": 8, "use_hello": "enabled"})
    check(model, {"use_hello"})
