# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``attestation_verify`` on the controller; no host is asked."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import ledger_of
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.verification import (
    judge_again,
    kept_bundle,
    read_bundle,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "bundle": {"type": "dict"},
    "path": {"type": "path"},
    "evidence": {"type": "str"},
    "ca": {"type": "str"},
    "ledger": {"type": "str", "no_log": True},
    "trust_anchors": {"type": "path"},
}


class ActionModule(StringSecrets):
    """Finds the bundle, and leaves the rest to the verifier."""

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENTS = ARGUMENTS
    decides_here = True

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().act(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            ARGUMENTS,
            mutually_exclusive=[("bundle", "path", "evidence")],
            required_one_of=[("bundle", "path", "evidence")],
        )
        try:
            verdict = judge_again(_bundle(arguments), arguments["ca"] or "", arguments["trust_anchors"] or "")
        except HardboundError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}
        code = "" if verdict.accepted else verdict.findings[0].code.name
        document = verdict.document()
        warnings = document.pop("warnings")
        return {
            **result,
            **document,
            "failed": not verdict.accepted,
            "changed": False,
            "code": code,
            "msg": verdict.message,
            "warnings": warnings,
        }


def _bundle(arguments: dict[str, t.Any]) -> t.Any:
    if arguments["evidence"]:
        return kept_bundle(ledger_of(arguments), arguments["evidence"])
    return read_bundle(arguments["path"]) if arguments["path"] else arguments["bundle"]
