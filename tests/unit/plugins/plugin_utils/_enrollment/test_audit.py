# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import ssl

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import CHANGEABLE, Specification
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.audit import (
    COMPARED,
    MOST_CARDS,
    NEVER_SEALED,
    NOT_SEALED,
    SEALED,
    SeenHost,
    audit,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import page
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.spreadsheet import spreadsheet
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import RevocationReason
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.garbage import json_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WANTED = {"name": forge.CARD, "keys": [{"slot": "authentication"}]}


def shown(site, **changes):
    """What virtual_smartcard_info says of the enrolled card."""
    [body] = [each.body for each in site.ledger.certificates() if each.label == "authentication"]
    key = {
        "slot": "authentication",
        "algorithm": "ecc_p256",
        "pin": "once",
        "certificate": ssl.DER_cert_to_PEM_cert(body),
    }
    card = {"name": forge.CARD, "state": "ready", "owner": "", "pin_policy": {"minlen": 8}, "pin_retries": 5}
    return {**card, "pin_tries_left": 4, "puk_tries_left": None, "slots": [key], **changes}


@pytest.fixture
def enrolled(site):
    site.enrol()
    return site


def card_of(report):
    [host] = report["hosts"]
    [card] = host["cards"]
    return card


def test_an_enrolled_card_without_drift(enrolled):
    card = card_of(audit(enrolled.ledger, [SeenHost(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["drift"] == [] and card["pin_tries_left"] == 4
    [key] = card["slots"]
    assert (key["status"], key["assurance"], key["holder"]) == ("valid", "fixed", "alice@corp.example")


@pytest.mark.parametrize(("days", "status"), [(1, "valid"), (250, "due"), (400, "expired")])
def test_time_passes(enrolled, days, status):
    enrolled.watch.turn(days=days)
    card = card_of(audit(enrolled.ledger, [SeenHost(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["slots"][0]["status"] == status


def test_a_revoked_certificate_that_is_still_on_the_card(enrolled):
    [key] = [each for each in enrolled.ledger.certificates() if each.label == "authentication"]
    enrolled.ledger.revoke({"serial": key.serial}, RevocationReason.KEY_COMPROMISE, key.authority)
    card = card_of(audit(enrolled.ledger, [SeenHost(forge.HOST, [shown(enrolled)], [WANTED])]))
    assert card["slots"][0]["status"] == "revoked"


DRIFT = [
    ({"state": "blocked"}, {}, f"The card {forge.CARD} is blocked."),
    ({"pin_retries": 3}, {"pin_retries": 5}, "pin_retries is 3, and the inventory wants 5."),
    ({"faces": ["pcsc"]}, {"faces": ["pkcs11"]}, "faces is pcsc, and the inventory wants pkcs11."),
    ({"faces": ["pkcs11"]}, {"faces": ["pcsc", "pkcs11"]}, "faces is pkcs11, and the inventory wants pcsc and pkcs11."),
    ({"passkeys": False}, {"passkeys": True}, "passkeys is False, and the inventory wants True."),
    (
        {"passkey_attestation": "tpm"},
        {"passkey_attestation": "self"},
        "passkey_attestation is tpm, and the inventory wants self.",
    ),
    ({"card_reset": True}, {"card_reset": False}, "card_reset is True, and the inventory wants False."),
    ({"group": ""}, {"group": "staff"}, "group is none, and the inventory wants staff."),
    ({"owner": "alice"}, {"owner": ""}, "owner is alice, and the inventory wants none."),
    ({"faces": [{}, 7]}, {"faces": ["pkcs11"]}, "faces is 7 and {}, and the inventory wants pkcs11."),
    ({}, {"pin_policy": {"minlen": 6}}, "pin_policy.minlen is 8, and the inventory wants 6."),
    ({"slots": []}, {}, "The inventory wants a key in the slot authentication, and there is none."),
    (
        {"slots": [{"slot": "authentication", "algorithm": "ecc_p256", "pin": "once", "certificate": "no PEM"}]},
        {},
        "The slot authentication does not hold the certificate that was issued for it.",
    ),
]


@pytest.mark.parametrize(("found", "wanted", "sentence"), DRIFT)
def test_what_drifts_is_told(enrolled, found, wanted, sentence):
    seen = SeenHost(forge.HOST, [shown(enrolled, **found)], [{**WANTED, **wanted}])
    assert sentence in card_of(audit(enrolled.ledger, [seen]))["drift"]


def test_faces_are_the_same_in_any_order(enrolled):
    found, wanted = {"faces": ["pcsc", "pkcs11"], "owner": ""}, {"faces": ["pkcs11", "pcsc"], "owner": ""}
    seen = SeenHost(forge.HOST, [shown(enrolled, **found)], [{**WANTED, **wanted}])
    assert card_of(audit(enrolled.ledger, [seen]))["drift"] == []


def test_whatever_a_task_can_change_of_a_card_may_drift(enrolled):
    assert {*COMPARED, "pin_policy"} == {*CHANGEABLE, "pin_retries"}
    given = {each: getattr(Specification("name"), each) for each in COMPARED}
    unlike = {each: ["other"] if isinstance(value, tuple) else f"no {value}" for each, value in given.items()}
    seen = SeenHost(forge.HOST, [shown(enrolled, **json.loads(json.dumps(given)))], [{**WANTED, **unlike}])
    told = card_of(audit(enrolled.ledger, [seen]))["drift"]
    assert [each.split()[0] for each in told] == list(COMPARED)
    assert not [each for each in told if " is none," in each and given[each.split()[0]] not in ("", ())]


def test_hosts_that_are_silent_or_gone(enrolled):
    silent = audit(enrolled.ledger, [SeenHost(forge.HOST, None, [WANTED])])
    assert silent["hosts"][0]["drift"] == ["The host did not answer."] and silent["totals"]["silent"] == 1
    gone = audit(enrolled.ledger, [])
    assert gone["hosts"][0]["drift"][0].endswith("retire it.") and not gone["hosts"][0]["inventory"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.data())
def test_whatever_a_host_says_there_is_a_report(enrolled, data):
    """Of one field of a card, of the card, or of all cards; what is not of its type was not said."""
    card = shown(enrolled)
    card["slots"][0][data.draw(st.sampled_from(sorted(card["slots"][0])))] = data.draw(json_values)
    card[data.draw(st.sampled_from([*sorted(card), "objections"]))] = data.draw(json_values)
    said = data.draw(st.sampled_from([[card], [card, card]]) | json_values)
    report = audit(enrolled.ledger, [SeenHost(forge.HOST, said, [WANTED])])
    assert page(report).encode() and spreadsheet(report).encode() and json.dumps(report)


def test_what_the_host_said_instead_of_showing_cards(enrolled):
    silent = audit(enrolled.ledger, [SeenHost(forge.HOST, None, [WANTED], "tpm2-pytss is\nmissing.")])
    assert silent["hosts"][0]["drift"] == ["The host could not show its cards: tpm2-pytss is missing."]


@pytest.mark.parametrize("proven", [True, False])
def test_which_cards_are_not_sealed_yet(site, proven):
    """As their evidence shows, also in a run that issues nothing. A card that has proved nothing is in no standing."""
    card = site.host.card
    card.resets = card.proof.resets
    if not proven:
        card.proof = None
    site.enrol()

    def look():
        report = audit(site.ledger, [SeenHost(forge.HOST, [shown(site)], [WANTED, {"name": "other"}])])
        [host] = report["hosts"]
        standings = {each["name"]: each["standing"] for each in host["cards"]}
        assert standings.pop("other") is None
        [standing] = standings.values()
        assert f",{standing}," in spreadsheet(report) and f'"ready","{standing}"' in page(report)
        return standing, report["totals"][NOT_SEALED]

    before = (NOT_SEALED if proven else NEVER_SEALED, 1)
    assert look() == before
    card.resets += 1
    assert site.enrol(check=True).status is Status.UNCHANGED and look() == before
    assert site.enrol().status is Status.UNCHANGED and look() == ((SEALED, 0) if proven else before)


def test_objections_of_the_host_are_drift(enrolled):
    card = shown(enrolled, objections=["The PIN has expired."])
    assert card_of(audit(enrolled.ledger, [SeenHost(forge.HOST, [card], [WANTED])]))["drift"] == [
        "The PIN has expired."
    ]


def test_one_host_adds_no_more_than_its_share(enrolled):
    """Ten thousand cards, each with names that go on for ever, and sequences for the reader's terminal."""
    evil = "\x1b[31m" + "x" * 100_000
    key = {"slot": "authentication", "algorithm": evil, "pin": evil, "certificate": evil}
    card = {"state": evil, "owner": evil, "pin_policy": {evil: evil}, "slots": [key] * 500, "objections": [evil] * 500}
    cards = [{**card, "name": f"{number}\x1b"} for number in range(10_000)]
    report = audit(enrolled.ledger, [SeenHost("liar", cards, []), SeenHost(forge.HOST, [shown(enrolled)], [WANTED])])
    liar, honest = sorted(report["hosts"], key=lambda host: host["host"] != "liar")
    assert len(liar["cards"]) == MOST_CARDS and "shows 10000 cards" in liar["drift"][0]
    assert honest["cards"][0]["drift"] == []
    assert "\\u001b" not in json.dumps(report) and "\x1b" not in page(report)
    assert len(page(report)) < 2_000_000
