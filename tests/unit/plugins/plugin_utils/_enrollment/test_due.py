# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.due import EVERYBODY, due, summarise_due
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import RevocationReason
from ansible_collections.hardbound.identity.tests.support import forge


@pytest.fixture
def enrolled(site):
    site.enrol()
    return site


def asked(site, *hosts):
    [authority] = {each.authority for each in site.ledger.certificates()} or {"ours"}
    return due(site.ledger, authority, hosts or (forge.HOST,))


def test_a_host_in_order_is_left_alone(enrolled):
    assert asked(enrolled) == {}


def test_a_host_that_the_ledger_does_not_know_is_due(enrolled):
    reason = "it has no certificate of this CA in force"
    assert asked(enrolled, "ws-018", forge.HOST, "ws-019") == {"ws-018": reason, "ws-019": reason}


@pytest.mark.parametrize(("days", "is_due"), [(240, False), (250, True), (400, True)])
def test_two_thirds_of_a_lifetime(enrolled, days, is_due):
    enrolled.watch.turn(days=days)
    assert list(asked(enrolled)) == [forge.HOST] * is_due


def test_a_run_that_came_to_no_end_is_due(site):
    cut = site.enrollment()
    cut.judge(site.shown(cut))
    assert "a run did not come to its end" in asked(site)[forge.HOST]
    cut.close()
    assert "a run did not come to its end" in asked(site)[forge.HOST]


def test_a_key_that_was_revoked_is_somebodys_decision_and_the_others_go_on(enrolled):
    [key] = [each for each in enrolled.ledger.certificates() if each.slot and not each.attests]
    enrolled.ledger.revoke({"serial": key.serial}, RevocationReason.KEY_COMPROMISE, key.authority)
    assert asked(enrolled) == {}
    enrolled.ledger.revoke({"host": forge.HOST}, RevocationReason.KEY_COMPROMISE, key.authority)
    assert list(asked(enrolled)) == [forge.HOST]


def test_what_another_ca_has_issued_does_not_count(enrolled):
    assert list(due(enrolled.ledger, "another", [forge.HOST])) == [forge.HOST]


def test_a_fleet_is_read_without_what_is_large(enrolled):
    slim, whole = enrolled.ledger.certificates(bodies=False), enrolled.ledger.certificates()
    assert {each.body for each in slim} == {b""} and all(each.body for each in whole)
    assert [each.serial for each in slim] == [each.serial for each in whole]


def test_the_lines_for_a_person():
    assert summarise_due({}, 10) == ["DUE  0 of 10 hosts"]
    assert summarise_due({"ws-1": "why"}, 10) == ["DUE  1 of 10 hosts", "  due ws-1  why"]
    assert summarise_due(dict.fromkeys(map(str, range(30)), EVERYBODY), 30) == ["DUE  30 of 30 hosts"]
    many = summarise_due(dict.fromkeys(map(str, range(30)), "why"), 30)
    assert len(many) == 22 and many[-1] == "  and 10 more"
