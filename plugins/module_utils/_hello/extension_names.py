# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of client-side extensions (CSE) that a policy needs ([MS-GPOL] section 2.2.4). Pure.

gPCMachineExtensionNames and gPCUserExtensionNames hold groups ``[{CSE}{tool}{tool}...]``. A client
calls the extensions that are listed, and stops reading at the first group that is out of order: a
group that is missing or misplaced means that its settings are never applied.
"""

from __future__ import annotations

import re
from typing import Dict, List

from .._errors import StateError
from .setting import Scope

REGISTRY_CSE = "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}"  # [MS-GPREG] 1.9
REGISTRY_TOOLS = {  # the Administrative Templates snap-in, as the Group Policy editor lists it
    Scope.DEVICE: "{D02B1F72-3407-48AE-BA88-E8213C6761F1}",
    Scope.USER: "{D02B1F73-3407-48AE-BA88-E8213C6761F1}",
}
ATTRIBUTES = {Scope.DEVICE: "gPCMachineExtensionNames", Scope.USER: "gPCUserExtensionNames"}

_GUID = r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}"
_GROUP = re.compile(rf"\[({_GUID})((?:{_GUID})*)\]")
_TOOL = re.compile(_GUID)


def with_registry(names: str, scope: Scope) -> str:
    """Returns the list with the registry extension in it, groups of one CSE merged, sorted by CSE.

    :raises StateError: for a list that is malformed
    """
    groups = _parsed(names, scope)
    tools = groups.setdefault(REGISTRY_CSE, [])
    if REGISTRY_TOOLS[scope] not in (tool.upper() for tool in tools):
        tools.append(REGISTRY_TOOLS[scope])
        tools.sort(key=str.upper)
    return "".join(f"[{cse}{''.join(groups[cse])}]" for cse in sorted(groups, key=str.upper))


def _parsed(names: str, scope: Scope) -> Dict[str, List[str]]:
    groups: Dict[str, List[str]] = {}
    at = 0
    text = names.strip()
    while at < len(text):
        group = _GROUP.match(text, at)
        if not group:
            raise StateError(
                f"{ATTRIBUTES[scope]} of the GPO is malformed at character {at}",
                "repair it in the Group Policy editor, then run again; nothing was changed",
            )
        cse = next((known for known in (*groups, REGISTRY_CSE) if known.upper() == group[1].upper()), group[1])
        tools = groups.setdefault(cse, [])
        tools += [tool for tool in _TOOL.findall(group[2]) if tool.upper() not in (each.upper() for each in tools)]
        at = group.end()
    return groups
