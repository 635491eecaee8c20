# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host costs in the ledger, counted in steps of SQLite's machine, so that no other load disturbs it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
import sqlalchemy as sa
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import (
    Admission,
    CardClaim,
    CardPins,
    KnownCard,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import (
    CertificatePlace,
    IssuedCertificate,
    RevocationReason,
)

LARGE = 2000
STEP = 10
"""SQLite reports every tenth step."""


@pytest.fixture
def steps(corp: t.Any) -> t.Iterator[t.Callable[[t.Callable[[], object]], int]]:
    """Counts the steps that SQLite takes for a piece of work."""
    taken = [0]

    def count() -> int:
        taken[0] += 1
        return 0

    def connected(connection: t.Any, _record: t.Any) -> None:
        connection.set_progress_handler(count, STEP)

    sa.event.listen(corp.ledger._engine, "connect", connected)
    corp.ledger.close()

    def measure(work: t.Callable[[], object]) -> int:
        taken[0] = 0
        work()
        return taken[0]

    yield measure


def populate(corp: t.Any, certificate: IssuedCertificate) -> None:
    """Writes a large fleet of the same CA into the ledger: each host with a key, a certificate and pins."""
    numbers = range(LARGE)
    certificates = [
        replace(
            certificate, serial=f"{n:040x}", host=f"host-{n}", key=f"{n:064x}", claim=f"{n:064x}", activated_at=1
        ).row()
        for n in numbers
    ]
    eks = [{"ek": f"{n:064x}", "host": f"host-{n}", "source": "first use", "pinned_at": 1} for n in numbers]
    roots = [{"root": f"{n:068x}", "host": f"host-{n}", "pinned_at": 1} for n in numbers]
    cards = [
        {**KnownCard(CardPins(f"{n:068x}")).row(), "host": f"host-{n}", "card": "c", "pinned_at": 1} for n in numbers
    ]

    def work(connection: sa.engine.Connection) -> None:
        connection.execute(sa.insert(schema.certificates), certificates)
        connection.execute(sa.insert(schema.endorsement_keys), eks)
        connection.execute(sa.insert(schema.hosts), roots)
        connection.execute(sa.insert(schema.cards), cards)

    corp.ledger.writing(work)


def serve(corp: t.Any, order: t.Any) -> None:
    host = order.place.host
    claim = CardClaim(CardPins(f"{host:0>68}"))
    admission = Admission(host, f"{host:0>64}", f"{host:0>68}", {"card": claim})
    corp.ledger.known(host, admission.ek, admission.root)
    corp.ledger.examine(admission)
    corp.ledger.left_over(corp.authority.identifier)
    corp.ledger.settle(admission, host.encode(), [corp.issuer.issue(order).certificate])


def test_a_host_costs_the_same_in_a_large_fleet(corp: t.Any, steps: t.Any) -> None:
    orders = [corp.order(place=CertificatePlace(f"ws-{number}", "card", "authentication")) for number in range(5)]
    serve(corp, orders[0])
    first = steps(lambda: serve(corp, orders[1]))
    again = steps(lambda: serve(corp, orders[1]))
    revoking = steps(lambda: revoke(corp, orders[1]))
    populate(corp, corp.ledger.certificates()[0])
    assert steps(lambda: serve(corp, orders[2])) < first * 1.5 + 10
    assert steps(lambda: serve(corp, orders[2])) < again * 1.5 + 10
    assert steps(lambda: revoke(corp, orders[2])) < revoking * 1.5 + 10


def revoke(corp: t.Any, order: t.Any) -> None:
    assert corp.ledger.revoke({"host": order.place.host}, RevocationReason.UNSPECIFIED, corp.authority.identifier)
