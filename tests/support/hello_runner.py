# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's main() in this process and returns what it answers."""

from __future__ import annotations

import contextlib
import io
import json
from types import ModuleType
from typing import Any

from ansible.module_utils.testing import patch_module_args


def run(module: ModuleType, check: bool = False, **arguments: object) -> dict[str, Any]:
    """Returns the module's answer; ``failed`` says whether it is an error."""
    output = io.StringIO()
    given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(given), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    answer = json.loads(output.getvalue())
    return {"failed": False, **answer}
