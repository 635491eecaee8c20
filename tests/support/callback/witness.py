# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down each host's enrolment result, and each module that was sent to a host."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

FOLDER = pathlib.Path(os.environ["WITNESS_FOLDER"])
DOCUMENTATION = """
name: witness
type: notification
short_description: Writes down results and visits
description: For tests.
"""

_execute_module = ActionBase._execute_module


def _witnessed(
    self: t.Any,
    module_name: t.Any = None,
    module_args: t.Any = None,
    tmp: t.Any = None,
    task_vars: t.Any = None,
    *args: t.Any,
    **kwargs: t.Any,
) -> t.Any:
    """What is counted is what goes over the connection: each run of a module on a host."""
    name = module_name or self._task.action
    with (FOLDER / "visits" / task_vars["inventory_hostname"]).open("a") as file:
        file.write(name.rpartition(".")[2] + "\n")
    return _execute_module(self, module_name, module_args, tmp, task_vars, *args, **kwargs)


ActionBase._execute_module = _witnessed


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "witness"
    CALLBACK_NEEDS_ENABLED = True

    def _keep(self, result: t.Any) -> None:
        if result.task.action.endswith(("smartcard_enrollment", "enrollment_audit")):
            path = FOLDER / "results" / f"{result.host.get_name()}.json"
            path.write_text(json.dumps(dict(result.result), default=str))

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._keep(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._keep(result)
