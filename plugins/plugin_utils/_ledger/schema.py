# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's tables, and how one version of them becomes the next."""

from __future__ import annotations

import typing as t

from ...module_utils._cryptography import x509
from .packages import sa

METADATA = sa.MetaData()

HEX_SHA256 = 64
HEX_SERIAL = 40
HEX_NAME = 132  # a TPM Name: algorithm, then up to SHA-512; TPM 2.0 Part 2, section 10.5.3
NAME = 255
WORD = 48

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Counts by itself in SQLite only as a plain INTEGER."""

version = sa.Table(
    "enrollment_version",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)

certificates = sa.Table(
    "enrollment_certificate",
    METADATA,
    sa.Column("serial", sa.String(HEX_SERIAL), primary_key=True),
    sa.Column("number", sa.String(NAME), nullable=False, server_default=""),
    sa.Column("authority", sa.String(HEX_SHA256), nullable=False),
    sa.Column("kind", sa.String(WORD), nullable=False),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("card", sa.String(NAME), nullable=False),
    sa.Column("slot", sa.String(WORD), nullable=False),
    sa.Column("key", sa.String(HEX_SHA256), nullable=False),
    sa.Column("profile", sa.String(NAME), nullable=False),
    sa.Column("claim", sa.String(HEX_SHA256), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("content", sa.String(HEX_SHA256), nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("assurance", sa.String(WORD), nullable=False),
    sa.Column("evidence", sa.String(HEX_SHA256), nullable=False),
    sa.Column("not_before", sa.BigInteger, nullable=False),
    sa.Column("not_after", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("activated_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("reason", sa.String(WORD)),
    # What makes two processes that enrol one key at once end with one certificate.
    sa.UniqueConstraint("claim", "generation", name="enrollment_certificate_once"),
    sa.Index("enrollment_certificate_place", "host", "card", "slot"),
    sa.Index("enrollment_certificate_key", "key"),
    sa.Index("enrollment_certificate_revoked", "authority", "revoked_at"),
)

UNANSWERED = (certificates.c.activated_at.is_(None), certificates.c.revoked_at.is_(None))
"""What a certificate is as long as no TPM has answered for it, and nobody has withdrawn it."""

_unanswered = sa.Index(
    "enrollment_certificate_unanswered",
    certificates.c.issued_at,
    sqlite_where=sa.and_(*UNANSWERED),
    postgresql_where=sa.and_(*UNANSWERED),
)

hosts = sa.Table(
    "enrollment_host",
    METADATA,
    sa.Column("host", sa.String(NAME), primary_key=True),
    sa.Column("root", sa.String(HEX_NAME), nullable=False, unique=True),
    sa.Column("pinned_at", sa.BigInteger, nullable=False),
)

endorsement_keys = sa.Table(
    "enrollment_host_ek",
    METADATA,
    sa.Column("ek", sa.String(HEX_SHA256), primary_key=True),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("source", sa.String(WORD), nullable=False),
    sa.Column("pinned_at", sa.BigInteger, nullable=False),
    sa.Index("enrollment_host_ek_host", "host"),
)

cards = sa.Table(
    "enrollment_card",
    METADATA,
    sa.Column("ak", sa.String(HEX_NAME), primary_key=True),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("card", sa.String(NAME), nullable=False),
    # Names; NULL where the card was enrolled before they were asked for.
    *(sa.Column(name, sa.String(HEX_NAME)) for name in ("genesis", "parent", "pin", "puk", "policy", "admin")),
    sa.Column("first_reset", sa.BigInteger),
    sa.Column("last_reset", sa.BigInteger),
    sa.Column("genesis_proven", sa.Integer, nullable=False),
    sa.Column("standing", sa.String(WORD), nullable=False),
    sa.Column("pinned_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("host", "card", name="enrollment_card_once"),
)

challenges = sa.Table(
    "enrollment_open_challenge",
    METADATA,
    sa.Column("id", sa.String(HEX_SHA256), primary_key=True),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("card", sa.String(NAME), nullable=False),
    sa.Column("state", sa.String(WORD), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Index("enrollment_open_challenge_expiry", "expires_at"),
)

evidence = sa.Table(
    "enrollment_evidence",
    METADATA,
    sa.Column("digest", sa.String(HEX_SHA256), primary_key=True),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

events = sa.Table(
    "enrollment_event",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(WORD), nullable=False),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("card", sa.String(NAME), nullable=False),
    sa.Column("code", sa.String(WORD), nullable=False),
    sa.Column("serial", sa.String(HEX_SERIAL), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("enrollment_event_host", "host", "at"),
)

crls = sa.Table(
    "enrollment_crl",
    METADATA,
    sa.Column("authority", sa.String(HEX_SHA256), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("this_update", sa.BigInteger, nullable=False),
    sa.Column("next_update", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

halves = sa.Table(
    "enrollment_recovery_half",
    METADATA,
    sa.Column("identifier", sa.String(HEX_SHA256), primary_key=True),
    sa.Column("host", sa.String(NAME), nullable=False),
    sa.Column("card", sa.String(NAME), nullable=False),
    # JSON Web Encryption, for a key that is not on the controller in the clear.
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("kept_at", sa.BigInteger),
    sa.Index("enrollment_recovery_half_card", "host", "card"),
)

Migration = t.Callable[[sa.engine.Connection], None]


def _pin_whole_cards(connection: sa.engine.Connection) -> None:
    """Version 1 pinned one EK to a host and the AK alone to a card, and kept a nonce with a challenge."""
    METADATA.create_all(connection)
    for statement in _FROM_VERSION_1:
        connection.execute(sa.text(statement))


_FROM_VERSION_1 = (
    "INSERT INTO enrollment_host_ek (ek, host, source, pinned_at)"
    " SELECT ek, host, source, pinned_at FROM enrollment_endorsement_key",
    "INSERT INTO enrollment_card (ak, host, card, genesis_proven, standing, pinned_at)"
    " SELECT ak, host, card, 0, 'enrolled', pinned_at FROM enrollment_attestation_key",
    "UPDATE enrollment_certificate SET kind = 'external' WHERE kind = 'outside'",
    "DROP TABLE enrollment_endorsement_key",
    "DROP TABLE enrollment_attestation_key",
    "DROP TABLE enrollment_challenge",
)


def _close_unanswered(connection: sa.engine.Connection) -> None:
    """Version 2 held the bodies of certificates that nobody has answered for in the clear. They are given up: a later
    run withdraws the certificates. Nobody needs the body of one that was withdrawn.
    """
    unanswered = (certificates.c.activated_at.is_(None), certificates.c.kind != "external")
    connection.execute(sa.update(certificates).where(*unanswered).values(body=b""))
    _unanswered.create(connection)


_ADD_NUMBER = f"ALTER TABLE enrollment_certificate ADD COLUMN number VARCHAR({NAME}) DEFAULT '' NOT NULL"


def _number_and_close_external(connection: sa.engine.Connection) -> None:
    """Version 3 read the number of another CA's certificate out of the body, and so held the body in the clear."""
    connection.execute(sa.text(_ADD_NUMBER))
    column = certificates.c
    connection.execute(sa.update(certificates).values(number=column.serial))
    external = sa.select(column.serial, column.body).where(column.kind == "external")
    for serial, body in connection.execute(external).all():
        number = f"{x509.load_der_x509_certificate(body).serial_number:x}"
        connection.execute(sa.update(certificates).where(column.serial == serial).values(number=number))
    unanswered = (column.activated_at.is_(None), column.kind == "external")
    connection.execute(sa.update(certificates).where(*unanswered).values(body=b""))


def _keep_halves(connection: sa.engine.Connection) -> None:
    """Version 4 knew no recovery of PINs."""
    halves.create(connection, checkfirst=True)


MIGRATIONS: t.Tuple[Migration, ...] = (
    _pin_whole_cards,
    _close_unanswered,
    _number_and_close_external,
    _keep_halves,
)
"""Step n leads from version n + 1 to n + 2. A step is never changed once it was released."""

NEWEST = 1 + len(MIGRATIONS)


def found_version(connection: sa.engine.Connection) -> int:
    """Returns the version of the tables that are there, 0 for none."""
    if not sa.inspect(connection).has_table(version.name):
        return 0
    return int(connection.execute(sa.select(version.c.version)).scalar() or 0)


def migrate(connection: sa.engine.Connection, found: int) -> None:
    """Brings the tables from the version found to the newest one; 0 makes them."""
    if found == 0:
        METADATA.create_all(connection)
    for step in MIGRATIONS[found - 1 :] if found else ():
        step(connection)
    connection.execute(sa.delete(version))
    connection.execute(sa.insert(version).values(id=1, version=NEWEST))
