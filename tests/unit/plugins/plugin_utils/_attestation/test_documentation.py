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


TESTS = PAGES.parent / "tests"
NAMED = re.compile(r"`([a-z0-9_/]+\.py)(?:::([a-z0-9_]+))?`")
CLAIM = re.compile(r"^\| (?P<claim>[^|`]+) \| (?P<attack>[^|]+) \| (?P<tests>`[^|]+`) \|$", re.MULTILINE)


def claims():
    page = (PAGES / "attestation.md").read_text(encoding="utf-8")
    _before, _title, after = page.partition("| Claim | Attack | Test |\n")
    table, _blank, _more = after.partition("\n\n")
    return list(CLAIM.finditer(table)), table.count("\n")


def test_each_claim_has_an_attack_and_tests_that_exist():
    rows, lines = claims()
    assert len(rows) == lines > 25  # The rule under the titles is the one line that is no claim.
    for row in rows:
        named = NAMED.findall(row["tests"])
        assert named and len(named) == row["tests"].count("`") / 2, row["claim"]
        for path, function in named:
            text = (TESTS / path).read_text(encoding="utf-8")
            assert function and re.search(rf"^def {function}\(", text, re.MULTILINE), (row["claim"], path, function)


def test_the_threat_model_names_tests_that_exist():
    page = (PAGES / "threat_model.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and ".py`" in line]
    assert len(rows) > 10
    for row in rows:
        folder = pathlib.PurePath()
        for path, _function in NAMED.findall(row):
            there = pathlib.PurePath(path) if "/" in path else folder / path
            folder = there.parent
            assert (TESTS / there).is_file(), (row, path)
