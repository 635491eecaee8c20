# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``summary`` on the controller: prints lines as they are, where a debug task quotes and escapes them."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hardbound.identity.plugins.plugin_utils._table import cell

ARGUMENTS: dict[str, dict[str, t.Any]] = {"lines": {"type": "list", "elements": "str", "required": True}}
_WIDEST = 1000
"""Columns that a line may take in the terminal."""


class ActionModule(ActionBase):
    """Shows, and changes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        if not self._task.no_log:
            Display().display("\n".join(cell(line, _WIDEST) for line in arguments["lines"]))
        return {**result, "failed": False, "changed": False}
