# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at on the controller before a task begins, and what no task of ours hands on.

Secrets still are what YAML has made of them here: on their way to a host Ansible turns numbers and dates into text.
"""

from __future__ import annotations

import gc
import json
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._errors import InputError
from ..module_utils._task.secret_arguments import Arguments, check_strings, register_secrets, secret_values
from ..module_utils._task.shapes import check_shapes
from ._host_facts import check_variables, without_facts
from ._long_wait import announce


class StringSecrets(ActionBase):  # type: ignore[misc]
    """Stands before another action plugin, and refuses secrets that are no strings before anything is looked at."""

    ARGUMENTS: t.ClassVar[Arguments]

    @property
    def decides_here(self) -> bool:
        """Whether the controller decides something about the host, by variables that the host must not have made."""
        return False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        gc.freeze()  # to look for garbage in what a process has inherited would copy it, and the process ends soon
        try:
            check_shapes(self.ARGUMENTS, self._task.args)
            check_strings(self.ARGUMENTS, self._task.args)
            if self.decides_here:
                check_variables(task_vars or {}, self._task.get_ds())
        except InputError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        announce(self._task.args, str((task_vars or {}).get("inventory_hostname", "")))
        secrets = secret_values(self.ARGUMENTS, self._task.args)
        result = without_facts(self.act(tmp, task_vars))
        told = json.dumps(result, default=str)
        register_secrets(*(each for each in secrets if each not in told))
        return result

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """Does what the task is for."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result
