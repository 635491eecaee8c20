# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's statements that run for every host, built once: SQLAlchemy takes longer to compose one than SQLite to
run it. None of them asks for the CA: SQLite might take that for the narrowest condition, and read all that the CA
has issued. The few rows that come back are sorted out here.
"""

from __future__ import annotations

from . import schema
from .packages import sa

CERTIFICATE = schema.certificates.c
OF_KEY = sa.select(schema.certificates).where(CERTIFICATE.key == sa.bindparam("key")).order_by(CERTIFICATE.generation)
OF_SERIAL = sa.select(schema.certificates).where(CERTIFICATE.serial == sa.bindparam("serial"))
AT_PLACE = sa.select(schema.certificates).where(
    CERTIFICATE.host == sa.bindparam("host"),
    CERTIFICATE.card == sa.bindparam("card"),
    CERTIFICATE.slot == sa.bindparam("slot"),
)
ACTIVATE = (
    sa.update(schema.certificates)
    .where(CERTIFICATE.serial == sa.bindparam("which"))
    .values(activated_at=sa.bindparam("at"), evidence=sa.bindparam("upon"), body=sa.bindparam("opened"))
)
LEFT_OVER = sa.select(schema.certificates).where(
    *schema.UNANSWERED, CERTIFICATE.issued_at.between(0, sa.bindparam("latest"))
)
PINS_OF_EK = sa.select(schema.endorsement_keys).where(
    sa.or_(
        schema.endorsement_keys.c.ek == sa.bindparam("ek"),
        schema.endorsement_keys.c.host == sa.bindparam("in_host"),
    )
)
PINS_OF_ROOT = sa.select(schema.hosts).where(
    sa.or_(schema.hosts.c.root == sa.bindparam("root"), schema.hosts.c.host == sa.bindparam("in_host"))
)
CARDS_OF_HOST = sa.select(schema.cards).where(schema.cards.c.host == sa.bindparam("in_host"))
CARD_OF_AK = sa.select(schema.cards.c.host, schema.cards.c.card).where(schema.cards.c.ak == sa.bindparam("ak"))
DELETE_CARD = sa.delete(schema.cards).where(
    schema.cards.c.host == sa.bindparam("in_host"), schema.cards.c.card == sa.bindparam("in_card")
)
HAS_EVIDENCE = sa.select(schema.evidence.c.digest).where(schema.evidence.c.digest == sa.bindparam("digest"))
INSERT_CERTIFICATE = sa.insert(schema.certificates)
INSERT_EVENT = sa.insert(schema.events)
INSERT_EK = sa.insert(schema.endorsement_keys)
INSERT_HOST = sa.insert(schema.hosts)
INSERT_CARD = sa.insert(schema.cards)
INSERT_EVIDENCE = sa.insert(schema.evidence)
