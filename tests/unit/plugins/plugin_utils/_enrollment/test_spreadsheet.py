# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.spreadsheet import spreadsheet
from ansible_collections.hardbound.identity.tests.support import audit_report


def lines(*hosts):
    return list(csv.DictReader(io.StringIO(spreadsheet(audit_report.report(hosts)))))


def test_each_key_has_a_line():
    first, second = lines(audit_report.host(7))
    assert (first["host"], first["card"], first["owner"]) == ("ws-00007", "VirtualSmartCardForCorpAccess", "user7")
    assert (first["slot"], second["slot"], first["status"]) == ("authentication", "signature", "valid")
    assert first["not_after"].startswith("2026-") and first["pin_tries_left"] == "4"


@pytest.mark.parametrize("changes", [{"cards": []}, {"cards": [audit_report.card(1, slots=[])]}])
def test_what_has_no_key_has_a_line_too(changes):
    [line] = lines(audit_report.host(1, drift=["The host did not answer."], **changes))
    assert (line["host"], line["slot"], line["drift"]) == ("ws-00001", "", "The host did not answer.")


EVIL = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "\uff201", "a,b\n=1", '"=1"']


@pytest.mark.parametrize("evil", [*EVIL, "ready;=1", "ready\t @SUM(1)", "ready|\uff0b1", "\ud800"])
def test_no_cell_is_reckoned_out(evil):
    """A host names its cards and their owners."""
    [line] = lines(audit_report.host(1, cards=[audit_report.card(1, owner=evil, drift=[evil], slots=[])]))
    for cell in re.split(r"[;|\t\r\n]", line["owner"]):  # as a spreadsheet of another country may
        assert not unicodedata.normalize("NFKC", cell).lstrip().startswith(("=", "+", "-", "@"))
    assert not line["owner"].startswith(("\t", "\r", "\n"))
    assert line["owner"].replace("'", "") == evil.encode("utf-8", "replace").decode()
