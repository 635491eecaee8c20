# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at Firefox's policies, and says what is to be written so that Firefox has p11-kit's modules.

    firefox_policies.py FILE OTHER...
    firefox_policies.py --without FILE

OTHER: the same file of a Firefox itself, which reads it only where the host has no FILE.
--without: Firefox shall have them no more.
Prints JSON: {"fault": text, or "" if there is none, "wanted": what FILE shall hold, null if it may stay, "" if it would
say nothing more}. What others have written there stays.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

_NAME, _MODULE = "p11-kit", "p11-kit-proxy.so"
_NEWER_FORM = {"Add", "Delete"}
"""Without these, SecurityDevices has the modules themselves. Firefox reads one form or the other."""


class Fault(Exception):
    """Why the policies can't be told of p11-kit, and what helps."""


def read(path: str) -> t.Dict[str, t.Any]:
    """Returns what Firefox would read."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.loads(file.read(), parse_constant=_no_number)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Fault(
            f"{path} can't be read as JSON, so Firefox has no policy of it: {error}. Mend or remove it"
        ) from None
    return _object(path, "It", found)


def _no_number(word: str) -> t.NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _object(path: str, what: str, value: t.Any) -> t.Dict[str, t.Any]:
    if not isinstance(value, dict):
        raise Fault(f"{what} in {path} is no object of JSON, so Firefox has no policy of it. Mend or remove it")
    return value


def wanted(path: str, others: t.Sequence[str]) -> t.Optional[t.Dict[str, t.Any]]:
    """Returns the policies with the module, or None where they have it."""
    hidden = [other for other in others if os.path.exists(other) and not os.path.exists(path)]
    if hidden:
        raise Fault(f"Firefox reads {hidden[0]} until there is {path}. Move it there")
    found = read(path)
    policies = _object(path, "policies", found.setdefault("policies", {}))
    devices = _object(path, "policies.SecurityDevices", policies.setdefault("SecurityDevices", {}))
    if not devices or _NEWER_FORM & set(devices):
        devices = _object(path, "policies.SecurityDevices.Add", devices.setdefault("Add", {}))
    if any(os.path.basename(str(module)) == _MODULE for module in devices.values()):
        return None
    if _NAME in devices:
        raise Fault(f"policies.SecurityDevices in {path} calls {devices[_NAME]} {_NAME}. Give it another name there")
    devices[_NAME] = _MODULE
    return found


def without(path: str) -> t.Optional[t.Dict[str, t.Any]]:
    """Returns the policies without the module, or None where they don't have it. What is empty then goes, too."""
    found = read(path)
    above = [found]
    for name in ("policies", "SecurityDevices", "Add"):
        if isinstance(above[-1].get(name), dict):
            above.append(above[-1][name])
    if above[-1].get(_NAME) != _MODULE:
        return None
    del above[-1][_NAME]
    for outer, inner in reversed(list(zip(above, above[1:]))):
        for name in [name for name, value in outer.items() if value is inner and not inner]:
            del outer[name]
    return found


def text(document: t.Optional[t.Dict[str, t.Any]]) -> t.Optional[str]:
    """Returns what a file of that content holds."""
    return document and json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(*arguments: str) -> None:
    answer: t.Dict[str, t.Optional[str]] = {"fault": "", "wanted": None}
    try:
        if arguments[0] == "--without":
            left = without(arguments[1])
            answer["wanted"] = "" if left == {} else text(left)
        else:
            answer["wanted"] = text(wanted(arguments[0], arguments[1:]))
    except Fault as fault:
        answer["fault"] = f"{fault}, or set tpm_host_firefox: false."
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
