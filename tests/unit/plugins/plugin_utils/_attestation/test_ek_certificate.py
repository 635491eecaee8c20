# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an EK certificate calls its maker, and what an AK certificate makes of it."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek_certificate import vendor_id


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("id:49465800", "id:49465800"),
        ("ID:53544d20", "id:53544D20"),
        ("IFX", "id:49465800"),
        ("STM ", "id:53544D20"),
        ("id:00001014", "id:00001014"),
        ("id:4946580", "id:4946580"),
        ("Ünïx", "Ünïx"),
        ("Infineon", "Infineon"),
    ],
)
def test_a_vendor_has_one_form_and_what_is_none_stays(written: str, read: str) -> None:
    assert vendor_id(written) == read
