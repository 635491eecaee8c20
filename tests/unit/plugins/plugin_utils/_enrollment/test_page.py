# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import needs_care, page
from ansible_collections.hardbound.identity.tests.support import audit_report
from hypothesis import given
from hypothesis import strategies as st


class Elements(HTMLParser):
    """The tags of a page, and what stands in each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self._within = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._within = tag == "script"
        if self._within:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._within = False

    def handle_data(self, data):
        if self._within:
            self.scripts[-1] += data


def packed(text):
    return json.loads(Elements(text).scripts[0])


def words_of(document):
    """Looks numbers up, as the page does."""

    def word(value):
        return document["words"][value] if isinstance(value, int) else value

    [host] = document["hosts"]
    host = dict(zip(document["host"], host))
    [card] = host["cards"]
    card = dict(zip(document["card"], card))
    keys = [dict(zip(document["key"], map(word, key))) for key in card["keys"]]
    return host, {**card, **{name: word(card[name]) for name in ("name", "state", "standing", "owner", "policy")}}, keys


def test_the_page_holds_what_the_report_says():
    host, card, keys = words_of(packed(page(audit_report.report([audit_report.host(7)]))))
    assert (host["name"], host["answered"], host["care"]) == ("ws-00007", 1, 0)
    assert (card["state"], card["standing"]) == ("ready", "sealed")
    assert (card["owner"], card["pin_tries_left"], card["puk_retries"]) == ("user7", 4, 3)
    assert card["policy"] == "PIN of 6 to 8 characters, digits required, not one of the last 5."
    assert [key["slot"] for key in keys] == ["authentication", "signature"]
    assert keys[0]["serial"] == audit_report.key(7, "authentication")["serial"]


EVIL = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>&\u2028"


@given(st.text() | st.just(EVIL))
def test_what_hosts_wrote_ends_no_element(text):
    """Not of the report, wherever it stands; and it comes back as it was, but for halves of characters."""
    card = audit_report.card(1, name=text, owner=text, state=text, drift=[text])
    shown = page(audit_report.report([audit_report.host(1, host=text, cards=[card], drift=[text])]))
    honest = page(audit_report.report([audit_report.host(1)]))
    assert Elements(shown).tags == Elements(honest).tags
    _host, found, _keys = words_of(packed(shown))
    assert found["name"] == text.encode("utf-8", "replace").decode()


def test_no_script_runs_but_the_page_s():
    text = page(audit_report.report([]))
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    script = Elements(text).scripts[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_nothing_comes_from_elsewhere():
    text = page(audit_report.report([audit_report.host(1)]))
    assert not re.search(r"""\b(src|href)=|@import|url\(""", text)


@pytest.mark.parametrize(
    ("changes", "care"),
    [
        ({}, False),
        ({"drift": ["The host did not answer."]}, True),
        ({"cards": [audit_report.card(1, drift=["The card is blocked."])]}, True),
        ({"cards": [audit_report.card(1, slots=[audit_report.key(1, "signature", "due")])]}, True),
    ],
)
def test_who_has_to_be_seen_to(changes, care):
    assert needs_care(audit_report.host(1, **changes)) is care


def test_ten_thousand_hosts_are_at_most_six_megabytes():
    assert len(page(audit_report.fleet(10_000)).encode()) <= 6_000_000
