# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a policy can be written to and read from: one row a target, from which all else takes what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Tuple, Type

from .._errors import InputError
from . import linux
from .csp import Tree, tenant_id
from .desired import parse_settings, settings_named
from .domain import Domain
from .gpo import Missing, Want
from .gpo_place import GpoPlace
from .graph_catalog import GraphCatalog
from .graph_custom import GraphCustom
from .himmelblau import DROP_IN, Himmelblau
from .linux import Linux
from .login import Login
from .place import FilePlace, NoPlace
from .policy import HelloPolicy, HimmelblauPolicy, ReturnedPolicy
from .provisioning import Provisioning
from .registry_pol import RegistryPol
from .setting import Scope
from .syncml import SyncMl
from .writer import DEFAULT_TITLE, DocumentPlace, Writer

Params = Mapping[str, Any]
OPTIONS = ("dest", "tenant_id", "title", "gpo", "himmelblau")
"""What :data:`TARGETS` may take or leave, of the arguments of ``hello_policy``."""


@dataclass(frozen=True)
class Target:
    """A kind of document that holds a policy.

    :param name: as a task writes it
    :param about: what it is, a sentence for the documentation
    :param lacks: what it can't hold, a clause for the documentation
    :param make: makes its writer for one scope, from the arguments that it takes
    :param takes: those of :data:`OPTIONS` that mean something to it, ``needs`` those that it can't do without
    :param scopes: whose policies it holds
    :param default_dest: the file where no ``dest`` is given; without one the document is returned
    :param rules_this_host: whether the cards of the host obey what stands in that file
    :param is_format: whether ``hello_policy_info`` reads a file of it
    :param noun: the policy as the spine converges it
    """

    name: str
    about: str
    lacks: str
    make: Callable[[Scope, Params], Writer]
    takes: Tuple[str, ...] = ("dest",)
    needs: Tuple[str, ...] = ()
    scopes: Tuple[Scope, ...] = tuple(Scope)
    default_dest: str = ""
    rules_this_host: bool = False
    is_format: bool = True
    noun: Type[HelloPolicy] = HelloPolicy

    def writer(self, scope: Scope, params: Params) -> Writer:
        """Returns the writer.

        :raises InputError: for a user's policy where the target has none
        """
        if scope not in self.scopes:
            raise InputError("scope", f"is {scope.value}, but {self.name} has no policy of users", "use scope device")
        return self.make(scope, params)

    def place(self, params: Params) -> DocumentPlace:
        """Returns where a task wants the document: in a file, or nowhere, to be returned."""
        dest = params["dest"] or self.default_dest
        return FilePlace(dest, make_folder=bool(self.default_dest)) if dest else NoPlace()

    def obeyed_here(self, dest: Optional[str]) -> bool:
        """Whether what a task writes there is what the cards of this host obey."""
        return self.rules_this_host and dest in (None, self.default_dest)


def _registry_pol(scope: Scope, _params: Params) -> Writer:
    return RegistryPol(scope)


def _syncml(scope: Scope, params: Params) -> Writer:
    return SyncMl(Tree(scope, tenant_id(params.get("tenant_id"))))


def _graph_custom(scope: Scope, params: Params) -> Writer:
    return GraphCustom(Tree(scope, tenant_id(params.get("tenant_id"))), params.get("title") or DEFAULT_TITLE)


def _graph_catalog(scope: Scope, params: Params) -> Writer:
    return GraphCatalog(scope, params.get("title") or DEFAULT_TITLE)


def _provisioning(_scope: Scope, params: Params) -> Writer:
    return Provisioning(params.get("title") or DEFAULT_TITLE)


def _linux(_scope: Scope, _params: Params) -> Writer:
    return Linux()


def _himmelblau(_scope: Scope, params: Params) -> Writer:
    return Himmelblau((params.get("himmelblau") or {}).get("pin_retry_count"))


_NOT_IN_GPO = "the 4 settings that only the CSP has, and `allowed` for a character class"
_NOT_IN_CSP = (
    "`disable_card_emulation` and `allow_all_user_card_enumeration`, which only Group Policy has, "
    "and `disabled` for a PIN number or for `device_unlock`"
)

TARGETS = (
    Target(
        "registry_pol",
        "A Registry.pol, the file of registry values in a Group Policy object. Carry it to that object's folder.",
        _NOT_IN_GPO,
        _registry_pol,
        needs=("dest",),
    ),
    Target(
        "gpo",
        "A Group Policy object in an Active Directory domain. Writing it needs python3-samba on the host of the task.",
        _NOT_IN_GPO,
        _registry_pol,
        takes=("gpo",),
        needs=("gpo",),
        is_format=False,
    ),
    Target(
        "syncml",
        "The body of a SyncML message, for a device management server that puts its own header (C(SyncHdr)) before it.",
        _NOT_IN_CSP,
        _syncml,
        takes=("dest", "tenant_id"),
        needs=("tenant_id",),
    ),
    Target(
        "graph_custom",
        "A custom configuration of Microsoft Graph (C(windows10CustomConfiguration)).",
        _NOT_IN_CSP,
        _graph_custom,
        takes=("dest", "tenant_id", "title"),
        needs=("tenant_id",),
    ),
    Target(
        "graph_catalog",
        "A settings catalogue policy of Microsoft Graph (C(configurationPolicies)).",
        f"`device_unlock` and `dynamic_lock`, which the catalogue does not have; {_NOT_IN_CSP}",
        _graph_catalog,
        takes=("dest", "title"),
    ),
    Target(
        "provisioning",
        "The C(customizations.xml) of a provisioning package: O(settings.use_security_key_for_signin) alone.",
        "everything but `use_security_key_for_signin`",
        _provisioning,
        takes=("dest", "title"),
        scopes=(Scope.DEVICE,),
    ),
    Target(
        "linux",
        "This host's own policy, which its TPM cards obey at once, and its sign-in once smartcard_login has run. "
        "Polkit is told who sees the readers.",
        "what is about Windows itself: cameras, phones, Windows sign-in. That is reported, not refused",
        _linux,
        scopes=(Scope.DEVICE,),
        default_dest=linux.PATH,
        rules_this_host=True,
    ),
    Target(
        "himmelblau",
        "A drop-in for Himmelblau, which signs Linux in to Entra ID.",
        "everything but `use_hello` and `pin_min_length` of 6 to 32. That is reported, not refused",
        _himmelblau,
        takes=("dest", "himmelblau"),
        scopes=(Scope.DEVICE,),
        default_dest=DROP_IN,
        is_format=False,
        noun=HimmelblauPolicy,
    ),
)

_BY_NAME = {each.name: each for each in TARGETS}


def target_named(name: str) -> Target:
    return _BY_NAME[name]


def policy(params: Params) -> HelloPolicy:
    """Returns the noun of a task, from the arguments of the module ``hello_policy``.

    :raises InputError: for arguments that the target doesn't take, before anything is read
    """
    target, scope = target_named(params["target"]), Scope(params["scope"])
    _check_arguments(params, target)
    given = {name: value for name, value in (params["settings"] or {}).items() if value is not None}
    absent = settings_named(given) if params["state"] == "absent" else None
    desired = parse_settings(given) if absent is None else {}
    # A removal changes settings only.
    writer = target.writer(scope, params if absent is None else {**params, "himmelblau": None})
    if params["gpo"] is not None:
        # The place asks for the document again where another run changed the GPO meanwhile.
        rewrite = target.noun(desired, writer, NoPlace(), absent).rewrite
        return target.noun(desired, writer, _gpo_to_write(params, scope, rewrite), absent)
    place = target.place(params)
    noun = target.noun if isinstance(place, FilePlace) else ReturnedPolicy
    return noun(desired, writer, place, absent)


def gpo_to_read(gpo: Params, scope: Scope) -> DocumentPlace:
    """Connects to the domain and returns a GPO that has to be there, from the arguments that say which."""
    return GpoPlace(Domain(_login(gpo)), Want(gpo["name"], scope), lambda document: document)


def _check_arguments(params: Params, target: Target) -> None:
    """Refuses what another target's task would mean, rather than to pass over it in silence."""
    for name in OPTIONS:
        if name not in target.takes and params[name] is not None:
            fault = f"means nothing to target {target.name}"
            raise InputError(name, fault, "leave it out, or choose another target")


def _gpo_to_write(params: Params, scope: Scope, render: Callable[[bytes], bytes]) -> DocumentPlace:
    gpo = params["gpo"]
    if params["state"] == "absent":
        want = Want(gpo["name"], scope, Missing.IGNORE)
    else:
        want = Want(gpo["name"], scope, Missing.CREATE if gpo["create"] else Missing.REFUSE, gpo["link"])
    return GpoPlace(Domain(_login(gpo)), want, render)


def _login(gpo: Params) -> Login:
    return Login(*(gpo.get(name) or "" for name in ("domain", "server", "username", "password", "ccache")))
