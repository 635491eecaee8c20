# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a Linux host: what cards read of it, without knowing the catalogue."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy


def written(**settings: object) -> dict[str, dict[str, object]]:
    return json.loads(Linux().render(parse_settings(settings), b""))


@pytest.mark.parametrize(
    ("settings", "pin_policy"),
    [
        ({"pin_min_length": 8, "pin_max_length": 20}, {"minlen": 8, "maxlen": 20}),
        ({"pin_min_length": "disabled", "pin_max_length": "disabled"}, {"minlen": 6, "maxlen": 127}),
        ({"pin_history": 5, "pin_expiration": 90}, {"history": 5, "expiry_days": 90}),
        ({"pin_history": "disabled", "pin_expiration": "disabled"}, {"history": 0, "expiry_days": 0}),
        (
            {
                "pin_digits": "required",
                "pin_lowercase": "allowed",
                "pin_special": "disallowed",
                "pin_uppercase": "enabled",
            },
            {"digits": "required", "lowercase": "allowed", "specialchars": "disallowed", "uppercase": "required"},
        ),
        ({"use_hello": "enabled"}, {}),
    ],
)
def test_pin_rules_are_fields_of_a_pin_policy(settings: dict[str, object], pin_policy: dict[str, object]) -> None:
    found = written(**settings)["pin_policy"]
    assert found == pin_policy
    assert set(found) <= {each.name for each in fields(PinPolicy)}
    PinPolicy(**{"minlen": 6, **found}).validate()


@pytest.mark.parametrize(
    ("settings", "cards"),
    [
        ({"use_hello": "enabled"}, {"may_create": True}),
        ({"use_hello": "disabled"}, {"may_create": False}),
        ({"require_security_device": "enabled"}, {"hardware_tpm_only": True}),
        ({"require_security_device": {"exclude_tpm12": True}}, {"hardware_tpm_only": True}),
        ({"require_security_device": "disabled"}, {"hardware_tpm_only": False}),
        ({"pin_recovery": "disabled"}, {"puk_may_reset_pin": False}),
        ({"disable_card_emulation": "enabled"}, {"present_new_cards": False}),
        ({"allow_all_user_card_enumeration": "enabled"}, {"everyone_sees_readers": True}),
        ({"pin_history": 5}, {}),
    ],
)
def test_switches_are_what_a_card_may_do(settings: dict[str, object], cards: dict[str, bool]) -> None:
    assert written(**settings)["cards"] == cards


SIGNAL = {"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}
PHONE = {"bluetooth": {"class_of_device": "phone", "rssi_min": -10, "rssi_max_delta": -10}}


def unlock(group_a: list[str], group_b: list[str]) -> dict[str, object]:
    return {"device_unlock": {"group_a": group_a, "group_b": group_b, "rules": [SIGNAL]}}


@pytest.mark.parametrize(
    ("settings", "sign_in"),
    [
        ({"pin_history": 5}, {}),
        ({"device_unlock": "disabled"}, {}),
        (
            unlock(["pin"], ["trusted_signal", "face"]),
            {"second_factors": ["trusted_signal"], "trusted_signals": [SIGNAL]},
        ),
        (unlock(["pin"], ["fingerprint"]), {"second_factors": ["fingerprint"]}),
        (unlock(["fingerprint", "face"], ["pin"]), {"second_factors": ["fingerprint"]}),
        (
            unlock(["fingerprint", "pin"], ["trusted_signal", "pin"]),
            {"second_factors": ["trusted_signal", "fingerprint"], "trusted_signals": [SIGNAL]},
        ),
        ({**unlock(["fingerprint", "pin"], ["pin"]), "use_biometrics": "disabled"}, {"second_factors": []}),
        ({"use_biometrics": "disabled"}, {}),
        ({"dynamic_lock": "enabled"}, {"lock_without": [PHONE]}),
        ({"dynamic_lock": "disabled"}, {}),
        ({"use_certificate_for_on_prem_auth": "enabled"}, {"certificates": True}),
        ({"use_certificate_for_on_prem_auth": "disabled"}, {"certificates": False}),
    ],
)
def test_what_the_sign_in_obeys_beside_a_pin(settings: dict[str, object], sign_in: dict[str, object]) -> None:
    assert written(**settings)["sign_in"] == sign_in


@pytest.mark.parametrize(("group_a", "group_b"), [(["pin"], ["face"]), (["fingerprint"], ["trusted_signal", "face"])])
def test_factors_without_a_pin_or_with_a_face_alone_are_named(group_a: list[str], group_b: list[str]) -> None:
    (state,) = parse_settings(unlock(group_a, group_b)).values()
    objection = Linux().objection(setting_named("device_unlock"), state)
    assert objection is not None and not objection.refuse
    assert objection.reason.startswith("names no second factor beside the PIN")


def test_the_document_has_a_version_and_says_what_the_task_said() -> None:
    found = written(pin_min_length=8, use_hello="enabled")
    assert list(found) == ["version", "settings", "pin_policy", "cards", "sign_in"]
    assert found["version"] == 1
    assert found["settings"] == {"use_hello": "enabled", "pin_min_length": 8}


def test_nothing_left_to_say_is_no_document() -> None:
    document = Linux().render(parse_settings({"pin_history": 5}), b"")
    assert Linux().render({"pin_history": NOT_CONFIGURED}, document) == b""


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"version": 2, "settings": {}}', "has version 2, and this release knows up to 1: update the collection"),
        (b'{"version": 0, "settings": {}}', "no version"),
        (b'{"version": 1}', "no settings"),
        (b'{"version": 1, "settings": {"pin_history": 99}}', "settings.pin_history is 99"),
        (b'{"version": 1, "settings": {"pin_histroy": 9}}', "did you mean pin_history"),
        (b"{", "is no JSON"),
    ],
)
def test_a_damaged_document_is_refused(document: bytes, message: str) -> None:
    with pytest.raises(StateError, match=message):
        Linux().read(document)
