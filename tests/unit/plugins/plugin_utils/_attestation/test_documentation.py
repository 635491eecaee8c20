# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages list every code as it is, with what to do about it."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.refused import Trouble
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import RefusalCode

PAGES = pathlib.Path(__file__).resolve().parents[5] / "docs"
TABLES = {
    "attestation.md": [f"| {code.check} | `{code.name}` | {code.demand} | {code.remedy} |" for code in Code],
    "enrollment_ca.md": [f"| `{code.name}` | {code.meaning} | {code.remedy} |" for code in RefusalCode],
    "smartcard_enrollment.md": [f"| `{code.name}` | {code.meaning} | {code.remedy} |" for code in Trouble],
}
ROW = re.compile(r"\| (\d+ \| )?`[A-Z][A-Z_0-9]+` \|")


@pytest.mark.parametrize("page", TABLES)
def test_the_page_lists_every_code(page):
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if ROW.match(line)] == TABLES[page]


def test_every_check_of_the_design_has_a_code():
    assert {code.check for code in Code} == set(range(22))


@pytest.mark.parametrize("code", [*Code, *RefusalCode, *Trouble], ids=lambda code: code.name)
def test_what_to_do_is_a_clause(code):
    """It follows a colon, and a full stop follows it."""
    assert code.remedy[0].islower() and code.remedy[-1].isalnum()
