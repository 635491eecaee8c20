# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a policy can be written to and read from, and the wiring of each: its writer and its place."""

from __future__ import annotations

import enum
from typing import Any, Callable, Dict, List, Mapping, Optional

from .._errors import InputError
from . import linux
from .catalogue import SETTINGS
from .csp import Tree, tenant_id
from .desired import parse_settings
from .domain import Domain, Login
from .gpo import GpoPlace, Missing, Want
from .graph_catalog import GraphCatalog
from .graph_custom import GraphCustom
from .himmelblau import DIRECTORY, Himmelblau
from .linux import Linux
from .place import FilePlace, NoPlace
from .policy import HimmelblauPolicy, Policy, ReturnedPolicy
from .provisioning import Provisioning
from .registry_pol import RegistryPol
from .setting import Scope, Setting
from .syncml import SyncMl
from .writer import Place, Writer

Params = Mapping[str, Any]


class Target(str, enum.Enum):
    """What a policy is written to."""

    REGISTRY_POL = "registry_pol"
    GPO = "gpo"
    SYNCML = "syncml"
    GRAPH_CUSTOM = "graph_custom"
    GRAPH_CATALOG = "graph_catalog"
    PROVISIONING = "provisioning"
    LINUX = "linux"
    HIMMELBLAU = "himmelblau"

    @property
    def has_scopes(self) -> bool:
        """Whether there is one for users beside the computer's."""
        return self not in (Target.PROVISIONING, Target.LINUX, Target.HIMMELBLAU)


DEFAULT_DEST = {Target.LINUX: linux.PATH, Target.HIMMELBLAU: f"{DIRECTORY}/50-hardbound.conf"}
DEFAULT_TITLE = "Windows Hello for Business"

#: The arguments that say which GPO, and how to get there.
GPO: Dict[str, Dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "domain": {"type": "str", "default": ""},
    "server": {"type": "str", "default": ""},
    "username": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "ccache": {"type": "path", "default": ""},
}
#: And those that only make sense where it is written.
GPO_CHANGE: Dict[str, Dict[str, Any]] = {
    "create": {"type": "bool", "default": False},
    "link": {"type": "str", "default": ""},
}


def settings_arguments() -> Dict[str, Dict[str, Any]]:
    """Returns the argument specification of all settings. The core checks the values of type raw."""
    return {setting.name: _argument(setting) for setting in SETTINGS}


def choices(setting: Setting) -> Optional[List[str]]:
    """Returns the words that a setting takes, None for one that takes numbers or mappings too."""
    states = ["enabled", "disabled", "not_configured"]
    if setting.is_class:
        return ["required", "disallowed", "allowed", *states]
    return None if setting.options else states


def writer(target: Target, scope: Scope, params: Params) -> Writer:
    """Returns the writer of a target.

    :param params: ``tenant_id``, ``title`` and ``himmelblau``, each where the target knows it
    :raises InputError: for a user's policy where the target has none
    """
    if scope is Scope.USER and not target.has_scopes:
        raise InputError("scope", f"is user, but {target.value} has no policy of users", "use scope device")
    tree = Tree(scope, tenant_id(params.get("tenant_id")))
    title = params.get("title") or DEFAULT_TITLE
    if target in (Target.REGISTRY_POL, Target.GPO):
        return RegistryPol(scope)
    if target is Target.SYNCML:
        return SyncMl(tree)
    if target is Target.GRAPH_CUSTOM:
        return GraphCustom(tree, title)
    if target is Target.GRAPH_CATALOG:
        return GraphCatalog(scope, title)
    if target is Target.PROVISIONING:
        return Provisioning(title)
    return Linux() if target is Target.LINUX else Himmelblau(_retry_count(params.get("himmelblau")))


def policy(params: Params) -> Policy:
    """Returns the noun of a task, from the arguments of the module ``hello_policy``.

    :raises InputError: for arguments that the target doesn't take, before anything is read
    """
    target, scope = Target(params["target"]), Scope(params["scope"])
    _check_arguments(params, target)
    given = {name: value for name, value in (params["settings"] or {}).items() if value is not None}
    desired = parse_settings(given)
    absent = list(given) if params["state"] == "absent" else None
    render = writer(target, scope, {**params, "himmelblau": None if absent is not None else params["himmelblau"]})
    if target is Target.GPO:
        # The place asks for the document again where another run changed the GPO meanwhile.
        rewrite = Policy(desired, render, NoPlace(), absent).rewrite
        return Policy(desired, render, _gpo_to_write(params, scope, rewrite), absent)
    dest = params["dest"] or DEFAULT_DEST.get(target)
    if dest is None:
        return ReturnedPolicy(desired, render, NoPlace(), absent)
    place = FilePlace(dest, make_folder=target in DEFAULT_DEST)
    if isinstance(render, Himmelblau):
        return HimmelblauPolicy(desired, render, place, absent)
    return Policy(desired, render, place, absent)


def gpo_to_read(gpo: Params, scope: Scope) -> Place:
    """Connects to the domain and returns a GPO that has to be there, from the arguments :data:`GPO`."""
    return GpoPlace(Domain(_login(gpo)), Want(gpo["name"], scope), lambda document: document)


def _check_arguments(params: Params, target: Target) -> None:
    """Refuses what another target's task would mean, rather than to pass over it in silence."""
    strangers = {
        "dest": target is Target.GPO,
        "gpo": target is not Target.GPO,
        "himmelblau": target is not Target.HIMMELBLAU,
        "tenant_id": target not in (Target.SYNCML, Target.GRAPH_CUSTOM),
    }
    for name, strange in strangers.items():
        if strange and params[name] is not None:
            raise InputError(name, f"means nothing to target {target.value}", "leave it out, or choose another target")


def _gpo_to_write(params: Params, scope: Scope, render: Callable[[bytes], bytes]) -> Place:
    gpo = params["gpo"]
    if params["state"] == "absent":
        want = Want(gpo["name"], scope, Missing.IGNORE)
    else:
        want = Want(gpo["name"], scope, Missing.CREATE if gpo["create"] else Missing.REFUSE, gpo["link"])
    return GpoPlace(Domain(_login(gpo)), want, render)


def _login(gpo: Params) -> Login:
    return Login(*(gpo.get(name) or "" for name in ("domain", "server", "username", "password", "ccache")))


def _argument(setting: Setting) -> Dict[str, Any]:
    words = choices(setting)
    # Some names sound like secrets: none is.
    if words is None:
        return {"type": "raw", "no_log": False}
    return {"type": "str", "choices": words, "no_log": False}


def _retry_count(arguments: Optional[Params]) -> Optional[int]:
    count = (arguments or {}).get("pin_retry_count")
    if count is not None and not 1 <= count <= 100:
        raise InputError("himmelblau.pin_retry_count", f"is {count}", "choose a number from 1 to 100")
    return count
