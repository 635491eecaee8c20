# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.access import Holder, render
from ansible_collections.hardbound.identity.plugins.module_utils._edge.host_file import HostFile
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader_name import reader_name
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from hypothesis import given
from hypothesis import strategies as st

EVIL = '"}; polkit.addRule(function() { return polkit.Result.YES; }); //\u2028\\'
NAMES = st.text(min_size=1, max_size=60) | st.just(EVIL)
HOLDERS = st.dictionaries(
    st.integers(0, 15), st.tuples(NAMES, st.sampled_from(["", "alice"]), st.sampled_from(["", "staff"])), min_size=1
).map(lambda cards: [Holder(number, *rest) for number, rest in cards.items()])


def table(rules: str) -> t.Dict[str, t.Any]:
    """Cuts the one literal out of the script."""
    value, end = json.JSONDecoder().raw_decode(rules, rules.index("var holders = ") + len("var holders = "))
    assert rules[end] == ";"
    return t.cast(t.Dict[str, t.Any], value)


def script(rules: str) -> str:
    """What is left of the script without the literal."""
    start = rules.index("var holders = ") + len("var holders = ")
    _unused, end = json.JSONDecoder().raw_decode(rules, start)
    return rules[:start] + rules[end:]


def test_each_reader_has_its_holder() -> None:
    rules = render([Holder(0, "Work", "alice"), Holder(1, "Door", "", "staff"), Holder(2, "Root's")])
    assert table(rules) == {
        "Work, Door 00 00": {"owner": "alice", "group": None},
        "Work, Door 00 01": {"owner": None, "group": "staff"},
        "Root's 00 00": {"owner": None, "group": None},
    }


@pytest.mark.parametrize(("everyone", "literal"), [(None, "null"), (True, "true"), (False, "false")])
def test_who_sees_the_readers_is_in_the_script(everyone: t.Optional[bool], literal: str) -> None:
    assert f"    var everyone = {literal};\n" in render([Holder(0, "Work", "alice")], everyone)
    assert render([], everyone) == ""


@given(HOLDERS)
def test_no_card_name_gets_into_the_script(holders: t.List[Holder]) -> None:
    """The attacker may choose the names of cards."""
    rules = render(holders)
    cards = {holder.number: holder.name for holder in holders}
    assert set(table(rules)) == {reader_name(number, cards) for number in cards}
    assert script(rules) == script(render([Holder(0, "Plain")]))
    assert rules.isascii()


@pytest.mark.parametrize(
    "name", ["a b\n", "alice:rw-\nuser:mallory", "alice,bob", "a#b", "-x", 'a"', "*", "a:b", "a/b"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    for field in ("owner", "group"):
        with pytest.raises(InputError, match=field):
            render([Holder(0, "Work", **{field: name})])


@pytest.mark.parametrize(
    "name", ["alice", "a.b-c_d", "CORP\\alice", "alice@corp.example", "pc01$", "domain users", "jürgen"]
)
def test_names_of_domains_are_taken(name: str) -> None:
    assert table(render([Holder(0, "Work", name)]))["Work 00 00"]["owner"] == name


def test_a_second_run_plans_nothing(tmp_path: Path) -> None:
    rules = HostFile(str(tmp_path / "50-hardbound.rules"), "access")
    for holders in ([Holder(0, "Work", "alice")], []):
        changes = rules.plan(render(holders), rules.read())
        assert changes.changed
        rules.apply(changes)
        assert not rules.plan(render(holders), rules.read()).changed
    assert list(tmp_path.iterdir()) == []
