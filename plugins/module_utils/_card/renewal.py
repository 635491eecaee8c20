# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that is made anew in its reader, once nobody can use it any more."""

from __future__ import annotations

from .._errors import HardboundError
from .._tpm.capability import identify
from .._tpm.tcti import Tcti
from . import lifecycle
from .admin_key import AdminKey
from .errors import NotBlocked, NotOffered
from .gate import Gates
from .model import Role
from .readiness import check_host_policy
from .record import Record
from .session import CardSession
from .specification import KEPT, Secrets, Specification

PIN, PUK = "123456", "12345678"
"""What programs expect of a PIV card after its reset: those of a new YubiKey."""


def renew(session: CardSession) -> None:
    """See :meth:`~.card.Card.make_anew`."""
    record = session.record
    if not record.card_reset:
        raise NotOffered("The card is not to be made anew by programs: say card_reset: true in its task.")
    secrets = Secrets(PIN, PUK if record.has_puk else None, AdminKey.well_known() if record.has_admin else None)
    with session.turn():
        session.bench.clear()
        _require_blocked(Gates(session.tpm, record))
        _require_possible(session, record, secrets)
        session.bench.clear()
    store, tpm = session.store, session.tpm
    lifecycle.destroy(store, tpm, record.number)
    lifecycle.create(store, tpm, _specification(record), secrets, record.number)
    session.look()


def _require_blocked(gates: Gates) -> None:
    if any(gates.tries(role).left for role in (Role.PIN, Role.PUK) if role in gates.model.indices):
        raise NotBlocked("PIN or PUK have tries left: use them.")


def _require_possible(session: CardSession, record: Record, secrets: Secrets) -> None:
    """What would keep the new card from being made has to show before the old one is gone."""
    if identify(session.tpm).owner_auth_set:
        raise NotOffered("The TPM's owner has an authorisation, which programs don't give: make the card by a task.")
    policy = session.store.host_policy()
    try:
        secrets.check(policy.rules(record.pin_policy))
        check_host_policy(policy, session.tpm)
    except HardboundError as error:
        raise NotOffered(f"The host's rules don't allow the new card: {error}") from error


def _specification(record: Record) -> Specification:
    return Specification(
        tcti=Tcti.parse(record.tcti),
        has_admin=record.has_admin,
        generate=record.generated,
        **{name: getattr(record, name) for name in KEPT},
    )
