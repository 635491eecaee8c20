# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the info modules: readable, whatever a host answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardbound.identity.plugins.action.hello_policy_info import ActionModule
from ansible_collections.hardbound.identity.plugins.plugin_utils._table import WIDEST, WIDEST_LAST, Table, cell
from hypothesis import given
from hypothesis import strategies as st

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_columns_line_up_and_wide_characters_count_twice() -> None:
    table = Table("Cards", ("name", "edge", "keys"), [("alice", "piv", ["9a", "9c"]), ("日本", "gids", [])])
    assert table.lines() == [
        "Cards",
        "name   edge  keys",
        "alice  piv   9a, 9c",
        "日本   gids",
    ]


def test_a_table_without_rows_is_not_shown() -> None:
    assert Table("Cards", ("name",), []).lines() == []


def test_a_long_cell_is_cut_and_the_last_one_later() -> None:
    line = Table("T", ("a", "b"), [("x" * 300, "y" * 300)]).lines()[2]
    assert line == "x" * (WIDEST - 1) + "…  " + "y" * (WIDEST_LAST - 1) + "…"


def test_many_rows_are_counted() -> None:
    assert Table("T", ("a",), [(number,) for number in range(250)]).lines()[-1] == "(50 more)"


@pytest.mark.parametrize("hostile", ["\x1b]0;owned\x07", "a\nTASK [all is well]", "\u202egnp.exe", "\r", "\x9b31m"])
def test_a_host_can_neither_draw_lines_nor_command_the_terminal(hostile: str) -> None:
    for value in (hostile, [hostile], {hostile: hostile}):
        assert cell(value).isprintable()
        (line,) = Table("T", ("a",), [(value,)]).lines()[2:]
        assert line.isprintable()


@given(PLAIN)
def test_whatever_a_host_answers_is_a_printable_line_or_nothing(answer: Any) -> None:
    result = dict.fromkeys(("settings", "not_enforceable", "notes"), answer)
    for found in (result, {"settings": [{"name": answer, "overridden": answer, "notes": answer, "value": answer}]}):
        for table in ActionModule.tables(None, found):
            assert all(line.isprintable() for line in table.lines())
