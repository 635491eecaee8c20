# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``virtual_smartcard_info`` tells: all cards of a host, with what their TPMs say of them."""

from __future__ import annotations

import typing as t

from .._card.gate import Gates
from .._card.host_policy import HostPolicy, objections_to
from .._card.model import Role
from .._card.readiness import check_host_policy
from .._card.record import Record, State, presented
from .._card.report import report, report_passkeys, utc
from .._card.store import Store
from .._card.wholeness import is_whole
from .._edge.reader_name import reader_name
from .._errors import StateError
from .._tpm.connection import Tpm
from .._tpm.errors import TpmUnreachable
from .._tpm.tcti import Tcti

_NO_TRIES: t.Dict[str, t.Any] = {"pin_tries_left": None, "puk_tries_left": None}


def list_cards(task: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """Returns the cards of a store, ordered by number. Changes nothing and spends no try.

    :raises StateError: if the store or one of its cards can't be read
    """
    store = Store(task["store"])
    records = store.records()
    policy = store.host_policy()
    names = presented(records)
    wanted = [record for record in records if task["name"] in (None, record.name)]
    return {"cards": [_card(store, record, names, policy) for record in wanted]}


def _card(store: Store, record: Record, names: t.Mapping[int, str], policy: HostPolicy) -> t.Dict[str, t.Any]:
    ready = record.state is State.READY
    objections = [str(each) for each in objections_to(record, policy)] if ready else []
    state, tries = _look(store, record, policy, objections) if ready else ("unfinished", _NO_TRIES)
    return {
        **report(record),
        "reader": reader_name(record.number, names) if record.number in names else None,
        "state": state,
        "pin_expires_at": utc(record.pin.expires_at(policy.expiry_days(record.pin_policy))),
        "objections": objections,
        "discoverable_passkeys": report_passkeys(record),
        **tries,
    }


def _look(
    store: Store, record: Record, policy: HostPolicy, objections: t.List[str]
) -> t.Tuple[str, t.Dict[str, t.Any]]:
    """Asks the card's TPM: how the card is, and the tries that are left. It may have an objection, too."""
    try:
        with Tpm(Tcti.parse(record.tcti), store.folder).taken() as tpm:
            if not is_whole(tpm, record):
                return "lost", _NO_TRIES
            try:
                check_host_policy(policy, tpm)
            except StateError as error:
                objections.append(str(error))
            gates = Gates(tpm, record)
            pin = gates.tries(Role.PIN).left
            puk = gates.tries(Role.PUK).left if record.has_puk else None
    except TpmUnreachable:
        return "unreachable", _NO_TRIES
    return ("ready" if pin else "blocked"), {"pin_tries_left": pin, "puk_tries_left": puk}
