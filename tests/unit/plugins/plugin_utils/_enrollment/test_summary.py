# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.summary import (
    MOST_DRIFT,
    summarise,
    summarise_audit,
)

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


def test_a_host_whose_old_tickets_still_count_is_told():
    ended, open_still = ({"status": "retired", "tickets_until_restart": still} for still in (False, True))
    assert summarise({"a": ended, "b": open_still})[1:] == [
        "  retired b  its cards are gone; restart it to end tickets that their PINs have brought"
    ]


def test_an_audit_tells_how_much_there_is_and_what_has_drifted():
    cards = [{"name": "Corp", "drift": []}, {"name": "Old", "drift": ["The inventory\ndoes not want it."]}]
    hosts = [
        {"host": "ws-001", "drift": [], "cards": cards},
        {"host": "ws-002", "drift": ["The host did not answer."], "cards": []},
    ]
    totals = {"hosts": 2, "silent": 1, "cards": 2, "drift": 2, "due": 1, "valid": 3}
    assert summarise_audit({"totals": totals, "hosts": hosts}) == [
        "AUDIT  hosts 2  silent 1  cards 2  drift 2  due 1  valid 3",
        "  drift ws-001  Old: The inventory does not want it.",
        "  drift ws-002  The host did not answer.",
    ]


def test_an_audit_of_a_large_fleet_ends_in_a_screenful():
    hosts = [{"host": f"ws-{number}", "drift": ["The host did not answer."], "cards": []} for number in range(500)]
    lines = summarise_audit({"totals": {"hosts": 500}, "hosts": hosts})
    assert len(lines) == MOST_DRIFT + 2 and lines[-1] == "  and 480 more, see the report"
