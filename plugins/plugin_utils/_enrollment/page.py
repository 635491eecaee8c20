# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's report as one HTML page that needs nothing else. Whatever it shows is escaped: hosts wrote some of it."""

from __future__ import annotations

import typing as t
from html import escape

Document = t.Mapping[str, t.Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #2a7; --warn: #b70; --bad: #c33; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p.at, .quiet { opacity: .7; }
ul.totals { display: flex; flex-wrap: wrap; gap: .5rem 2rem; list-style: none; padding: 0; }
ul.totals b { font-size: 1.4rem; margin-right: .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
code { font-size: .85em; overflow-wrap: anywhere; }
.valid { color: var(--good); } .due, .unproven { color: var(--warn); }
.expired, .revoked, .none, .drift { color: var(--bad); }
"""
_COLUMNS = ("Slot", "Algorithm", "PIN", "Certificate", "Holder", "Profile", "Assurance", "Until", "Serial")
_FIELDS = ("slot", "algorithm", "pin", "status", "holder", "profile", "assurance", "not_after", "serial")


def page(report: Document) -> str:
    """Returns the page."""
    totals = "".join(f"<li><b>{_text(count)}</b>{_text(word)}</li>" for word, count in report["totals"].items())
    hosts = "\n".join(_host(host) for host in report["hosts"])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Smart cards, {_text(report['at'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>Smart cards</h1>\n<p class="at">{_text(report["at"])}</p>\n<ul class="totals">{totals}</ul>\n'
        f"{hosts}\n</body>\n</html>\n"
    )


def _host(host: Document) -> str:
    cards = "\n".join(_card(card) for card in host["cards"])
    ek = f'<p class="quiet">EK <code>{_text(host["ek"])}</code></p>\n' if host["ek"] else ""
    return f"<section>\n<h2>{_text(host['host'])}</h2>\n{ek}{_drift(host['drift'])}{cards}\n</section>"


def _card(card: Document) -> str:
    policy = ", ".join(f"{rule} {value}" for rule, value in sorted((card["pin_policy"] or {}).items()))
    tries = f"{_text(card['pin_tries_left'])} of {_text(card['pin_retries'])} tries left"
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    rows = "\n".join(_row(key) for key in card["keys"])
    return (
        f"<h3>{_text(card['name'])} <small>{_text(card['state'])}</small></h3>\n"
        f'<p class="quiet">PIN: {tries}; {_text(policy)}. PUK: {_text(card["puk_tries_left"])} tries left.</p>\n'
        f"{_drift(card['drift'])}<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _row(key: Document) -> str:
    cells = "".join(f"<td>{_text(key[field])}</td>" for field in _FIELDS)
    return f'<tr class="{_text(key["status"])}">{cells}</tr>'


def _drift(sentences: t.Sequence[str]) -> str:
    if not sentences:
        return ""
    return '<ul class="drift">' + "".join(f"<li>{_text(each)}</li>" for each in sentences) + "</ul>\n"


def _text(value: t.Any) -> str:
    return "-" if value is None or value == "" else escape(str(value))
