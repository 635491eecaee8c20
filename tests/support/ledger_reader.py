# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who reads the ledger, or its backup, and looks for certificates."""

from __future__ import annotations

import functools
import pathlib
import typing as t
import zlib

from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.database import Connection
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.packages import sa


def everything_in(ledger: Ledger) -> t.Iterator[bytes]:
    """All that whoever reads the ledger can get: its files, and each value of each table, packed or not."""
    folder = pathlib.Path(str(ledger._engine.url.database))
    yield from (path.read_bytes() for path in folder.parent.glob(f"{folder.name}*"))
    for table in schema.METADATA.tables.values():
        rows = ledger.reading(functools.partial(_rows, table))
        for value in (value for row in rows for value in row if isinstance(value, bytes)):
            yield from (value, _unpacked(value))


def _rows(table: t.Any, connection: Connection) -> t.Any:
    return connection.execute(sa.select(table)).all()


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""
