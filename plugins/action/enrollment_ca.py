# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``enrollment_ca`` on the controller: the CA's keys and passphrase go to no host."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.enrollment_ca import (
    ARGUMENTS,
    Desired,
    EnrollmentCa,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets


class _Finished(Exception):
    """Carries a result out of the spine."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__()
        self.result = result


class _Task:
    """An action's task, as the spine wants to see a module."""

    def __init__(self, check_mode: bool) -> None:
        self.check_mode = check_mode
        self.argument_spec: dict[str, dict[str, t.Any]] = {}
        self.params: t.Mapping[str, t.Any] = {}
        self.no_log_values: set[str] = set()
        self._warnings: list[str] = []

    def warn(self, warning: str) -> None:
        self._warnings.append(warning)

    def fail_json(self, msg: str, **facts: t.Any) -> t.NoReturn:
        raise _Finished({"failed": True, "msg": msg, **facts})

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise _Finished({"failed": False, "warnings": self._warnings, **result})


class ActionModule(StringSecrets):
    """Reads the arguments, and leaves the rest to the spine."""

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENTS = ARGUMENTS
    decides_here = True

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().act(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        try:
            converge(_Task(self._task.check_mode), lambda: EnrollmentCa(Desired.parse(arguments)))
        except _Finished as finished:
            result.update(finished.result)
        return result
