# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue is whole, consistent, and says what the published files say."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.provider import Provider, provider
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Group, Option, Setting, ValueKind
from ansible_collections.hardbound.identity.tests.support.data_files import HELLO_FACTS


def test_the_reference_has_21_settings_and_4_stand_beyond() -> None:
    assert [setting.in_reference for setting in SETTINGS] == [True] * 21 + [False] * 4
    assert len({setting.name for setting in SETTINGS}) == 25


def test_no_value_or_node_belongs_to_two_settings() -> None:
    places = [place for setting in SETTINGS for place in setting.places if place is not None]
    nodes = [node.path for setting in SETTINGS for node in setting.nodes if node is not None]
    assert len({(place.key.lower(), place.name.lower()) for place in places}) == len(places)
    assert len(set(nodes)) == len(nodes)


def test_every_setting_of_the_reference_has_its_japanese_name_and_all_meanings() -> None:
    for setting in SETTINGS:
        assert all((setting.meaning.enabled, setting.meaning.disabled, setting.meaning.not_configured, setting.default))
        assert bool(setting.japanese) == setting.in_reference
        assert bool(setting.meaning.allowed) == setting.is_class


def test_the_groups_are_those_that_resolve_together() -> None:
    members = {group: [each.name for each in SETTINGS if each.group is group] for group in Group}
    assert members[Group.FEATURE] == ["use_hello", "use_certificate_for_on_prem_auth"]
    assert members[Group.PIN] == [
        "require_security_device",
        "pin_expiration",
        "pin_history",
        "pin_max_length",
        "pin_min_length",
        "pin_digits",
        "pin_lowercase",
        "pin_special",
        "pin_uppercase",
    ]


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("pin_min_lenght", "pin_min_length"), ("use_helo", "use_hello"), ("dynamiclock", "dynamic_lock")],
)
def test_an_unknown_setting_brings_the_nearest_name(wrong: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {nearest}"):
        setting_named(wrong)


def test_a_name_that_is_near_to_none_brings_all_of_them() -> None:
    with pytest.raises(InputError, match="choose from use_hello, require_security_device"):
        setting_named("42")


@pytest.mark.parametrize("each", Provider)
def test_a_provider_goes_by_name_and_guid(each: Provider) -> None:
    for name in (each.value, each.value.upper(), each.guid, each.guid.lower(), each.guid.strip("{}")):
        assert provider(name, "group_a[0]") is each


@pytest.mark.parametrize("name", ["iris", "{00000000-0000-0000-0000-000000000000}", 3, None])
def test_another_provider_is_refused(name: object) -> None:
    with pytest.raises(InputError, match=r"group_a\[0\]"):
        provider(name, "group_a[0]")


def test_keys_values_ranges_and_nodes_are_those_of_the_published_files() -> None:
    facts = json.loads(HELLO_FACTS.read_text(encoding="utf-8"))["settings"]
    assert [fact["name"] for fact in facts] == [setting.name for setting in SETTINGS]
    for fact, setting in zip(facts, SETTINGS):
        assert gpo_of(setting) == fact["gpo"], setting.name
        assert [[node.path, node.format.value, node.user] for node in setting.nodes if node] == fact["csp"]


def gpo_of(setting: Setting) -> dict[str, object] | None:
    if not setting.in_gpo:
        return None
    switch, place = setting.switch, setting.places[0]
    assert place is not None
    return {
        "users": setting.user_gpo,
        "key": place.key,
        "value": place.name if switch else None,
        "enabled": switch.enabled if switch else None,
        "disabled": switch.disabled if switch else None,
        "elements": [[each.place.key, each.place.name, *bounds(each)] for each in setting.options],
    }


def bounds(option: Option) -> tuple[int | None, int | None]:
    if option.kind is ValueKind.WORD:
        return min(number for _word, number in option.words), max(number for _word, number in option.words)
    return (option.lowest, option.highest) if option.kind is ValueKind.NUMBER else (None, None)
