# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of a fleet have something due, as far as the ledger knows, so that the others need no visit.

The ledger does not know what the inventory wants, nor what has become of a card: a change of the inventory takes a
visit to all hosts.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ledger.ledger import Ledger
from .._ledger.record import IssuedCertificate

MOST_LINES = 20
"""Hosts that are told of one by one."""
EVERYBODY = "all hosts are visited"

_Place = t.Tuple[str, str]


def due(ledger: Ledger, authority: str, hosts: t.Iterable[str]) -> t.Dict[str, str]:
    """Returns why a host has to be visited, for each that has to, in the order given.

    :param authority: identifier of the CA; certificates of another CA's do not count
    :raises StateError: the ledger does not allow it
    """
    at = ledger.now()
    newest: t.Dict[str, t.Dict[_Place, IssuedCertificate]] = {}
    for certificate in ledger.certificates(bodies=False):
        if certificate.authority == authority and not _is_over(certificate):
            newest.setdefault(certificate.host, {})[certificate.card, certificate.label] = certificate
    reasons = {host: _reason(newest.get(host, {}).values(), at) for host in hosts}
    return {host: reason for host, reason in reasons.items() if reason}


def _is_over(certificate: IssuedCertificate) -> bool:
    """Whether it was in use and is revoked. One that was withdrawn is a sign of a run that came to no end."""
    return bool(certificate.revoked_at and certificate.activated_at)


def _reason(certificates: t.Collection[IssuedCertificate], at: datetime) -> str:
    if not certificates:
        return "it has no certificate of this CA in force"
    found = (_reason_of(certificate, at) for certificate in certificates)
    return next(filter(None, found), "")


def _reason_of(certificate: IssuedCertificate, at: datetime) -> str:
    name = " ".join((certificate.card, certificate.label or "attestation key"))
    if not certificate.activated_at:
        return f"{name}: a run did not come to its end"
    return f"{name}: two thirds of the certificate's lifetime are over" if certificate.is_due(at) else ""


def summarise_due(reasons: t.Mapping[str, str], hosts: int) -> t.List[str]:
    """Returns lines for a person: how many, and the first of them with the reason."""
    told = list(reasons.items())
    lines = [f"  due {host}  {reason}" for host, reason in told[:MOST_LINES] if reason != EVERYBODY]
    more = [f"  and {len(told) - MOST_LINES} more"] if len(told) > MOST_LINES and lines else []
    return [f"DUE  {len(told)} of {hosts} hosts", *lines, *more]
