# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card's properties tell costs the TPM nothing, also where another process has changed the card."""

from __future__ import annotations

import ast
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.tests.support.task_cards import record

PLUGINS = Path(__file__).parents[5] / "plugins/module_utils"
PROPERTIES = sorted(name for name, value in vars(Card).items() if isinstance(value, property) and name != "challenge")


class Untouched:
    """A TPM that must not be asked for anything, but says whether it is held."""

    is_held = True
    wanted = False

    def __init__(self) -> None:
        self.asked: t.List[str] = []

    @property
    def tpm(self) -> Untouched:
        return self

    def acquire(self) -> None:
        self.asked.append("acquire")

    def clear(self) -> None:
        self.asked.append("clear")


@pytest.fixture
def opened(tmp_path: Path) -> t.Tuple[Card, Store, Untouched]:
    """A card with a verified PIN and a key that is loaded."""
    store = Store(str(tmp_path), str(tmp_path / "policy.json"))
    store.prepare()
    store.write(record())
    tpm = Untouched()
    card = Card(store, t.cast(t.Any, tpm), 0)
    session = card._session
    session.opened = session.administrator = t.cast(t.Any, object())
    session.saved_keys[0x9A] = t.cast(t.Any, object())
    return card, store, tpm


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_asks_the_tpm_for_nothing(opened: t.Tuple[Card, Store, Untouched], name: str) -> None:
    card, store, tpm = opened
    getattr(card, name)
    store.write(replace(record(), pin=replace(record().pin, set_at=1700000000)))
    getattr(card, name)
    store.remove(0)
    with pytest.raises(CardGone):
        card.record  # noqa: B018
    assert tpm.asked == []


def test_what_another_process_has_ended_is_over_at_once_and_leaves_the_tpm_at_the_next_turn(
    opened: t.Tuple[Card, Store, Untouched],
) -> None:
    card, store, tpm = opened
    assert card.verified and card.administered
    store.write(replace(record(), pin=replace(record().pin, set_at=1700000000)))
    assert not card.verified and not card.administered and card._session.saved_keys == {}
    for _each in range(2):
        with card._session.turn():
            pass
    assert tpm.asked == ["acquire", "clear", "acquire"]


def properties() -> t.Iterator[t.Tuple[str, ast.FunctionDef]]:
    for room in ("_tpm", "_card"):
        for file in (PLUGINS / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = {ast.unparse(each) for each in getattr(node, "decorator_list", [])}
                if isinstance(node, ast.FunctionDef) and names & {"property", "cached_property"}:
                    yield f"{room}/{file.name}:{node.name}", node


def test_no_property_sends_a_command() -> None:
    """ESAPI is opened, and the storage root key made, by methods."""
    senders = {"run", "begin", "finish", "esapi", "storage_root", "handles", "entity", "flush", "acquire", "turn"}
    guilty = [
        place
        for place, node in properties()
        for each in ast.walk(node)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in senders
    ]
    assert guilty == []
    assert len(list(properties())) > 30
