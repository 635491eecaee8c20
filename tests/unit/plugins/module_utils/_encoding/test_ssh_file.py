# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the OpenSSH certificate of a card lies."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ssh_file import certificate_file
from hypothesis import given, strategies


def test_a_plain_name_stays():
    assert certificate_file("Corp-card_1", "authentication") == "Corp-card_1-authentication-cert.pub"


@pytest.mark.parametrize("other", ["Card_of_Alice", "Card/of/Alice", "Card of alice", "Card.of.Alice"])
def test_no_two_cards_share_one(other):
    assert certificate_file("Card of Alice", "signature") != certificate_file(other, "signature")


@given(strategies.text(min_size=1, max_size=40))
def test_nothing_stays_that_a_shell_would_take_for_something_else(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]+-authentication-cert\.pub", certificate_file(name, "authentication"))
