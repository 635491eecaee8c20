# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``enrollment_due`` on the controller. The ledger is read once, whatever the number of hosts."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import Authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import ca_folder, ledger_of
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.due import EVERYBODY, due, summarise_due
from ansible_collections.hardbound.identity.plugins.plugin_utils._host_facts import check_variables

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "ca": {"type": "str", "required": True},
    "ledger": {"type": "str", "no_log": True},
    "every": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Asks, and changes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENTS = ARGUMENTS

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        try:
            check_variables(task_vars or {}, self._task.get_ds())
            reasons = _reasons(arguments)
        except HardboundError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}
        summary = summarise_due(reasons, len(arguments["hosts"]))
        return {**result, "failed": False, "changed": False, "due": reasons, "summary": summary}


def _reasons(arguments: t.Mapping[str, t.Any]) -> dict[str, str]:
    if arguments["every"]:
        return dict.fromkeys(arguments["hosts"], EVERYBODY)
    authority = Authority(ca_folder(arguments["ca"]), "")
    return due(ledger_of(arguments), authority.identifier, arguments["hosts"])
