# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's report as one HTML page that needs nothing else. Whatever it shows is escaped: hosts wrote some of it."""

from __future__ import annotations

import typing as t
from html import escape

from .._ledger import clock

Document = t.Mapping[str, t.Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --good: #1a7f4b; --warn: #a35c00; --bad: #c0272d; }
@media (prefers-color-scheme: dark) { :root { --good: #5fd39a; --warn: #f0b45a; --bad: #ff8a86; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 84rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { border-bottom: 2px solid var(--line); font-size: 1.15rem; margin: 2.2rem 0 .8rem; padding-bottom: .3rem; }
h3 { font-size: 1.05rem; margin: 0; }
h4 { font-size: 1rem; margin: 0; }
p { margin: .2rem 0; }
.quiet { opacity: .75; }
.totals { display: flex; flex-wrap: wrap; gap: .6rem; list-style: none; margin: 1.1rem 0; padding: 0; }
.totals li { background: var(--soft); border-radius: .5rem; min-width: 6.5rem; padding: .5rem .9rem; }
.totals b { display: block; font-size: 1.6rem; line-height: 1.2; }
article { border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 1rem; padding: .8rem 1rem; }
.line { align-items: baseline; display: flex; flex-wrap: wrap; gap: .2rem .8rem; }
.card { border-top: 1px solid var(--line); margin-top: .7rem; padding-top: .7rem; }
.drift { margin: .4rem 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin-top: .5rem; min-width: 62rem; table-layout: fixed; width: 100%; }
th, td { overflow-wrap: anywhere; padding: .25rem .7rem .25rem 0; text-align: left; vertical-align: top; }
th { font-size: .8rem; font-weight: 600; opacity: .7; }
th:nth-child(1) { width: 13%; } th:nth-child(2) { width: 8%; } th:nth-child(3) { width: 7%; }
th:nth-child(4) { width: 8%; } th:nth-child(5) { width: 16%; } th:nth-child(6) { width: 14%; }
th:nth-child(7) { width: 7%; } th:nth-child(8) { width: 16%; }
td { border-top: 1px solid var(--line); }
code { font-size: .85em; }
.chip { border: 1px solid currentColor; border-radius: 1rem; font-size: .8rem; padding: 0 .55rem; white-space: nowrap; }
.tries { letter-spacing: .1em; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
dl { display: grid; gap: .2rem 1rem; grid-template-columns: max-content 1fr; }
dt { font-weight: 600; } dd { margin: 0; }
@media print { body { max-width: none; padding: 0; } article { break-inside: avoid; } }
"""

_MOODS: t.Mapping[str, str] = {
    **dict.fromkeys(("valid", "ready"), "good"),
    **dict.fromkeys(("due", "unproven", "unfinished", "unreachable", "silent"), "warn"),
    **dict.fromkeys(("expired", "revoked", "none", "blocked", "lost", "drift"), "bad"),
}
"""How a word is coloured; one that is not here is left plain."""

_COLUMNS: t.Mapping[str, str] = {
    "Slot": "slot",
    "Algorithm": "algorithm",
    "Asks PIN": "pin",
    "Certificate": "status",
    "Holder": "holder",
    "Profile": "profile",
    "Assurance": "assurance",
    "Until": "not_after",
    "Serial": "serial",
}
_TOTALS: t.Mapping[str, str] = {
    "silent": "silent hosts",
    "drift": "hosts with drift",
    "none": "keys without certificate",
    **{word: f"keys {word}" for word in ("valid", "due", "unproven", "expired", "revoked")},
}
_WORDS: t.Mapping[str, str] = {
    "valid": "in force, with a third of its lifetime left or more",
    "due": "the next run of renew replaces it",
    "unproven": "issued, but the TPM has not answered for it: the next run of enroll goes on",
    "expired": "past its end",
    "revoked": "on the revocation list",
    "none": "a key without a certificate of this CA",
    "restricted, fixed, resident": "what was proved about the key: it signs nothing but what the TPM states; "
    "it was made in the TPM and can't leave it; it is in the TPM",
}
_CLASSES = ("uppercase", "lowercase", "digits", "specialchars")
_MOST_DOTS = 20


def page(report: Document) -> str:
    """Returns the page: what has to be seen to, then what is in order."""
    tiles = "".join(_tile(word, count) for word, count in report["totals"].items())
    seen_to = [host for host in report["hosts"] if _needs_care(host)]
    in_order = [host for host in report["hosts"] if not _needs_care(host)]
    legend = "".join(f"<dt>{_text(word)}</dt><dd>{_text(meaning)}</dd>" for word, meaning in _WORDS.items())
    at = clock.read(report["at"]).strftime("%Y-%m-%d %H:%M UTC")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Smart cards, {at}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>Smart cards</h1>\n<p class="quiet">As of {at}. Keys and certificates are '
        "what the CA's ledger holds; states and tries are what the hosts say.</p>\n"
        f'<ul class="totals">{tiles}</ul>\n</header>\n'
        f"{_section('To be seen to', seen_to, report['at'])}{_section('In order', in_order, report['at'])}"
        f'<footer class="quiet">\n<h2>Words</h2>\n<dl>{legend}</dl>\n</footer>\n</body>\n</html>\n'
    )


def _needs_care(host: Document) -> bool:
    keys = [key for card in host["cards"] for key in card["slots"]]
    drift = host["drift"] or any(card["drift"] for card in host["cards"])
    return bool(drift) or any(_MOODS.get(str(key["status"])) != "good" for key in keys)


def _tile(word: str, count: int) -> str:
    mood = _MOODS.get(word, "") if count else ""
    return f'<li><b class="{mood}">{_text(count)}</b>{_text(_TOTALS.get(word, word))}</li>'


def _section(title: str, hosts: t.Sequence[Document], at: str) -> str:
    if not hosts:
        return ""
    articles = "\n".join(_host(host, at) for host in hosts)
    return f"<section>\n<h2>{_text(title)} ({len(hosts)})</h2>\n{articles}\n</section>\n"


def _host(host: Document, at: str) -> str:
    cards = "\n".join(_card(card, at) for card in host["cards"])
    ek = f'<span class="quiet">EK <code title="{_text(host["ek"])}">{_short(host["ek"])}</code></span>'
    silent = "" if host["answered"] else _chip("silent")
    return (
        f'<article>\n<div class="line"><h3>{_text(host["host"])}</h3>{silent}{ek if host["ek"] else ""}</div>\n'
        f"{_drift(host['drift'])}{cards}\n</article>"
    )


def _card(card: Document, at: str) -> str:
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    rows = "\n".join(_row(key, at) for key in card["slots"])
    owner = f"<span>for {_text(card['owner'])}</span>" if card["owner"] else ""
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>" if rows else ""
    return (
        f'<div class="card">\n<div class="line"><h4>{_text(card["name"])}</h4>{_chip(card["state"])}{owner}'
        f"{_tries('PIN', card['pin_tries_left'], card['pin_retries'])}"
        f"{_tries('PUK', card['puk_tries_left'], card['puk_retries'])}</div>\n"
        f'{_policy(card["pin_policy"])}{_drift(card["drift"])}<div class="scroll">{table}</div>\n</div>'
    )


def _tries(secret: str, left: t.Any, of: t.Any) -> str:
    """Dots, full for tries that are left; more than fit are a number."""
    if not isinstance(left, int) or not isinstance(of, int):
        return ""
    mood = "bad" if left == 0 else "warn" if left < of else "good"
    dots = "●" * left + "○" * (of - left) if 0 <= left <= of <= _MOST_DOTS else ""
    return f'<span>{secret} <span class="tries {mood}">{dots}</span> {left} of {of} tries left</span>'


def _policy(policy: t.Optional[Document]) -> str:
    if not policy:
        return ""
    parts = [f"PIN of {policy.get('minlen')} to {policy.get('maxlen')} characters"]
    parts += [f"{word} {policy.get(word)}" for word in _CLASSES if policy.get(word) not in (None, "allowed")]
    if policy.get("history"):
        parts.append(f"not one of the last {policy['history']}")
    if policy.get("expiry_days"):
        parts.append(f"for {policy['expiry_days']} days")
    return f'<p class="quiet">{_text(", ".join(parts))}.</p>\n'


def _row(key: Document, at: str) -> str:
    return "<tr>" + "".join(f"<td>{_cell(field, key[field], at)}</td>" for field in _COLUMNS.values()) + "</tr>"


def _cell(field: str, value: t.Any, at: str) -> str:
    if field == "status":
        return _chip(value)
    if field == "serial" and value:
        return f'<code title="{_text(value)}">{_short(value)}</code>'
    if field == "not_after" and value:
        return f'<span title="{_text(value)}">{_text(str(value)[:10])}</span> {_text(_days(str(value), at))}'
    return _text(value)


def _days(end: str, at: str) -> str:
    left = (clock.read(end) - clock.read(at)).days
    return f"({left} days)" if left >= 0 else f"({-left} days ago)"


def _chip(word: t.Any) -> str:
    return f'<span class="chip {_MOODS.get(str(word), "")}">{_text(word)}</span>' if word else ""


def _short(hexadecimal: t.Any) -> str:
    return _text(str(hexadecimal)[:12]) + "…"


def _drift(sentences: t.Sequence[str]) -> str:
    if not sentences:
        return ""
    return '<ul class="drift bad">' + "".join(f"<li>{_text(each)}</li>" for each in sentences) + "</ul>\n"


def _text(value: t.Any) -> str:
    """Escaped, and without halves of characters, which no file can hold."""
    return "-" if value is None or value == "" else escape(str(value).encode("utf-8", "replace").decode())
