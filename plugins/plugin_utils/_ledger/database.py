# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of the ledger: transactions that hold against other processes, and errors in words."""

from __future__ import annotations

import os
import random
import time
import typing as t

from ...module_utils._errors import InputError, StateError
from . import schema
from .packages import exc, pool, sa

T = t.TypeVar("T")
Connection = sa.engine.Connection

ATTEMPTS = 20
"""How often a transaction is tried that another one got in the way of."""

PATIENCE = 0.02
"""Seconds, times the attempt, that are waited at most before the next one."""

BUSY_SECONDS = 30

_IN_TURN = (f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'", f"LOCK TABLE {schema.version.name} IN EXCLUSIVE MODE")
"""Writers of PostgreSQL wait for each other, as SQLite's do, in the order in which they came. Where many write at once,
trying again alone lets some of them lose every time. A transaction sees the database as it is at its first query, which
these are not, so it sees what the one before it has written: PostgreSQL 15, LOCK, Notes. Readers wait for nobody.
"""

_SHARED_SIZE = 32768
"""Bytes of the smallest file that SQLite shares between processes: sqlite.org/walformat.html section 2.1."""

_RESTORE = "restore it from a backup; what was issued since then must be revoked by hand"

_TROUBLES: t.Tuple[t.Tuple[t.Tuple[str, ...], str, str], ...] = (
    (
        ("database is locked", "lock wait timeout", "due to lock timeout"),
        f"was held by another process for {BUSY_SECONDS} seconds",
        "let the other run end, then run again",
    ),
    (
        ("disk is full", "no space left", "could not extend file"),
        "has no room on its disk",
        "make room, then run again",
    ),
    (("malformed", "not a database"), "is damaged", _RESTORE),
    (("disk i/o error",), "can't be read from its disk or written to it", "see to the disk, then run again"),
    (("unable to open",), "can't be opened", "check the folder, its owner and its mode"),
    (("readonly database", "read-only"), "is read-only", "check its owner and mode"),
)


class Database:
    """A database by its URL, such as ``sqlite:////etc/hardbound/ca/ledger.sqlite``, with the ledger's tables.

    :param create: make the tables if there are none; else an empty database is refused, for a ledger
        that was lost must not pass as one in which nothing was revoked
    :raises InputError: the URL is none, or its driver is not installed
    :raises StateError: the database is empty, locked, damaged, full, out of reach, or of a newer release
    """

    def __init__(self, url: str, create: bool = False) -> None:
        self._engine = _engine(url, create)
        self._in_turn: t.Tuple[str, ...] = ()
        self._place = _shown(self._engine)
        self._prepare(create)
        if self._engine.url.get_backend_name() == "postgresql":
            self._in_turn = _IN_TURN

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._place})"

    def close(self) -> None:
        self._engine.dispose()

    def reading(self, work: t.Callable[[Connection], T]) -> T:
        """Runs work that changes nothing."""
        return self._transact(work, writes=False)

    def writing(self, work: t.Callable[[Connection], T]) -> T:
        """Runs work in one transaction, again from its start when another process was faster."""
        return self._transact(work, writes=True)

    def _transact(self, work: t.Callable[[Connection], T], writes: bool) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._engine.connect() as plain:
                    connection = plain.execution_options(hardbound_writes=writes)
                    with connection.begin():
                        for statement in self._in_turn if writes else ():
                            connection.exec_driver_sql(statement)
                        return work(connection)
            except exc.IntegrityError as error:
                if attempt == ATTEMPTS:
                    raise self._explained(error) from None
            except exc.DBAPIError as error:
                if attempt == ATTEMPTS or not _is_conflict(error):
                    raise self._explained(error) from None
            except exc.SQLAlchemyError as error:
                raise self._explained(error) from None
            time.sleep(random.uniform(0, PATIENCE * attempt))  # noqa: S311
        raise AssertionError("unreachable")

    def _prepare(self, create: bool) -> None:
        found = self._transact(schema.found_version, writes=False)
        if not found and not create:
            raise StateError(f"the ledger {self._place} is empty", _RESTORE)
        if found > schema.NEWEST:
            raise StateError(
                f"the ledger {self._place} has version {found}, and this release knows {schema.NEWEST}",
                "use the release that wrote it, or a newer one",
            )
        if found < schema.NEWEST:
            self.writing(lambda connection: schema.migrate(connection, schema.found_version(connection)))

    def _explained(self, error: exc.SQLAlchemyError) -> StateError:
        words = str(getattr(error, "orig", None) or error).splitlines()[0]
        if "disk I/O error" in words and self._is_full():
            words = "disk is full"  # SQLite does not say so of the file that it shares between processes
        for signs, found, remedy in _TROUBLES:
            if any(sign in words.lower() for sign in signs):
                return StateError(f"the ledger {self._place} {found}", remedy)
        password = self._engine.url.password
        hidden = words.replace(str(password), "***") if password else words
        return StateError(f"the ledger {self._place} failed: {hidden}", "see to the database, then run again")

    def _is_full(self) -> bool:
        """Whether a file's disk has less room than SQLite takes at a time."""
        try:
            disk = os.statvfs(os.path.dirname(self._engine.url.database or "") or ".")
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize < _SHARED_SIZE


def _engine(url: str, create: bool) -> sa.engine.Engine:
    try:
        parsed = sa.engine.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sa.create_engine(parsed, hide_parameters=True, future=True, isolation_level="SERIALIZABLE")
        _make_private(parsed.database, create)
        engine = sa.create_engine(
            parsed,
            hide_parameters=True,
            future=True,
            poolclass=pool.QueuePool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
    except exc.ArgumentError:
        raise InputError("ledger", "is no database URL", "write it as sqlite:////path or postgresql://...") from None
    except ImportError as error:
        raise InputError("ledger", f"needs the Python package {error.name}", "install it on the controller") from None
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _make_private(path: t.Optional[str], create: bool) -> None:
    """Opens the file, or makes it readable by its owner alone, before SQLite would do so under the umask."""
    if not path or path == ":memory:":
        raise InputError("ledger", "keeps nothing in memory", "name a file, as sqlite:////path")
    try:
        os.close(os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600))
    except OSError as error:
        raise StateError(
            f"the ledger {path} can't be opened: {error.strerror}", "check the folder, its owner and its mode"
        ) from None


def _on_connect(connection: t.Any, _record: t.Any) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a certificate that was handed out must be on the disk
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hardbound_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_conflict(error: exc.DBAPIError) -> bool:
    """Whether the database asks to try again: serialization failure, deadlock, a table made twice."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return code in ("40001", "40P01", "42P07") or "deadlock found" in str(error.orig).lower()


def _shown(engine: sa.engine.Engine) -> str:
    if engine.url.get_backend_name() == "sqlite":
        return str(engine.url.database)
    return engine.url.render_as_string(hide_password=True)
