# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's report as one HTML page that needs nothing else.

The page holds the report as JSON, and ``page.js`` shows of it what a person asks for: a fleet of ten thousand hosts
would be too much to lay out at once. Hosts wrote some of it, so nothing of it can end the element that it stands in,
and the page's policy lets that one script run and no other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from collections import Counter
from html import escape
from pathlib import Path

from .._ledger import clock

Document = t.Mapping[str, t.Any]

_FOLDER = Path(__file__).parent
_MOODS: t.Mapping[str, str] = {
    **dict.fromkeys(("valid", "ready", "sealed"), "good"),
    **dict.fromkeys(("due", "unproven", "unfinished", "unreachable", "silent", "not sealed", "never sealed"), "warn"),
    **dict.fromkeys(("expired", "revoked", "none", "blocked", "lost", "drift"), "bad"),
}
"""How a word is coloured; one that is not here is left plain."""

_COLUMNS: t.Mapping[str, str] = {
    "slot": "Slot",
    "algorithm": "Algorithm",
    "pin": "Asks PIN",
    "status": "Certificate",
    "holder": "Holder",
    "profile": "Profile",
    "assurance": "Assurance",
    "not_after": "Until",
    "serial": "Serial",
}
_TOTALS: t.Mapping[str, str] = {
    "silent": "silent hosts",
    "drift": "hosts with drift",
    "none": "keys without certificate",
    "not sealed": "cards not sealed",
    **{word: f"keys {word}" for word in ("valid", "due", "unproven", "expired", "revoked")},
}
_WORDS: t.Mapping[str, str] = {
    "valid": "in force, with a third of its lifetime left or more",
    "due": "the next run of renew replaces it",
    "unproven": "issued, but the TPM has not answered for it: the next run of enroll goes on",
    "expired": "past its end",
    "revoked": "on the revocation list",
    "none": "a key without a certificate of this CA",
    "sealed": "the TPM was restarted since the card was made: nobody holds a way around its PIN from then",
    "not sealed": "it was not, as far as evidence shows: restart the host, and run enroll",
    "never sealed": "the card is of a release that kept no proof of how it was made: make it anew",
    "restricted, fixed, resident": "what was proved about the key: it signs nothing but what the TPM states; "
    "it was made in the TPM and can't leave it; it is in the TPM",
}
_CLASSES = ("uppercase", "lowercase", "digits", "specialchars")
_TRIES = ("pin_tries_left", "pin_retries", "puk_tries_left", "puk_retries")
_WORDS_OF_CARD = ("name", "state", "standing", "owner")
_CARD = (*_WORDS_OF_CARD, *_TRIES, "policy", "drift", "keys")
_HOST = ("name", "answered", "care", "ek", "drift", "cards")


def page(report: Document) -> str:
    """Returns the page: totals, a filter, a chart of when certificates end, and the hosts."""
    tiles = "".join(_tile(word, count) for word, count in report["totals"].items())
    legend = "".join(f"<dt>{_text(word)}</dt><dd>{_text(meaning)}</dd>" for word, meaning in _WORDS.items())
    at = clock.read(report["at"]).strftime("%Y-%m-%d %H:%M UTC")
    script = _asset("page.js")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>Smart cards, {at}</title>\n<style>{_asset('page.css')}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>Smart cards</h1>\n<p class="quiet">As of {at}. Keys and certificates are '
        "what the CA's ledger holds; states and tries are what the hosts say.</p>\n"
        f'<ul class="totals">{tiles}</ul>\n</header>\n{_FILTER}<main id="hosts"></main>\n'
        f'<footer class="quiet">\n<h2>Words</h2>\n<dl>{legend}</dl>\n</footer>\n'
        f'<script id="report" type="application/json">{_json(_packed(report))}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


_FILTER = """\
<noscript>
<p class="bad">This browser runs no scripts, so the hosts are not shown. audit.csv says the same.</p>
</noscript>
<section class="filter">
<label>Host, owner, holder, serial number, or any other words <input id="search" type="search" autofocus></label>
<label>State <select id="state"><option value="">any</option></select></label>
<label>Profile <select id="profile"><option value="">any</option></select></label>
<label>A certificate that ends before <input id="until" type="date"></label>
<button id="all" type="button">Show all</button>
<output id="count"></output>
</section>
<section>
<h2>Ends of certificates, by week</h2>
<svg id="chart" class="chart" viewBox="0 0 1080 120" role="img"
 aria-label="How many certificates end in each week of the coming year"></svg>
</section>
"""


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _json(value: t.Any) -> str:
    """JSON in which nothing can end a script element, nor begin a comment in it."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _tile(word: str, count: int) -> str:
    mood = _MOODS.get(word, "") if count else ""
    return f'<li><b class="{mood}">{_text(count)}</b>{_text(_TOTALS.get(word, word))}</li>'


# The report, packed.


def _packed(report: Document) -> Document:
    """Returns what the page shows, without names of fields, and with words that come back kept once."""
    words = _Words(report)
    return {
        "at": report["at"],
        "moods": _MOODS,
        "columns": _COLUMNS,
        "host": _HOST,
        "card": _CARD,
        "key": list(_COLUMNS),
        "hosts": [_host(host, words) for host in report["hosts"]],
        "words": words.kept,
    }


class _Words:
    """Words that come back more than once are numbered; the page looks a number up."""

    def __init__(self, report: Document) -> None:
        counts = Counter(word for host in report["hosts"] for word in _texts(host))
        self.kept = [word for word, count in counts.items() if count > 1]
        self._numbers = {word: number for number, word in enumerate(self.kept)}

    def pack(self, value: t.Any) -> t.Union[int, str]:
        text = _plain(value)
        return self._numbers.get(text, text)


def _texts(host: Document) -> t.Iterator[str]:
    yield from map(_plain, host["drift"])
    for card in host["cards"]:
        said = (card[name] for name in _WORDS_OF_CARD)
        yield from map(_plain, (*said, _policy(card["pin_policy"]), *card["drift"]))
        for key in card["slots"]:
            yield from (_plain(key[name]) for name in _COLUMNS)


def _host(host: Document, words: _Words) -> t.List[t.Any]:
    drift = [words.pack(each) for each in host["drift"]]
    cards = [_card(card, words) for card in host["cards"]]
    return [_plain(host["host"]), int(host["answered"]), int(needs_care(host)), _plain(host["ek"]), drift, cards]


def _card(card: Document, words: _Words) -> t.List[t.Any]:
    drift = [words.pack(each) for each in card["drift"]]
    keys = [[words.pack(key[name]) for name in _COLUMNS] for key in card["slots"]]
    return [
        *(words.pack(card[name]) for name in _WORDS_OF_CARD),
        *(card[name] if isinstance(card[name], int) else None for name in _TRIES),
        words.pack(_policy(card["pin_policy"])),
        drift,
        keys,
    ]


def needs_care(host: Document) -> bool:
    """Tells whether somebody has to see to a host of the report."""
    keys = [key for card in host["cards"] for key in card["slots"]]
    drift = host["drift"] or any(card["drift"] for card in host["cards"])
    return bool(drift) or any(_MOODS.get(str(key["status"])) != "good" for key in keys)


def _policy(policy: t.Optional[Document]) -> str:
    if not policy:
        return ""
    parts = [f"PIN of {policy.get('minlen')} to {policy.get('maxlen')} characters"]
    parts += [f"{word} {policy.get(word)}" for word in _CLASSES if policy.get(word) not in (None, "allowed")]
    if policy.get("history"):
        parts.append(f"not one of the last {policy['history']}")
    if policy.get("expiry_days"):
        parts.append(f"for {policy['expiry_days']} days")
    return ", ".join(parts) + "."


def _plain(value: t.Any) -> str:
    """A text without halves of characters, which no file can hold; empty for nothing."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _text(value: t.Any) -> str:
    return escape(_plain(value))
