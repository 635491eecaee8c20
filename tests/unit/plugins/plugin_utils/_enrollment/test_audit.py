# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ssl

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.record import Reason
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.audit import Seen, audit
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import page
from ansible_collections.hardbound.identity.tests.unit.plugins.plugin_utils._attestation import forge

WANTED = {"name": forge.CARD, "keys": [{"slot": "authentication"}]}


def shown(site, **changes):
    """What virtual_smartcard_info says of the enrolled card."""
    [body] = [each.body for each in site.ledger.certificates() if each.slot]
    key = {
        "slot": "authentication",
        "algorithm": "ecc_p256",
        "pin": "once",
        "certificate": ssl.DER_cert_to_PEM_cert(body),
    }
    card = {"name": forge.CARD, "state": "ready", "owner": "", "pin_policy": {"minlen": 8}, "pin_retries": 5}
    return {**card, "pin_tries_left": 4, "puk_tries_left": None, "keys": [key], **changes}


@pytest.fixture
def enrolled(site):
    site.enrol()
    return site


def card_of(report):
    [host] = report["hosts"]
    [card] = host["cards"]
    return card


def test_an_enrolled_card_without_drift(enrolled):
    card = card_of(audit(enrolled.ledger, [Seen(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["drift"] == [] and card["pin_tries_left"] == 4
    [key] = card["keys"]
    assert (key["status"], key["assurance"], key["holder"]) == ("valid", "fixed", "alice@corp.example")


@pytest.mark.parametrize(("days", "status"), [(1, "valid"), (250, "due"), (400, "expired")])
def test_time_passes(enrolled, days, status):
    enrolled.watch.turn(days=days)
    card = card_of(audit(enrolled.ledger, [Seen(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["keys"][0]["status"] == status


def test_a_revoked_certificate_that_is_still_on_the_card(enrolled):
    [key] = [each for each in enrolled.ledger.certificates() if each.slot]
    enrolled.ledger.revoke({"serial": key.serial}, Reason.KEY_COMPROMISE, key.authority)
    card = card_of(audit(enrolled.ledger, [Seen(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["keys"][0]["status"] == "revoked"


DRIFT = [
    ({"state": "blocked"}, {}, f"The card {forge.CARD} is blocked."),
    ({"pin_retries": 3}, {"pin_retries": 5}, "pin_retries is 3, and the inventory wants 5."),
    ({}, {"pin_policy": {"minlen": 6}}, "pin_policy.minlen is 8, and the inventory wants 6."),
    ({"keys": []}, {}, "The inventory wants a key in the slot authentication, and there is none."),
    (
        {"keys": [{"slot": "authentication", "algorithm": "ecc_p256", "pin": "once", "certificate": "no PEM"}]},
        {},
        "The slot authentication does not hold the certificate that was issued for it.",
    ),
]


@pytest.mark.parametrize(("found", "wanted", "sentence"), DRIFT)
def test_what_drifts_is_told(enrolled, found, wanted, sentence):
    seen = Seen(forge.HOST, [shown(enrolled, **found)], [{**WANTED, **wanted}])
    assert sentence in card_of(audit(enrolled.ledger, [seen]))["drift"]


def test_hosts_that_are_silent_or_gone(enrolled):
    silent = audit(enrolled.ledger, [Seen(forge.HOST, None, [WANTED])])
    assert silent["hosts"][0]["drift"] == ["The host did not answer."] and silent["totals"]["silent"] == 1
    gone = audit(enrolled.ledger, [])
    assert gone["hosts"][0]["drift"][0].endswith("retire it.") and not gone["hosts"][0]["inventory"]


def test_the_page_escapes_what_hosts_wrote(enrolled):
    card = shown(enrolled, name="<script>alert(1)</script>", owner='"><img src=x>', keys=[])
    text = page(audit(enrolled.ledger, [Seen(forge.HOST, [card], [WANTED])]))
    assert "<script" not in text and "<img" not in text and "&lt;script&gt;" in text
