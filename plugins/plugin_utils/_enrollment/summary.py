# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines at the end of a run: how many, and who was refused, and why; and those at the end of an audit."""

from __future__ import annotations

import typing as t
from collections import Counter

from ...module_utils._card.outlasting import TICKETS
from .refused import Trouble

ALWAYS = ("enrolled", "renewed", "unchanged", "refused")
SOMETIMES = ("adjusted", "pending", "retired")
_UNTIL_RESTART = "its cards are gone; restart it to end tickets that their PINs have brought"
MOST_DRIFT = 20
"""Lines about drift at the end of an audit; the report has all."""


def summarise(results: t.Mapping[str, t.Mapping[str, t.Any]]) -> t.List[str]:
    """Returns the summary of what was registered for each host."""
    counts = Counter(_status(result) for result in results.values())
    words = [*ALWAYS[:2], *(word for word in SOMETIMES if counts[word]), *ALWAYS[2:]]
    lines = ["SUMMARY  " + "  ".join(f"{word} {counts[word]}" for word in words)]
    for host, result in sorted(results.items()):
        if _status(result) == "refused":
            lines += [f"  refused {host}  {code}  {sentence}" for code, sentence in _refusals(result)]
        lines += [f"  pending {host}  {sentence}" for sentence in _pending(result)]
        lines += [f"  retired {host}  {_UNTIL_RESTART}"] if result.get(TICKETS) is True else []
    return lines


def summarise_audit(report: t.Mapping[str, t.Any]) -> t.List[str]:
    """Returns how much there is of what, and the first of what has drifted, from an audit's report."""
    lines = ["AUDIT  " + "  ".join(f"{word} {count}" for word, count in report["totals"].items())]
    drift = [line for host in report["hosts"] for line in _drift(host)]
    more = [f"  and {len(drift) - MOST_DRIFT} more, see the report"] if len(drift) > MOST_DRIFT else []
    return [*lines, *drift[:MOST_DRIFT], *more]


def _drift(host: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for sentence in host["drift"]:
        yield f"  drift {host['host']}  {_one_line(sentence)}"
    for card in host["cards"]:
        for sentence in card["drift"]:
            yield f"  drift {host['host']}  {card['name']}: {_one_line(sentence)}"


def _status(result: t.Mapping[str, t.Any]) -> str:
    return "refused" if result.get("unreachable") else str(result.get("status", "refused"))


def _refusals(result: t.Mapping[str, t.Any]) -> t.Iterator[t.Tuple[str, str]]:
    if result.get("unreachable"):
        yield Trouble.HOST_UNREACHABLE.name, _one_line(result.get("msg"))
        return
    refused = result.get("refused")
    if not refused:
        yield Trouble.HOST_FAILED.name, _one_line(result.get("msg"))
        return
    for each in refused:
        card = f"{each['card']}: " if each["card"] else ""
        yield each["code"], card + _one_line(each["sentence"])


def _pending(result: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """What waits for another CA, and what it is to be given."""
    for card in result.get("cards") or ():
        for each in card.get("pending") or ():
            yield f"{card['name']} {each['slot']}: have the other CA answer {each['request']}"


def _one_line(text: t.Any) -> str:
    return " ".join(str(text or "no reason was given").split())
