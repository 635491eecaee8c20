# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dictionaries and lists that came as text: from a survey, or as Tpmvscmgr is told them."""

from __future__ import annotations

import typing as t

from .._errors import InputError
from .secret_arguments import Arguments

_EXAMPLES = {"dict": "{name: value, other: value}", "list": "[{name: value}]"}
_NAMES = {"dict": "dictionary", "list": "list of dictionaries"}


def check_shapes(arguments: Arguments, values: t.Mapping[str, t.Any]) -> None:
    """Looks at a task's arguments as its author wrote them.

    Text that Ansible makes what is wanted of passes: JSON, and ``name=value``.

    :raises InputError: for the first that is text, and has to be a dictionary or a list of such
    """
    for name, argument in arguments.items():
        value, kind = values.get(name), argument.get("type")
        if "options" in argument and kind in _EXAMPLES and isinstance(value, str) and not _is_understood(value):
            wanted, example = _NAMES[kind], _EXAMPLES[kind]
            raise InputError(name, f"is text, and a {wanted} is wanted", f"write it as YAML, as in {example}")


def _is_understood(text: str) -> bool:
    return text.strip()[:1] in ("{", "[") or "=" in text
