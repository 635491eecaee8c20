# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixty-four writers at once, each a process of its own, on one ledger: one certificate a key, and no lost decision."""

from __future__ import annotations

import multiprocessing
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import Authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import Admission, CardClaim, CardPins
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind

pytestmark = pytest.mark.slow

WRITERS = 64
SHARED = 4
"""Keys that all of them enrol at the same time, beside one that each has for itself."""
PATIENCE = 300.0


def _enrol(opened: Authority, url: str, orders: t.Sequence[Order], start: t.Any, results: t.Any) -> None:
    ledger = Ledger(url)
    issuer = Issuer(opened, ledger)
    start.wait()
    serials = []
    for order in orders:
        host = order.place.host
        admission = Admission(host, f"{host:0>64}", f"{host:0>68}", {"card": CardClaim(CardPins(order.key))})
        ledger.examine(admission)
        certificate = issuer.issue(order).certificate
        ledger.settle(admission, b"{}", [certificate])
        serials.append(certificate.serial)
    ledger.record(EventKind.REFUSED, orders[-1].place, "OTHER_CARD")
    ledger.close()
    results.put(serials)


def _enrol_or_tell(*arguments: t.Any) -> None:
    try:
        _enrol(*arguments)
    except BaseException as error:
        arguments[-1].put(error)
        raise


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_sixty_four_writers(database: str, corp: t.Any, request: pytest.FixtureRequest) -> None:
    url = corp.folder.ledger_url if database == "sqlite" else request.getfixturevalue("url")
    Ledger(url, create=True).close()
    opened = corp.open()
    opened.issuing()
    shared = [corp.order(f"shared-{number}", "tls_client") for number in range(SHARED)]
    own = [corp.order(f"own-{number}", "tls_client") for number in range(WRITERS)]
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    workers = [
        context.Process(target=_enrol_or_tell, args=(opened, url, (*shared, each), start, results)) for each in own
    ]
    for worker in workers:
        worker.start()
    start.set()
    serials = [results.get(timeout=PATIENCE) for _each in workers]
    assert not [each for each in serials if isinstance(each, BaseException)]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    ledger = Ledger(url)
    certificates = ledger.certificates()
    kinds = [event.kind for event in ledger.events()]
    pinned = ledger.endorsement_keys()
    ledger.close()
    assert len({tuple(each[:SHARED]) for each in serials}) == 1
    assert {each.serial for each in certificates} == {serial for each in serials for serial in each}
    assert len(certificates) == len({each.key for each in certificates}) == WRITERS + SHARED
    assert all(each.activated_at and not each.revoked_at for each in certificates)
    counted = {kind: kinds.count(kind) for kind in (EventKind.ISSUED, EventKind.ACTIVATED, EventKind.EK_PINNED)}
    assert set(counted.values()) == {WRITERS + SHARED} and len(pinned) == WRITERS + SHARED, counted
    assert kinds.count(EventKind.REFUSED) == WRITERS
