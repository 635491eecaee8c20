# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's report as CSV (RFC 4180), a line for each key, for people who sort and count in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import typing as t

Document = t.Mapping[str, t.Any]

_HOST = ("host", "answered")
_CARD = ("name", "state", "standing", "owner", "pin_tries_left", "pin_retries", "pin_expires_at")
_KEY = ("slot", "algorithm", "status", "profile", "holder", "assurance", "not_after", "serial")
COLUMNS = ("host", "answered", "card", *_CARD[1:], *_KEY, "drift")
_FORMULA = re.compile(
    "(^|[;|\t\r\n])(?=\\s*[=+@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}"
    "\N{FULLWIDTH HYPHEN-MINUS}-])|^(?=[\t\r\n])"
)
"""Where a cell begins that a spreadsheet would reckon out, and hosts write some of them.

A spreadsheet may take another separator than a comma for one, by its country, and letters of full width for others.
"""


def spreadsheet(report: Document) -> str:
    """Returns the lines, with a heading; a host without cards and a card without keys have one line, too."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for host in report["hosts"]:
        writer.writerows([_cell(value) for value in row] for row in _rows(host))
    return text.getvalue()


def _rows(host: Document) -> t.Iterator[t.List[t.Any]]:
    about = [host[name] for name in _HOST]
    for card in host["cards"] or [{}]:
        on_card = [card.get(name) for name in _CARD]
        drift = " ".join([*host["drift"], *card.get("drift", ())])
        for key in card.get("slots") or [{}]:
            yield [*about, *on_card, *(key.get(name) for name in _KEY), drift]


def _cell(value: t.Any) -> str:
    text = "" if value is None else str(value).encode("utf-8", "replace").decode()
    return _FORMULA.sub(r"\1'", text)
