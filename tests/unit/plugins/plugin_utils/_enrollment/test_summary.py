# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.summary import summarise

REFUSED = {"code": "EK_CHAIN_UNTRUSTED", "sentence": "No anchor.\nReally.", "card": ""}


def test_counts_and_reasons():
    results = {
        "ws-001": {"status": "enrolled"},
        "ws-002": {"status": "unchanged"},
        "ws-017": {"status": "refused", "refused": [REFUSED]},
        "ws-018": {"unreachable": True, "msg": "no route"},
        "ws-019": {"failed": True, "msg": "Traceback"},
    }
    assert summarise(results) == [
        "SUMMARY  enrolled 1  renewed 0  unchanged 1  refused 3",
        "  refused ws-017  EK_CHAIN_UNTRUSTED  No anchor. Really.",
        "  refused ws-018  HOST_UNREACHABLE  no route",
        "  refused ws-019  HOST_FAILED  Traceback",
    ]


def test_what_is_rare_is_told_only_if_it_is_there():
    assert summarise({"a": {"status": "retired"}}) == [
        "SUMMARY  enrolled 0  renewed 0  retired 1  unchanged 0  refused 0"
    ]
