# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role virtual_smartcard refuses of the inventory's cards before it asks a host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardbound.identity.tests.support import role_refusals
from ansible_collections.hardbound.identity.tests.support.role_refusals import NOTHING, Case

CARD = {"name": "Alice", "pin": "12345678", "keys": [{"slot": "authentication"}]}
WRONG: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a_rule_for_pins_that_is_misspelt": (
        [CARD, {**CARD, "pin_polcy": {"minlen": 12}}],
        "gives a card pin_polcy, which no card has: correct the name, or leave it out",
    ),
    "two_misspelt_names": ([{**CARD, "onwer": "alice"}, {**CARD, "facs": []}], "gives a card facs, onwer, which no"),
    "an_option_of_the_host": ([{**CARD, "tpm": "device:/dev/tpm0"}], "gives a card tpm, which no card has"),
    "no_name": ([CARD, {"state": "absent"}], "holds a card that has no name: give it one"),
}
RIGHT = {"no_cards": [], "a_card": [CARD], "a_card_that_goes": [CARD, {"name": "Bob", "state": "absent"}]}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cards = {**{name: wrong for name, (wrong, _words) in WRONG.items()}, **RIGHT}
    cases = [
        Case(name, "virtual_smartcard", "refusals.yml", {"virtual_smartcard_cards": each})
        for name, each in cards.items()
    ]
    return role_refusals.said(tmp_path_factory.mktemp("refusals"), cases)


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_with_field_fault_and_remedy(said: dict[str, str], name: str) -> None:
    assert WRONG[name][1] in said[name]
    assert "virtual_smartcard_cards" in said[name] and "12345678" not in said[name]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not(said: dict[str, str], name: str) -> None:
    assert said[name] == NOTHING
