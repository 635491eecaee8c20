# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/attestation.md lists the checks as they are."""

from __future__ import annotations

import pathlib

from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code

PAGE = pathlib.Path(__file__).resolve().parents[5] / "docs" / "attestation.md"


def test_the_page_lists_every_check():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "`" in line]
    listed = [line for line in rows if line.split(" ")[1].isdigit()]
    assert listed == [f"| {code.check} | `{code.name}` | {code.demand} |" for code in Code]


def test_every_check_of_the_design_has_a_code():
    assert {code.check for code in Code} == set(range(21))
