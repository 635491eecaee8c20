# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first visit of an enrolment, where cards are made one after the other: what was told once is not lost."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import Interrupted, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import EvidenceVisit
from ansible_collections.hardbound.identity.tests.unit.plugins.module_utils._task.test_wanted_card import task


class Noun:
    """A card that is made, or fails."""

    def __init__(self, outcome):
        self.outcome = outcome

    def read(self):
        return None

    def plan(self, found):
        return Plan(("make",), {}, {}, "card")

    def apply(self, plan, found):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def visit(store, outcomes):
    common = {"tpm": "device:/dev/tpmrm0", "store": str(store), "tpm_owner_auth": None}
    nonce = base64.b64encode(bytes(32)).decode()
    cards = [{**task(name=name), "nonce": nonce, "requests": []} for name in outcomes]
    made = EvidenceVisit({**common, "cards": cards}, keep=True)
    made._cards = [replace(card, noun=Noun(outcomes[card.name])) for card in made._cards]
    return made


TOLD = {"pin_escrow": "sealed", "admin_key_escrow": None}


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (StateError("the TPM is full", "make room"), [{"name": "first", **TOLD}]),
        (
            Interrupted(StateError("no reader comes", "look"), {"pin_escrow": "other", "reader": "x"}),
            [{"name": "first", **TOLD}, {"name": "second", "pin_escrow": "other", "admin_key_escrow": None}],
        ),
    ],
)
def test_a_card_that_fails_takes_no_other_cards_random_pin_with_it(tmp_path, second, told):
    visiting = visit(tmp_path, {"first": {**TOLD, "card": {}}, "second": second})
    plan = Plan(("first", "second"), {}, {}, "cards")
    with pytest.raises(Interrupted) as caught:
        visiting.apply(plan, [])
    assert caught.value.facts == {"cards": told} and str(second) in str(caught.value)


def test_what_was_told_to_nobody_is_not_repeated(tmp_path):
    visiting = visit(
        tmp_path, {"first": {"pin_escrow": None, "admin_key_escrow": None}, "second": StateError("x", "y")}
    )
    with pytest.raises(Interrupted) as caught:
        visiting.apply(Plan(("first", "second"), {}, {}, "cards"), [])
    assert caught.value.facts == {"cards": []}
