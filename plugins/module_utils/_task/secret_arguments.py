# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets among a task's arguments: that they are strings, what words stand for some, and who gets to see them.

YAML makes another value of what has no quotes: of 0123456 the number 42798, of 1.5e+6 a fraction, of 2024-12-31 a date,
of ``no`` a truth value. Ansible would turn that into text again, and nobody would know the PIN.
"""

from __future__ import annotations

import base64
import datetime
import importlib
import typing as t

from .._card.secret import DEFAULT, WELL_KNOWN_PIN, is_word, word
from .._errors import InputError

Arguments = t.Dict[str, t.Dict[str, t.Any]]
Values = t.Mapping[str, t.Any]

MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
"""What Ansible itself shows in the place of a secret argument."""

_KINDS: t.Tuple[t.Tuple[t.Any, str], ...] = (
    (type(None), "is null"),
    (bool, "is a truth value"),
    (int, "is a number"),
    (float, "is a number"),
    (datetime.date, "is a date"),
    (datetime.time, "is a time"),
    (bytes, "is binary data"),
    (t.Mapping, "is a dictionary"),
    (t.Sequence, "is a list"),
    (t.AbstractSet, "is a set"),
)
_REMEDY = "quote it in YAML, as in 'VALUE', so that it stays as it is, or leave it out"


def check_strings(arguments: Arguments, values: Values) -> None:
    """Looks at a task's arguments as its author wrote them, before anything converts them.

    :raises InputError: for the first secret that is no string. The message does not hold it
    """
    for field, value in _secrets(arguments, values, ""):
        fault = next((words for kind, words in _KINDS if isinstance(value, kind)), None)
        if fault is not None and not isinstance(value, str):
            raise InputError(field, f"{fault}, and a secret is a string", _REMEDY)


def secret_values(arguments: Arguments, values: Values) -> t.List[str]:
    """Returns all secrets of a task that are given, but the words that stand for one."""
    found = (value for _field, value in _secrets(arguments, values, ""))
    return [value for value in found if isinstance(value, str) and value and not is_word(value)]


def _secrets(arguments: Arguments, values: Values, above: str) -> t.Iterator[t.Tuple[str, t.Any]]:
    for name, argument in arguments.items():
        if name not in values:
            continue
        if argument.get("no_log"):
            yield above + name, values[name]
        for place, each in _nested(argument, values[name]):
            yield from _secrets(argument["options"], each, f"{above}{name}{place}.")


def _nested(argument: Values, value: t.Any) -> t.Iterator[t.Tuple[str, Values]]:
    """The dictionaries in an option that has options of its own, each with where in it they stand."""
    if "options" not in argument:
        return
    several = isinstance(value, t.Sequence) and not isinstance(value, str)
    for place, each in ((f"[{at}]", each) for at, each in enumerate(value)) if several else [("", value)]:
        if isinstance(each, t.Mapping):
            yield place, each


def masked(arguments: Arguments, values: Values) -> t.Dict[str, t.Any]:
    """Returns a task's arguments as anybody may see them: secrets are masked by their names, whatever they are."""
    shown = dict(values)
    for name, argument in arguments.items():
        if argument.get("no_log") and shown.get(name) is not None and not is_word(shown[name]):
            shown[name] = MASK
        elif "options" in argument and shown.get(name) is not None:
            inner = argument["options"]
            found = [masked(inner, each) for _place, each in _nested(argument, shown[name])]
            shown[name] = found if argument["type"] == "list" else next(iter(found), None)
    return shown


# Words that stand for a secret.


def well_known(secret: t.Optional[str]) -> t.Optional[str]:
    """Returns a PIN or PUK as a task says it, with the one that everybody knows in the place of ``default``."""
    return WELL_KNOWN_PIN if word(secret) == DEFAULT else secret


def public_knowledge(field: str, secret: t.Optional[str]) -> t.Tuple[str, ...]:
    """Returns the warning about a PIN or PUK that everybody knows, or none."""
    if secret != WELL_KNOWN_PIN:
        return ()
    return (f"{field} is default, which everybody knows: whoever reaches the card over PC/SC can use it.",)


# Who gets to see them.


def register_secrets(*secrets: t.Optional[str]) -> None:
    """Tells ansible-core to mask these values, also where they stand encoded; does nothing before release 2.22."""
    try:
        register = importlib.import_module("ansible.module_utils.secrets").register_secret
    except (ImportError, AttributeError):
        return
    for secret in filter(None, set(secrets)):
        if not is_word(secret):
            raw = secret.encode()
            for form in (secret, raw.hex(), base64.b64encode(raw).decode()):
                register(form)
