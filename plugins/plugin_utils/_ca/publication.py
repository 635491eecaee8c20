# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of what is revoked, put where others fetch them, after something was revoked in passing."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .._ledger.ledger import Ledger
from . import crl, files
from .authority import Authority
from .crl import Crl

DEFAULT_LIFETIME = timedelta(days=7)
"""Of a revocation list, where there was none before."""


def publish_if_due(authority: Authority, ledger: Ledger) -> None:
    """Signs a list that is good for as long as the last one, and writes the newest, whoever signed it.

    :raises StateError: if ledger, folder or passphrase don't allow it
    """
    last = crl.newest(ledger, authority.identifier)
    if not crl.is_due(last, ledger, authority.identifier):
        return
    crl.sign(ledger, authority.issuing(), _lifetime(last) if last else DEFAULT_LIFETIME)
    written: t.Optional[Crl] = None
    while True:
        newest = crl.newest(ledger, authority.identifier)
        if newest is None or newest == written:
            return
        keys = crl.revoked_ssh_keys(ledger, authority.identifier)
        files.write(authority.folder.crl("issuing"), newest.body, files.PUBLIC)
        files.write(authority.folder.revoked_ssh_keys, keys, files.PUBLIC)
        written = newest


def _lifetime(last: Crl) -> timedelta:
    return timedelta(seconds=last.next_update - last.this_update)
