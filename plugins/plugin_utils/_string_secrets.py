# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a task are looked at on the controller, where they still are what YAML has made of them.

On their way to a host Ansible turns numbers and dates into text.
"""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._errors import InputError
from ..module_utils._task.secret_arguments import Arguments, check_strings, register_secrets, secret_values
from ..module_utils._task.shapes import check_shapes
from ._long_wait import announce


class StringSecrets(ActionBase):  # type: ignore[misc]
    """Stands before another action plugin, and refuses secrets that are no strings before anything is looked at."""

    ARGUMENTS: t.ClassVar[Arguments]

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        try:
            check_shapes(self.ARGUMENTS, self._task.args)
            check_strings(self.ARGUMENTS, self._task.args)
        except InputError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        announce(self._task.args, str((task_vars or {}).get("inventory_hostname", "")))
        secrets = secret_values(self.ARGUMENTS, self._task.args)
        result = self.act(tmp, task_vars)
        told = json.dumps(result, default=str)
        register_secrets(*(each for each in secrets if each not in told))
        return result

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """Does what the task is for."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result
