# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``hello_policy_info``, and shows at ``-v`` what takes effect, and what does not."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._hello.sources import ARGUMENTS
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets
from ansible_collections.hardbound.identity.plugins.plugin_utils._table import Table, TableAction, cell, records


class ActionModule(StringSecrets, TableAction):
    """The tables, and what is asked before."""

    ARGUMENTS = ARGUMENTS

    def tables(self, result: t.Mapping[str, t.Any]) -> t.Iterable[Table]:
        settings = records(result.get("settings"))
        yield Table("What takes effect", ("setting", "value", "from", "instead of"), [_row(each) for each in settings])
        lost = records(result.get("not_enforceable"))
        yield Table(
            "What has no effect where it was said",
            ("setting", "said by", "because it"),
            [(each.get("name"), each.get("source"), each.get("reason")) for each in lost],
        )
        notes = [(each.get("name"), note) for each in settings for note in _list(each.get("notes"))]
        yield Table("Notes", ("about", "note"), [*notes, *(("sources", note) for note in _list(result.get("notes")))])


def _row(setting: t.Mapping[str, t.Any]) -> tuple[object, ...]:
    value, others = setting.get("value"), records(setting.get("overridden"))
    if setting.get("source") is None:
        value = f"{cell(value)}: {cell(setting.get('default'))}"
    instead = ", ".join(f"{cell(each.get('value'))} ({cell(each.get('source'))})" for each in others)
    return setting.get("name"), value, setting.get("source"), instead


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
