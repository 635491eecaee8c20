# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.fields import Fields, UnknownField, encoded
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from hypothesis import given
from hypothesis import strategies as st


@given(st.binary(max_size=64))
def test_bytes_come_back(value):
    assert Fields({"a": encoded(value)}, "").octets("a", 64) == value


@pytest.mark.parametrize(
    "value, read, message",
    [
        ({}, lambda fields: fields.flag("a"), "top.a is missing"),
        ({"a": 1}, lambda fields: fields.flag("a"), "top.a is no bool"),
        ({"a": True}, lambda fields: fields.number("a", 1), "top.a is no int"),
        ({"a": 2}, lambda fields: fields.number("a", 1), "top.a is no number from 0 to 1"),
        ({"a": -1}, lambda fields: fields.number("a", 1), "top.a is no number from 0 to 1"),
        ({"a": ""}, lambda fields: fields.text("a", 3), "top.a has not 1 to 3 printable characters"),
        ({"a": "four"}, lambda fields: fields.text("a", 3), "top.a has not 1 to 3 printable characters"),
        ({"a": "\n"}, lambda fields: fields.text("a", 3), "top.a has not 1 to 3 printable characters"),
        ({"a": "!"}, lambda fields: fields.octets("a", 3), "top.a is no base64"),
        ({"a": "\u00fc"}, lambda fields: fields.octets("a", 3), "top.a is no base64"),
        ({"a": encoded(bytes(99))}, lambda fields: fields.octets("a", 3), "top.a is no base64 of at most 3 bytes"),
        ({"a": [1, 2]}, lambda fields: fields.list("a", 1), "top.a has 2 members, where at most 1 may be"),
        ({"a": [1]}, lambda fields: fields.objects("a", 1), r"top.a\[0\] is no JSON object"),
        ({"a": [1]}, lambda fields: fields.octets_list("a", 1, 9), r"top.a\[0\] is no base64"),
        ({"a": {"b": 1}}, lambda fields: fields.object("a").flag("b"), "top.a.b is no bool"),
    ],
)
def test_a_fault_names_its_place(value, read, message):
    with pytest.raises(WireError, match=message):
        read(Fields(value, "top"))


@pytest.mark.parametrize("value", [None, [], "a", 3, {1: 2}])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(WireError, match="is no JSON object"):
        Fields(value, "top")


def test_what_nobody_asked_for_is_refused():
    fields = Fields({"a": True, "upn": "x"}, "top")
    fields.flag("a")
    with pytest.raises(UnknownField, match=r"top\.upn"):
        fields.end()
