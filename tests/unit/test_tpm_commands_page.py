# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/tpm_commands.md, held against the list that the TPM's commands are held against."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

import pytest
import yaml

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support.command_log import ASYMMETRIC

COLLECTION = Path(__file__).parents[2]
PAGE = COLLECTION / "docs/tpm_commands.md"
LIST = COLLECTION / "tests/integration/card/tpm_commands.yml"
MILLISECONDS = (10, 50, 200)


def row(action: str, counts: Mapping[str, int]) -> str:
    slow = sum(count for kind, count in counts.items() if kind in ASYMMETRIC)
    times = " | ".join(f"{slow * each / 1000:.2f} s" for each in MILLISECONDS)
    return f"| {action[0].upper()}{action[1:]} | {sum(counts.values())} | {slow} | {times} |"


def test_the_table_is_that_of_the_list() -> None:
    listed = yaml.safe_load(LIST.read_text())
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.endswith(" s |")]
    assert written == [row(action, counts) for action, counts in listed.items()]
