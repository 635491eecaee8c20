# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's page in a real browser."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import page
from ansible_collections.hardbound.identity.tests.support import audit_report, browser

EVIL = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "audit.html"
    hosts = audit_report.fleet(300)["hosts"]
    hosts[17] = audit_report.host(17, cards=[audit_report.card(17, owner=EVIL, drift=[EVIL], standing="not sealed")])
    hosts[42] = audit_report.host(42, answered=False, drift=["The host did not answer."])
    path.write_text(page(audit_report.report(hosts)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def names(url):
    def found(fragment):
        """Hosts that the page shows, in their order."""
        text = browser.shown(f"{url}#{fragment}", browser.SETTLED)
        return re.findall(r"<summary><b>(ws-\d+)</b>", text), text

    return found


def test_hosts_that_need_somebody_come_first_and_the_rest_on_demand(names):
    found, text = names("")
    assert found[:4] == ["ws-00017", "ws-00042", "ws-00100", "ws-00200"]
    assert "To be seen to (4)" in text and "In order (296)" in text
    assert len(found) == 104 and "Show more (196 left)" in text and "300 of 300 hosts" in text


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("search=user42", ["ws-00042"]),
        ("search=USER99+ws-0009", ["ws-00099"]),
        ("state=silent", ["ws-00042"]),
        ("state=drift", ["ws-00017", "ws-00042"]),
        ("state=expired", ["ws-00200"]),
        ("state=not+sealed", ["ws-00017"]),
        ("state=due&profile=ad_smartcard_logon", ["ws-00100"]),
        ("state=due&profile=email", []),
        ("until=2026-05-04", ["ws-00200"]),
        ("search=nobody", []),
    ],
)
def test_a_filter_in_the_address(names, fragment, expected):
    assert names(fragment)[0] == expected


def test_the_one_host_that_is_left_is_open(names):
    _found, text = names("search=user23@corp.example")
    assert re.search(r"<details open", text) and "4 of 5 tries left" in text and "PIN of 6 to 8 characters" in text
    assert audit_report.key(23, "signature")["serial"] in text and "<th>Assurance</th>" in text


def test_what_a_host_wrote_is_text(names):
    _found, text = names("search=ws-00017")
    assert "<title>Smart cards" in text and "owned" in text and "<img" not in text.split('<script id="report"')[0]


def test_the_chart_counts_what_ends_in_each_week(names):
    _found, text = names("state=expired")
    assert re.search(r"<rect[^>]*class=\"past\"[^>]*><title>1 have ended</title>", text)
    _found, chosen = names("until=2026-05-04")
    assert 'class="past chosen"' in chosen
