# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``enrollment_audit`` on the controller, over what a run has gathered from the hosts before."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.audit import SeenHost, audit
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import ledger_of
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import page
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.spreadsheet import spreadsheet
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.summary import summarise_audit
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "ca": {"type": "str", "required": True},
    "ledger": {"type": "str", "no_log": True},
    "cards_variable": {"type": "str", "default": "smartcard_enrollment_cards"},
    "found_variable": {"type": "str", "default": "enrollment_audit_found"},
}


class ActionModule(StringSecrets):
    """Gathers, and leaves the rest to the report."""

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENTS = ARGUMENTS
    decides_here = True

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().act(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        try:
            seen = [_seen(host, arguments, task_vars["hostvars"]) for host in arguments["hosts"]]
            report = audit(ledger_of(arguments), seen)
        except HardboundError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}
        return {**result, "failed": False, "changed": False, "report": report, **_shown(report)}


def _shown(report: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"html": page(report), "csv": spreadsheet(report), "summary": summarise_audit(report)}


def _seen(host: str, arguments: dict[str, t.Any], hostvars: t.Mapping[str, t.Any]) -> SeenHost:
    known, name = hostvars[host], arguments["cards_variable"]
    if name in (known.get("ansible_facts") or ()):
        return SeenHost(host, None, (), f"it says itself what it should have, by a fact of the name {name}.")
    found = known.get(arguments["found_variable"]) or {}
    trouble = "" if found.get("unreachable") else str(found.get("msg") or "")
    return SeenHost(host, found.get("cards"), known.get(name) or (), trouble)
