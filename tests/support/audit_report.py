# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of an audit, of as many hosts as a test wants."""

from __future__ import annotations

import hashlib
import typing as t
from collections import Counter
from datetime import datetime, timedelta

AT = datetime(2026, 5, 4, 9, 30)
STATUSES = ("valid", "due", "expired", "revoked")


def key(number: int, slot: str, status: str = "valid") -> dict[str, t.Any]:
    """A key of the report; it ends some days after :data:`AT`, or before if it has expired."""
    days = -1 - number % 30 if status == "expired" else 1 + number % 120 if status == "due" else 121 + number % 240
    return {
        "slot": slot,
        "algorithm": "ecc_p256",
        "pin": "once",
        "status": status,
        "profile": "ad_smartcard_logon" if slot == "authentication" else "email",
        "holder": f"user{number}@corp.example",
        "assurance": "fixed",
        "not_after": (AT + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "serial": hashlib.sha256(f"{number} {slot}".encode()).hexdigest()[:38],
    }


def card(number: int, **changes: t.Any) -> dict[str, t.Any]:
    policy = {"minlen": 6, "maxlen": 8, "digits": "required", "history": 5}
    tries = {"pin_tries_left": 4, "pin_retries": 5, "puk_tries_left": 3, "puk_retries": 3}
    keys = [key(number, "authentication"), key(number, "signature")]
    about = {"name": "VirtualSmartCardForCorpAccess", "state": "ready", "standing": "sealed", "owner": f"user{number}"}
    return {**about, **tries, "drift": [], "pin_policy": policy, "pin_expires_at": None, "slots": keys, **changes}


def host(number: int, **changes: t.Any) -> dict[str, t.Any]:
    ek = hashlib.sha256(str(number).encode()).hexdigest()
    about = {"host": f"ws-{number:05}", "inventory": True, "answered": True, "ek": ek, "drift": []}
    return {**about, "cards": [card(number)], **changes}


def report(hosts: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    cards = [each for host in hosts for each in host["cards"]]
    statuses = Counter(key["status"] for each in cards for key in each["slots"])
    totals = {"hosts": len(hosts), "silent": 0, "cards": len(cards), "drift": 0, **statuses}
    return {"at": AT.strftime("%Y-%m-%dT%H:%M:%SZ"), "totals": totals, "hosts": list(hosts)}


def fleet(size: int) -> dict[str, t.Any]:
    """A report in which each hundredth host has a certificate that is not in order."""
    hosts = [host(number) for number in range(size)]
    for number in range(0, size, 100):
        status = STATUSES[number // 100 % len(STATUSES)]
        hosts[number]["cards"][0]["slots"][0] = key(number, "authentication", status)
    return report(hosts)
