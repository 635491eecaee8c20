# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an info module found, as a table that a person reads at ``-v``, beside the data that a playbook uses.

A host may answer anything. What it says becomes one line of printable characters a cell, so that it can't
draw lines of its own or send commands to the terminal.
"""

from __future__ import annotations

import json
import typing as t
import unicodedata
from dataclasses import dataclass

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ._host_facts import without_facts

WIDEST = 48
"""Columns that a cell may take in the terminal, the last one of a row :data:`WIDEST_LAST`."""
WIDEST_LAST = 160
_MOST_ROWS = 200
_LONGEST = 2000


@dataclass(frozen=True)
class Table:
    """A title, the heads of the columns, and the rows. Cells are any plain data."""

    title: str
    heads: t.Sequence[str]
    rows: t.Sequence[t.Sequence[object]]

    def lines(self) -> list[str]:
        """Returns the title and the table below it. A table without rows has no lines."""
        rows = [[*map(cell, row[:-1]), cell(row[-1], WIDEST_LAST)] for row in self.rows[:_MOST_ROWS]]
        if not rows:
            return []
        widths = [max(map(_width, column)) for column in zip(self.heads, *rows)]
        left = [f"({len(self.rows) - _MOST_ROWS} more)"] if len(self.rows) > _MOST_ROWS else []
        return [self.title, *(_line(row, widths) for row in [self.heads, *rows]), *left]


class TableAction(NormalAction):  # type: ignore[misc]
    """Runs the module of the task's name as any other, then shows tables of what it found."""

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = without_facts(super().run(tmp, task_vars))
        if not result.get("failed") and not self._task.no_log:
            host = cell((task_vars or {}).get("inventory_hostname", ""))
            lines = [line for table in self.tables(result) for line in table.lines()]
            if lines:
                Display().v("\n".join([f"{host}:", *(f"  {line}" for line in lines)]))
        return result

    def tables(self, result: t.Mapping[str, t.Any]) -> t.Iterable[Table]:
        """Returns the tables that a result makes."""
        raise NotImplementedError


def records(found: object) -> list[t.Mapping[str, t.Any]]:
    """Returns the mappings of a list, nothing for what is none."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def cell(value: object, widest: int = WIDEST) -> str:
    """Returns plain data as a text of one line, cut to what a column takes."""
    text = value if isinstance(value, str) else _words(value)
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:_LONGEST])
    if _width(shown) <= widest:
        return shown
    while _width(shown) > widest - 1:
        shown = shown[:-1]
    return shown + "…"


def _words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)) and all(isinstance(each, (str, int)) for each in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def _width(text: str) -> int:
    """The columns that a text takes: two for a wide character, none for one that joins the one before."""
    wide = {"W": 2, "F": 2}
    return sum(0 if unicodedata.combining(each) else wide.get(unicodedata.east_asian_width(each), 1) for each in text)


def _line(cells: t.Sequence[str], widths: t.Sequence[int]) -> str:
    return "  ".join(text + " " * (width - _width(text)) for text, width in zip(cells, widths)).rstrip()
