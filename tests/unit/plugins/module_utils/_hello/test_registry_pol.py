# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing a Registry.pol: what is ours changes, every other byte and its place stay."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import preg
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.preg import Entry, RegType
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.registry import Delete, Forget, PutValue
from ansible_collections.hardbound.identity.plugins.module_utils._hello.registry_pol import RegistryPol, edited, found
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import (
    NOT_CONFIGURED,
    PolicyState,
    Scope,
    SettingState,
)
from ansible_collections.hardbound.identity.tests.support.data_files import FOLDER
from hypothesis import given
from hypothesis import strategies as st

HELLO = "SOFTWARE\\Policies\\Microsoft\\PassportForWork"
PIN = HELLO + "\\PINComplexity"
OTHER = Entry.string("Software\\Other", "Text", "a];[b")

NAMES = ("Enabled", "ENABLED", "Other", "**del.Enabled", "**Del.other", "**delvals.", "**soft.Enabled", "**SecureKey=1")
KEYS = (HELLO, HELLO.lower(), PIN, "Software\\Elsewhere")
PARENT, _backslash, LAST_KEY = HELLO.rpartition("\\")
UNDOING = [
    Entry.string(HELLO, "**DelVals.", " "),
    Entry.string(HELLO, "**delvals", " "),
    Entry.string(HELLO, "**DeleteValues", "Foo;enabled"),
    Entry.string(PARENT, "**DeleteKeys", f"Foo; {LAST_KEY.upper()}"),
    Entry.string("SOFTWARE", "**deletekeys", "Policies"),
]
HARMLESS = [
    Entry.string(HELLO, "**DeleteValues", "Foo;Enable;Enabled2"),
    Entry.dword(HELLO, "**DeleteValues", 1),
    Entry.string(HELLO, "**DeleteKeys", f"Foo;{LAST_KEY};"),
    Entry.string(PARENT, "**DeleteKeys", LAST_KEY[:-1]),
    Entry.string(PIN, "**delvals.", " "),
    Entry.string(HELLO, "**soft.Enabled", "0"),
    Entry.string(HELLO, "**SecureKey", "1"),
]
ENTRIES = st.lists(
    st.sampled_from(UNDOING + HARMLESS)
    | st.builds(Entry.dword, st.sampled_from(KEYS), st.sampled_from(NAMES), st.integers(0, 93))
    | st.builds(Entry.string, st.sampled_from(KEYS), st.sampled_from(NAMES), st.text("a];[", max_size=4)),
    max_size=10,
)
EDITS = (
    st.builds(PutValue, st.just(HELLO), st.just("Enabled"), st.integers(0, 93))
    | st.builds(PutValue, st.just(HELLO), st.just("Enabled"), st.text("a];[", max_size=4))
    | st.just(Delete(HELLO, "Enabled"))
    | st.just(Forget(HELLO, "Enabled"))
)


def outcome(entries, name="enabled"):
    return [each for each in found(entries) if (each.key.lower(), each.name.lower()) == (HELLO.lower(), name)]


def is_ours(entry):
    return entry.key.lower() == HELLO.lower() and entry.value.lower() in ("enabled", "**del.enabled")


def test_a_value_is_replaced_in_its_place_in_the_spelling_that_stands():
    before = (OTHER, Entry.dword(HELLO.lower(), "ENABLED", 0), Entry.dword(HELLO, "Next", 7))
    after = edited(before, [PutValue(HELLO, "Enabled", 1)])
    assert after == (OTHER, Entry.dword(HELLO.lower(), "ENABLED", 1), Entry.dword(HELLO, "Next", 7))


def test_a_new_value_ends_its_keys_run():
    before = (Entry.dword(HELLO.upper(), "Enabled", 1), Entry.dword(PIN, "Digits", 1), OTHER)
    after = edited(before, [PutValue(HELLO, "RequireSecurityDevice", 1)])
    assert after == (before[0], Entry.dword(HELLO.upper(), "RequireSecurityDevice", 1), before[1], OTHER)


def test_a_new_key_ends_the_file():
    assert edited((OTHER,), [PutValue(PIN, "Digits", 1)]) == (OTHER, Entry.dword(PIN, "Digits", 1))


def test_the_type_changes_with_the_value():
    before = (Entry.string(HELLO, "Enabled", "1"), OTHER)
    assert edited(before, [PutValue(HELLO, "Enabled", 1)]) == (Entry.dword(HELLO, "Enabled", 1), OTHER)


def test_putting_removes_a_contrary_deletion():
    before = (Entry.deletion(HELLO, "Enabled"), OTHER)
    assert edited(before, [PutValue(HELLO, "Enabled", 1)]) == (Entry.dword(HELLO, "Enabled", 1), OTHER)


def test_deleting_replaces_the_value_and_keeps_a_deletion_as_it_stands():
    assert edited((Entry.dword(HELLO, "Enabled", 1), OTHER), [Delete(HELLO, "Enabled")]) == (
        Entry.deletion(HELLO, "Enabled"),
        OTHER,
    )
    odd = (Entry(HELLO, "**DEL.enabled", RegType.SZ, b"\0\0"),)
    assert edited(odd, [Delete(HELLO, "Enabled")]) == odd


def test_forgetting_leaves_neither():
    before = (Entry.dword(HELLO, "Enabled", 1), Entry.deletion(HELLO, "enabled"), OTHER)
    assert edited(before, [Forget(HELLO, "Enabled")]) == (OTHER,)


def test_the_last_of_several_entries_counts_and_stays_alone():
    before = (Entry.dword(HELLO, "Enabled", 0), OTHER, Entry.dword(HELLO, "Enabled", 1))
    assert outcome(before)[0].data == 1
    assert edited(before, [PutValue(HELLO, "Enabled", 1)]) == (OTHER, Entry.dword(HELLO, "Enabled", 1))


@pytest.mark.parametrize("command", UNDOING)
def test_what_a_later_command_undoes_is_not_said(command):
    ours = Entry.dword(HELLO, "Enabled", 1)
    assert outcome((ours, command)) == []
    assert [each.data for each in outcome((command, ours))] == [1]
    document = preg.encode([ours, command])
    writer = RegistryPol(Scope.DEVICE)
    assert writer.read(document) == {}
    assert writer.read(writer.render({"use_hello": SettingState(PolicyState.ENABLED)}, document))


@pytest.mark.parametrize("command", HARMLESS)
def test_a_command_about_something_else_undoes_nothing(command):
    ours = Entry.dword(HELLO, "Enabled", 1)
    assert [each.data for each in outcome((ours, command))] == [1]
    assert edited((ours, command), [PutValue(HELLO, "Enabled", 1)]) == (ours, command)


@pytest.mark.parametrize("command", UNDOING)
def test_a_value_goes_behind_a_command_that_would_remove_it(command):
    before = (Entry.dword(HELLO, "Enabled", 1), command)
    assert edited(before, [PutValue(HELLO, "Enabled", 1)]) == (command, Entry.dword(HELLO, "Enabled", 1))


def test_what_a_client_ends_up_with():
    entries = (
        Entry.dword(HELLO, "Enabled", 1),
        Entry.deletion(HELLO.lower(), "Enabled"),
        Entry.dword(PIN, "Digits", 1),
        Entry.string(PIN, "**delvals.", " "),
        Entry.dword(PIN, "Expiration", 5),
        Entry(PIN, "Odd", RegType.DWORD, b"\x01"),
    )
    assert [(each.name, each.data, each.deleted) for each in found(entries)] == [
        ("Enabled", None, True),
        ("Expiration", 5, False),
        ("Odd", b"\x01", False),
    ]


@given(ENTRIES, EDITS)
def test_foreign_entries_and_their_order_never_change(entries, change):
    after = edited(entries, [change])
    assert [entry for entry in after if not is_ours(entry)] == [entry for entry in entries if not is_ours(entry)]


@given(ENTRIES, EDITS)
def test_an_edit_takes_effect_and_the_same_edit_again_changes_nothing(entries, change):
    after = edited(entries, [change])
    ours = outcome(after)
    if isinstance(change, PutValue):
        assert [each.data for each in ours] == [change.data]
        assert not ours[0].deleted
    elif isinstance(change, Delete):
        assert [each.deleted for each in ours] in ([True], [])
        assert len([entry for entry in after if is_ours(entry)]) == 1
    else:
        assert not ours
    assert edited(after, [change]) == after


@given(ENTRIES, EDITS)
def test_commands_are_never_made(entries, change):
    def commands(of):
        return sorted(entry.value for entry in of if entry.value.startswith("**") and not is_ours(entry))

    assert commands(edited(entries, [change])) == commands(entries)


def test_a_value_too_large_for_an_entry_is_refused_by_name():
    with pytest.raises(InputError, match="Rules can't be written"):
        edited((), [PutValue(HELLO, "Rules", "x" * 40000)])


@pytest.mark.parametrize("document", [b"PReg", preg.encode([OTHER])[:-3], b"x" * 20])
def test_a_damaged_file_is_refused_with_the_offset_and_never_rendered(document):
    writer = RegistryPol(Scope.DEVICE)
    with pytest.raises(StateError, match=r"offset \d+"):
        writer.read(document)
    with pytest.raises(StateError, match="left as it is"):
        writer.render({"use_hello": SettingState(PolicyState.ENABLED)}, document)


class TestWriter:
    writer = RegistryPol(Scope.DEVICE)

    def switches(self):
        return [each for each in SETTINGS if each.in_gpo and each.switch is not None and not each.options]

    def test_every_switch_goes_through_and_back(self):
        assert len(self.switches()) > 8
        for setting in self.switches():
            for state in (PolicyState.ENABLED, PolicyState.DISABLED):
                document = self.writer.render({setting.name: SettingState(state)}, preg.encode([OTHER]))
                assert self.writer.read(document)[setting.name].state is state, setting.name
                assert preg.decode(document)[0] == OTHER
                assert self.writer.render({setting.name: SettingState(state)}, document) is document

    def test_taking_a_setting_out_leaves_the_rest(self):
        for setting in self.switches():
            document = self.writer.render({setting.name: SettingState(PolicyState.ENABLED)}, preg.encode([OTHER]))
            emptied = self.writer.render({setting.name: NOT_CONFIGURED}, document)
            if self.writer.keeps_removal(setting):
                assert self.writer.read(emptied)[setting.name] == NOT_CONFIGURED
            else:
                assert emptied == preg.encode([OTHER]), setting.name

    def test_nothing_to_say_makes_no_file(self):
        assert self.writer.render({}, b"") == b""
        assert self.writer.render({"use_hello": NOT_CONFIGURED}, b"") == b""

    def test_a_setting_of_the_computer_is_no_users_setting(self):
        state = SettingState(PolicyState.ENABLED)
        objection = RegistryPol(Scope.USER).objection(setting_named("pin_digits"), state)
        assert objection is not None and objection.refuse
        assert self.writer.objection(setting_named("pin_digits"), state) is None


def test_a_real_file_keeps_every_foreign_byte():
    blob = (FOLDER / "others.pol").read_bytes()
    writer = RegistryPol(Scope.DEVICE)
    changed = writer.render({"use_hello": SettingState(PolicyState.ENABLED)}, blob)
    assert changed.startswith(blob)
    assert len(changed) > len(blob)
    assert writer.render({"use_hello": NOT_CONFIGURED}, changed) == blob
