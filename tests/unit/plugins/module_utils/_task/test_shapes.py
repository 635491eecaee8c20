# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task import enrollment, wanted_card
from ansible_collections.hardbound.identity.plugins.module_utils._task.shapes import check_shapes


def test_rules_as_tpmvscmgr_is_told_them_are_answered_with_an_example() -> None:
    with pytest.raises(InputError, match=r"^pin_policy is text, and a dictionary is wanted: write it as YAML, as in {"):
        check_shapes(wanted_card.ARGUMENTS, {"pin_policy": "minlen 4 maxlen 8"})


def test_a_list_of_cards_that_came_as_text_is_said_once() -> None:
    with pytest.raises(InputError, match=r"^cards is text, and a list of dictionaries is wanted: write it as YAML"):
        check_shapes(enrollment.ARGUMENTS, {"cards": "- name: card"})


def test_what_ansible_understands_passes() -> None:
    for text in ("minlen=4 maxlen=8", ' {"minlen": 4}'):
        check_shapes(wanted_card.ARGUMENTS, {"pin_policy": text})
    check_shapes(wanted_card.ARGUMENTS, {"pin_policy": {"minlen": 4}, "name": "text", "keys": None})
    check_shapes(enrollment.ARGUMENTS, {"cards": '[{"name": "card"}]'})
