# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``virtual_smartcard_info``, and shows at ``-v`` the cards of a host and their keys."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.plugin_utils._table import Table, TableAction, records


class ActionModule(TableAction):
    """The tables alone."""

    def tables(self, result: t.Mapping[str, t.Any]) -> t.Iterable[Table]:
        cards = records(result.get("cards"))
        yield Table(
            "Cards",
            ("instance id", "name", "owner", "reader", "state", "PIN tries", "PUK tries"),
            [_row(card) for card in cards],
        )
        keys = [(card.get("name"), *_key(key)) for card in cards for key in records(card.get("slots"))]
        yield Table("Keys", ("card", "slot", "algorithm", "PIN", "imported", "certificate"), keys)
        objections = [(card.get("name"), each) for card in cards for each in _list(card.get("objections"))]
        yield Table("What is not as rules and policy want it", ("card", "objection"), objections)


def _row(card: t.Mapping[str, t.Any]) -> tuple[object, ...]:
    names = ("instance_id", "name", "owner", "reader", "state", "pin_tries_left", "puk_tries_left")
    return tuple(card.get(name) for name in names)


def _key(key: t.Mapping[str, t.Any]) -> tuple[object, ...]:
    return (*(key.get(name) for name in ("slot", "algorithm", "pin", "imported")), bool(key.get("certificate")))


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
