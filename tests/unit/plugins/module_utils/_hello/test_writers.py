# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all writers owe: every setting there and back, or refused by name; nothing else touched."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.plan import fit, plan
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import (
    NOT_CONFIGURED,
    PolicyState,
    SettingState,
    ValueKind,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.writer import Writer
from ansible_collections.hardbound.identity.tests.support.hello_samples import ALL, WRITERS
from hypothesis import given
from hypothesis import strategies as st

EACH = [
    pytest.param(writer, name, state, id=f"{title}-{name}-{number}")
    for title, writer in WRITERS.items()
    for number, (name, state) in enumerate(ALL)
]

HELD = {
    "registry_pol": 21,
    "registry_pol of users": 2,
    "syncml": 23,
    "syncml of users": 11,
    "graph_custom": 23,
    "graph_custom of users": 11,
    "graph_catalog": 21,
    "graph_catalog of users": 11,
    "provisioning": 1,
    "linux": 17,
    "himmelblau": 2,
}
"""How many of the 25 settings each target holds in at least one state."""


def held(writer: Writer) -> dict[str, SettingState]:
    """One state of each setting that the writer can hold."""
    return {name: state for name, state in ALL if writer.objection(setting_named(name), state) is None}


def test_the_samples_are_each_setting_in_each_state_and_at_both_ends_of_each_range() -> None:
    for setting in SETTINGS:
        states = [state for name, state in ALL if name == setting.name]
        wanted = (
            {PolicyState.ENABLED}
            if setting.lingers and setting.switch is None
            else {PolicyState.ENABLED, PolicyState.DISABLED}
        )
        assert {each.state for each in states} == wanted | ({PolicyState.ALLOWED} if setting.is_class else set()), (
            setting.name
        )
        for option in setting.options:
            found = {each.option(option.name) for each in states if each.state is PolicyState.ENABLED}
            ends = {
                ValueKind.NUMBER: {option.lowest, option.highest},
                ValueKind.FLAG: {True, False},
                ValueKind.WORD: {word for word, _number in option.words},
            }
            assert ends.get(option.kind, set()) <= found, (setting.name, option.name)
            assert option.kind in ends or len(found) > 1


@pytest.mark.parametrize(("writer", "name", "state"), EACH)
def test_a_setting_comes_back_as_it_was_or_is_named(writer: Writer, name: str, state: SettingState) -> None:
    objection = writer.objection(setting_named(name), state)
    if objection is None:
        document = writer.render({name: state}, b"")
        assert writer.read(document) == {name: state}
        assert writer.render({name: state}, document) == document
    elif objection.refuse:
        with pytest.raises(InputError) as raised:
            fit({name: state}, writer)
        assert str(raised.value).startswith(f"settings.{name} {objection.reason}: {objection.remedy}")
    else:
        assert fit({name: state}, writer).not_applicable == {name: objection.reason}
        assert any(name in text for text in plan(fit({name: state}, writer), {}, writer).warnings)


@pytest.mark.parametrize("title", WRITERS)
def test_each_target_holds_what_the_guide_says(title: str) -> None:
    assert len(held(WRITERS[title])) == HELD[title]


@pytest.mark.parametrize("title", WRITERS)
def test_all_settings_at_once_come_back_and_go_again(title: str) -> None:
    writer = WRITERS[title]
    model = held(writer)
    document = writer.render(model, b"")
    assert writer.read(document) == model
    gone = writer.read(writer.render(dict.fromkeys(model, NOT_CONFIGURED), document))
    assert gone == {name: NOT_CONFIGURED for name in model if writer.keeps_removal(setting_named(name))}


@pytest.mark.parametrize("title", WRITERS)
def test_one_setting_changes_and_the_others_stay(title: str) -> None:
    writer = WRITERS[title]
    model = held(writer)
    document = writer.render(model, b"")
    for name, state in ALL:
        if writer.objection(setting_named(name), state) is None:
            assert writer.read(writer.render({name: state}, document)) == {**model, name: state}


@pytest.mark.parametrize("title", WRITERS)
@given(document=st.binary(min_size=1, max_size=40) | st.text('<>[]{}"=,:; aglob\n', min_size=1).map(str.encode))
def test_a_damaged_document_is_refused_or_read_never_more(title: str, document: bytes) -> None:
    try:
        WRITERS[title].read(document)
    except StateError as error:
        assert ": " in str(error)
