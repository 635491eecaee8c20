# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers on several nodes share a ledger: a real PostgreSQL, and real processes that get in each other's way."""

from __future__ import annotations

import multiprocessing
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import crl
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import Admission, CardClaim, CardPins
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind, RevocationReason
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import Refusal

WORKERS = 5
HOSTS = 8


def _enrol(corp: t.Any, url: str, orders: t.Any, start: t.Any, results: t.Any) -> None:
    start.wait()
    ledger = Ledger(url, create=True)
    issuer = Issuer(corp.open(), ledger)
    serials = []
    for order in orders:
        claim = CardClaim(CardPins(order.key))
        host = order.place.host
        admission = Admission(host, f"{host:0>64}", f"{host:0>68}", {"card": claim})
        ledger.examine(admission)
        certificate = issuer.issue(order).certificate
        serials.append(certificate.serial)
        ledger.settle(admission, b"{}", [certificate])
    results.put(serials)


def _pin(url: str, host: str, start: t.Any, results: t.Any) -> None:
    ledger = Ledger(url)
    start.wait()
    try:
        ledger.settle(Admission(host, "ee" * 32, f"{host:0>68}", {}), b"{}", [])
        results.put(host)
    except Refusal as refusal:
        results.put(refusal.code.name)


def together(target: t.Any, arguments: t.Sequence[t.Tuple[t.Any, ...]]) -> list[t.Any]:
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    workers = [context.Process(target=target, args=(*each, start, results)) for each in arguments]
    for worker in workers:
        worker.start()
    start.set()
    found = [results.get(timeout=120) for _each in workers]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return found


def test_processes_that_enrol_the_same_hosts_at_once_get_one_certificate_each(url: str, corp: t.Any) -> None:
    orders = [corp.order(f"ws-{number}", "tls_client") for number in range(HOSTS)]
    serials = together(_enrol, [(corp, url, orders)] * WORKERS)
    ledger = Ledger(url)
    assert all(each == serials[0] for each in serials)
    assert sorted(each.serial for each in ledger.certificates()) == sorted(serials[0])
    assert [event.kind for event in ledger.events()].count(EventKind.ISSUED) == HOSTS
    ledger.close()


def test_hosts_that_show_one_ek_at_once_have_one_winner(url: str) -> None:
    Ledger(url, create=True).close()
    found = together(_pin, [(url, f"ws-{number}") for number in range(WORKERS)])
    assert sorted(found)[: WORKERS - 1] == ["EK_SERVES_OTHER_HOST"] * (WORKERS - 1)


def test_revocation_lists_count_on_wherever_they_are_signed(url: str, corp: t.Any) -> None:
    ledger = Ledger(url, create=True)
    opened = corp.open()
    issued = Issuer(opened, ledger).issue(corp.order("ws-1", "tls_client"))
    ledger.activate([issued.certificate])
    ledger.revoke({"host": "ws-1"}, RevocationReason.KEY_COMPROMISE, opened.identifier)
    lifetime = crl.timedelta(days=7)
    numbers = [crl.sign(ledger, opened.issuing(), lifetime).number for _each in range(3)]
    assert numbers == [1, 2, 3]
    challenge = ledger.open_challenge("ws-1", "card")
    ledger.spend_challenge(challenge, "ws-1", "card")
    digest, _replaced = ledger.settle(Admission("ws-1", "ee" * 32, "ff" * 34, {}), b"{}", [])
    assert ledger.evidence(digest) == b"{}"
    ledger.close()


def test_an_empty_database_is_refused_and_a_missing_one_is_one_clear_line(url: str) -> None:
    with pytest.raises(StateError, match="is empty: restore it from a backup"):
        Ledger(url)
    with pytest.raises(StateError, match=r"failed: .*does not exist"):
        Ledger(url.replace("/ledger?", "/nowhere?"))
