# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile that wants the TPM restarted between a card and its certificate."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

VARIABLES = {
    "smartcard_enrollment_profile": "sealed_logon",
    "smartcard_enrollment_profiles": {"sealed_logon": {"based_on": "ad_smartcard_logon", "sealed": True}},
}


def test_a_certificate_comes_after_the_restart(fleet):
    fleet.add("ws-seal")
    first = fleet.play("--limit", "ws-seal,localhost", **VARIABLES)
    card = first.results["ws-seal"]["cards"][0]
    assert [each["code"] for each in card["refused"]] == ["NOT_SEALED"] and not card["certificates"]
    assert "restart" in card["refused"][0]["sentence"]
    again = fleet.play("--limit", "ws-seal,localhost", **VARIABLES)
    assert again.statuses()["ws-seal"] == "refused"
    fleet.tpms["ws-seal"].restart()
    assert fleet.play("--limit", "ws-seal,localhost", **VARIABLES).statuses()["ws-seal"] == "enrolled"
    assert fleet.play("--limit", "ws-seal,localhost", **VARIABLES).statuses()["ws-seal"] == "unchanged"
