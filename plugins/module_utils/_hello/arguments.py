# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of ``hello_policy`` and ``hello_policy_info`` that follow from the catalogue and the targets."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from .catalogue import SETTINGS
from .desired import CLASS_STATES, STATES
from .setting import Scope, Setting
from .target import TARGETS

Arguments = Dict[str, Dict[str, Any]]

GPO: Arguments = {
    "name": {"type": "str", "required": True},
    "domain": {"type": "str", "default": ""},
    "server": {"type": "str", "default": ""},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "ccache": {"type": "path", "default": ""},
}
"""The arguments that say which GPO, and how to get there."""
GPO_CHANGE: Arguments = {
    "create": {"type": "bool", "default": False},
    "link": {"type": "str", "default": ""},
}
"""Those beside them that only make sense where a GPO is written."""


def policy_arguments() -> Arguments:
    """Returns the argument specification of ``hello_policy``."""
    return {
        "target": {"type": "str", "required": True, "choices": [each.name for each in TARGETS]},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "scope": {"type": "str", "choices": [each.value for each in Scope], "default": Scope.DEVICE.value},
        "settings": {"type": "dict", "options": settings_arguments()},
        "dest": {"type": "path"},
        "tenant_id": {"type": "str"},
        "title": {"type": "str"},
        "gpo": {"type": "dict", "options": {**GPO, **GPO_CHANGE}},
        "himmelblau": {"type": "dict", "options": {"pin_retry_count": {"type": "int", "no_log": False}}},
    }


def needed_arguments() -> List[Tuple[str, str, List[str]]]:
    """Returns which arguments each target can't do without, as ``required_if`` takes it."""
    return [("target", each.name, list(each.needs)) for each in TARGETS if each.needs]


def settings_arguments() -> Arguments:
    """Returns the argument specification of all settings. The core checks the values of type raw."""
    return {setting.name: _argument(setting) for setting in SETTINGS}


def choices(setting: Setting) -> Optional[List[str]]:
    """Returns the words that a setting takes, None for one that takes numbers or mappings too."""
    if setting.is_class:
        return [*CLASS_STATES, *STATES]
    return None if setting.options else [*STATES]


def _argument(setting: Setting) -> Dict[str, Any]:
    words = choices(setting)
    # Some names sound like secrets: none is.
    if words is None:
        return {"type": "raw", "no_log": False}
    return {"type": "str", "choices": words, "no_log": False}
