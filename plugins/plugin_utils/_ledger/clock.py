# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time as certificates and the ledger count it: UTC, in whole seconds."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from ...module_utils._cryptography import x509

Clock = t.Callable[[], datetime]

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""ISO 8601, UTC."""


def now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def stamp(moment: datetime) -> int:
    """Seconds since 1970, as the ledger keeps them."""
    return int(moment.timestamp())


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def text(when: datetime) -> str:
    return when.strftime(FORMAT)


def read(words: str) -> datetime:
    """Returns the time that :func:`text` wrote.

    :raises ValueError: if it is none
    """
    return datetime.strptime(words, FORMAT).replace(tzinfo=timezone.utc)


def validity(certificate: x509.Certificate) -> t.Tuple[datetime, datetime]:
    """Returns notBefore and notAfter with their time zone; cryptography before 42 leaves it out."""
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    start, end = certificate.not_valid_before, certificate.not_valid_after
    return start.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc)


def is_due(start: datetime, end: datetime, at: datetime) -> bool:
    """Whether two thirds of a lifetime are over."""
    return at - start >= (end - start) * 2 / 3
