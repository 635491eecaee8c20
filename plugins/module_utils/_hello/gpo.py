# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Group Policy object (GPO) of an Active Directory domain, as the place of a Registry.pol.

A GPO is an object of the directory and a folder in SYSVOL, and nothing changes both at once. So that
concurrent runs and killed ones leave no half of a policy behind:

1. Writers of this collection take turns: each locks the folder, the server drops the lock with the
   connection, and what was read before is read again under it.
2. A mark in the directory says that a write of this half has begun. It goes with the very modification
   that sets the new version, so a run that finds it finishes what another one left, in either half.
3. A copy of the new Registry.pol is laid down beside the old one before that is overwritten.
4. Registry.pol and its access rights come first, then the extension names, gpt.ini, and last the
   version in the directory, which makes clients read. Each value in the directory is swapped only
   where it still is what was read: an editor that came between makes the run start over.

Where nothing has to change this costs one search and one file read.
"""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .._encoding import preg
from .._errors import InputError, StateError
from . import gpt_ini
from .domain import Change, Conflict, Domain, Record, replaced
from .extension_names import ATTRIBUTES, with_registry
from .gp_link import with_link
from .gpo_version import GpoVersion
from .setting import Scope

_CLASS = "groupPolicyContainer"
_MARK_ATTRIBUTE = "extensionName"  # of every object, holds any number of texts; nothing else uses it here
_MARKS = {
    Scope.DEVICE: "hardbound.identity: a write of the computer settings has begun",
    Scope.USER: "hardbound.identity: a write of the user settings has begun",
}
_ASKED = (
    "displayName",
    "flags",
    "gPCFileSysPath",
    "gPLink",
    "versionNumber",
    _MARK_ATTRIBUTE,
    *ATTRIBUTES.values(),
)
_FOLDERS = {Scope.DEVICE: "Machine", Scope.USER: "User"}
_OFF = {Scope.DEVICE: 2, Scope.USER: 1}  # flags, [MS-GPOL] 2.2.4: this half is turned off
_POL = "Registry.pol"
_COPY = "Registry.pol.hardbound"
_TURN = 60.0  # seconds to wait for another run
_ATTEMPTS = 5
_NAMES = uuid.UUID("6f1d8c1e-6a0b-5d53-9a52-7d7f2a0c1b11")  # namespace of the GUIDs of policies made here


class Missing(enum.Enum):
    """What to do about a GPO that is not there."""

    CREATE = "create"
    REFUSE = "refuse"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Want:
    """Which GPO, which half of it, and where it shall be linked.

    :param name: display name, or GUID in braces
    :param link: DN of a domain, an organizational unit or a site; empty to leave links alone
    """

    name: str
    scope: Scope = Scope.DEVICE
    missing: Missing = Missing.REFUSE
    link: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("gpo.name", "is empty", "give the GPO's display name, or its GUID in braces")
        if self.is_guid and self.missing is Missing.CREATE:
            raise InputError(
                "gpo.name", "is a GUID, and a new GPO needs a name", "give a name, or don't ask to create it"
            )

    @property
    def is_guid(self) -> bool:
        return self.name.startswith("{") and self.name.endswith("}")


@dataclass(frozen=True)
class Policy:
    """A GPO as read: its object, and the Registry.pol of one half, None where there is none."""

    record: Record
    scope: Scope
    pol: Optional[bytes]

    @property
    def dn(self) -> str:
        return self.record.dn

    @property
    def guid(self) -> str:
        return self.dn.split(",", 1)[0].partition("=")[2]

    @property
    def name(self) -> str:
        return self.record.text("displayName")

    @property
    def folder(self) -> str:
        return _below_share(self.record)

    @property
    def half(self) -> str:
        return f"{self.folder}\\{_FOLDERS[self.scope]}"

    @property
    def version(self) -> GpoVersion:
        return GpoVersion.of(int(self.record.text("versionNumber") or 0))

    @property
    def extension_names(self) -> str:
        return self.record.text(ATTRIBUTES[self.scope])

    @property
    def marked(self) -> Tuple[Scope, ...]:
        """The halves of which a write has begun and not ended."""
        return tuple(scope for scope in Scope if _MARKS[scope] in self.record.texts(_MARK_ATTRIBUTE))

    @property
    def interrupted(self) -> bool:
        return self.scope in self.marked

    @property
    def is_off(self) -> bool:
        return bool(int(self.record.text("flags") or 0) & _OFF[self.scope])

    @property
    def document(self) -> bytes:
        """The Registry.pol, no bytes where there is none."""
        return self.pol or b""

    def names_for(self, document: bytes) -> str:
        """The extension names that a Registry.pol needs. An empty one needs none that are not there."""
        if document in (b"", preg.EMPTY):
            return self.extension_names
        return with_registry(self.extension_names, self.scope)

    def needs(self, document: bytes) -> bool:
        """Whether anything has to be written so that clients apply the document."""
        return self.interrupted or document != self.document or self.names_for(document) != self.extension_names


class GpoPlace:
    """Keeps a Registry.pol in a GPO.

    :param render: makes the document from the one that is there. It is asked again where another run
        changed the GPO between :meth:`load` and :meth:`store`.
    """

    def __init__(self, domain: Domain, want: Want, render: Callable[[bytes], bytes]) -> None:
        self._domain = domain
        self._want = want
        self._render = render
        self._link = domain.checked_dn("gpo.link", want.link) if want.link else ""
        self._policy: Optional[Policy] = None
        self._container: Optional[Record] = None
        self._base = b""

    @property
    def title(self) -> str:
        if self._policy is None:
            return f'GPO "{self._want.name}" (new)'
        return f'GPO "{self._policy.name}" (version {self._policy.version.half(self._want.scope)})'

    @property
    def chores(self) -> Tuple[str, ...]:
        """What :meth:`store` has to do besides the document, each in a few words. Known after :meth:`load`."""
        found: List[str] = []
        if self._policy is None:
            found += ["create the GPO"] if self._want.missing is Missing.CREATE else []
        else:
            policy = self._policy
            found += ["finish a write that was interrupted"] if policy.marked else []
            names = policy.names_for(policy.document)
            found += ["list the registry extension"] if names != policy.extension_names else []
        return (*found, f"link it to {self._link}") if self._needs_link() else tuple(found)

    @property
    def warnings(self) -> Tuple[str, ...]:
        """What a person should know about the GPO. Known after :meth:`load`."""
        if self._policy is None or not self._policy.is_off:
            return ()
        half = {Scope.DEVICE: "computer", Scope.USER: "user"}[self._want.scope]
        return (f'The {half} settings of the GPO "{self._policy.name}" are turned off: no client applies them.',)

    def load(self) -> bytes:
        """Reads the GPO: one search, and one file if there is a GPO.

        :raises InputError: if the container to link it to is not there
        :raises StateError: if the GPO is not there, its name not the only one, or its Registry.pol damaged
        """
        self._policy, self._container = self._read()
        if self._link and self._container is None:
            raise InputError(
                "gpo.link", f"is {self._link}, which does not exist", "give the DN of a domain, OU or site"
            )
        if self._policy is None and self._want.missing is Missing.REFUSE:
            raise StateError(
                f'there is no GPO "{self._want.name}" in {self._domain.name}', "check its name, or ask to create it"
            )
        self._base = self._policy.document if self._policy else b""
        return self._base

    def store(self, document: bytes) -> Mapping[str, object]:
        """Brings the GPO to the document, creates and links it as wanted. What is right already stays.

        :raises StateError: if a right is missing, the controller goes away, or other writers leave no turn
        """
        for _unused in range(_ATTEMPTS):
            try:
                self._bring(self._policy or self._create(), document)
            except Conflict:
                self._policy, self._container = self._read()
                continue
            self._policy, self._container = self._read()
            return self.report()
        raise StateError(f"others changed the GPO {_ATTEMPTS} times while this run wrote", "run again")

    def report(self) -> Mapping[str, object]:
        policy = self._policy
        if policy is None:
            return {"gpo": None}
        found: Dict[str, object] = {
            "name": policy.name,
            "guid": policy.guid,
            "dn": policy.dn,
            "version": {"machine": policy.version.machine, "user": policy.version.user},
            "interrupted": policy.interrupted,
        }
        return {"gpo": found}

    # -- reading

    def _read(self) -> Tuple[Optional[Policy], Optional[Record]]:
        records = self._search()
        policies = [record for record in records if _is_policy(record)]
        containers = [record for record in records if not _is_policy(record)]
        if len(policies) > 1:
            guids = ", ".join(record.dn.split(",", 1)[0].partition("=")[2] for record in policies)
            raise StateError(
                f'{len(policies)} GPOs have the name "{self._want.name}"', f"give the GUID of one, with braces: {guids}"
            )
        policy = self._with_pol(policies[0]) if policies else None
        return policy, containers[0] if containers else None

    def _search(self) -> List[Record]:
        quoted = self._domain.quoted
        by = "cn" if self._want.is_guid else "displayName"
        policy = f"(&(objectClass={_CLASS})({by}={quoted(self._want.name)}))"
        if not self._link:
            return self._domain.search(policy, _ASKED)
        container = f"(distinguishedName={quoted(self._link)})"
        if self._link.upper().endswith(self._domain.base.upper()) and "CN=SITES," not in self._link.upper():
            return self._domain.search(f"(|{policy}{container})", _ASKED)
        # A site stands in the configuration partition, which a search of the domain does not enter.
        return self._domain.search(policy, _ASKED) + self._domain.search(container, _ASKED, base=self._link)

    def _with_pol(self, record: Record) -> Policy:
        policy = Policy(record, self._want.scope, None)
        pol = self._domain.read_file(f"{policy.half}\\{_POL}")
        if policy.interrupted and not _is_whole(pol):
            pol = self._rescued(policy, pol)
        if pol == b"":  # elsewhere no bytes stand for no file
            raise StateError(
                f"{_POL} of the GPO is damaged, the file ends at offset 0",
                "restore it from a backup; it was left as it is",
            )
        return Policy(record, self._want.scope, pol)

    def _rescued(self, policy: Policy, pol: Optional[bytes]) -> Optional[bytes]:
        """What an interrupted run was about to write, if it got as far as to overwrite the file."""
        copy = self._domain.read_file(f"{policy.half}\\{_COPY}")
        return copy if copy is not None and _is_whole(copy) else pol

    # -- writing

    def _bring(self, policy: Policy, document: bytes) -> None:
        if policy.needs(document):
            self._write(policy, document)
        for scope in policy.marked:
            if scope is not policy.scope:
                self._finish(policy, scope)
        if self._link:
            self._make_link(policy)

    def _finish(self, policy: Policy, scope: Scope) -> None:
        """Ends a write of the other half, which another run left."""
        other = GpoPlace(self._domain, Want(policy.guid, scope), lambda document: document)
        other.store(other.load())

    def _create(self) -> Policy:
        """Adds the object, marked: whatever comes between, the next run finds it and makes the rest."""
        if self._want.missing is not Missing.CREATE:
            raise StateError(f'there is no GPO "{self._want.name}" to write to', "ask to create it")
        # The same name gives the same GUID, so that of two runs at once one creates and the other finds.
        derived = uuid.uuid5(_NAMES, f"{self._domain.name}/{self._want.name}".lower())
        for guid in (derived, uuid.uuid4()):
            self._add(guid)
            policy, self._container = self._read()
            if policy is not None:
                return policy
        raise StateError(f'the GPO "{self._want.name}" vanished while it was made', "run again")

    def _add(self, guid: uuid.UUID) -> None:
        cn = f"{{{guid}}}".upper()
        name = self._domain.name
        self._domain.add(
            f"CN={cn},CN=Policies,CN=System,{self._domain.base}",
            [
                ("objectClass", _CLASS),
                ("displayName", self._want.name),
                ("gPCFileSysPath", f"\\\\{name}\\sysvol\\{name}\\Policies\\{cn}"),
                ("gPCFunctionalityVersion", "2"),  # [MS-GPOL] 2.2.4
                ("flags", "0"),
                ("versionNumber", "0"),
                (_MARK_ATTRIBUTE, _MARKS[self._want.scope]),
            ],
        )

    def _write(self, known: Policy, document: bytes) -> None:
        if known.marked:
            self._domain.make_folder(known.folder)
        with self._domain.exclusive(known.folder, _TURN):
            policy, _unused = self._read()
            if policy is None:
                raise StateError(f'the GPO "{known.name}" was removed while this run worked', "run again")
            if policy.document != self._base:
                document = self._render(policy.document)
            if policy.needs(document):
                self._carry_out(policy, document)

    def _carry_out(self, policy: Policy, document: bytes) -> None:
        if policy.marked:
            self._complete(policy)
        if not policy.interrupted:
            self._domain.modify(policy.dn, [(Change.ADD, _MARK_ATTRIBUTE, _MARKS[policy.scope])])
        if policy.interrupted or document != policy.document:
            self._write_pol(policy, document)
        names = policy.names_for(document)
        if names != policy.extension_names:
            self._domain.modify(policy.dn, replaced(ATTRIBUTES[policy.scope], policy.extension_names, names))
        ini_path = f"{policy.folder}\\{gpt_ini.FILE}"
        ini = self._domain.read_file(ini_path)
        version = policy.version.next(policy.scope, gpt_ini.version(ini))
        self._domain.write_file(ini_path, gpt_ini.with_version(ini, version))
        if ini is None or policy.interrupted:
            self._domain.copy_acl(policy.dn, ini_path)
        self._domain.remove_file(f"{policy.half}\\{_COPY}")
        old = policy.record.text("versionNumber")
        unmark = (Change.DELETE, _MARK_ATTRIBUTE, _MARKS[policy.scope])
        self._domain.modify(policy.dn, [*replaced("versionNumber", old, str(version.signed)), unmark])

    def _complete(self, policy: Policy) -> None:
        """Makes what a GPO consists of, as far as it is missing."""
        for name in _FOLDERS.values():
            self._domain.add(f"CN={name},{policy.dn}", [("objectClass", "container")])
        self._domain.copy_acl(policy.dn, policy.folder)
        for name in _FOLDERS.values():
            folder = f"{policy.folder}\\{name}"
            self._domain.make_folder(folder)
            self._domain.copy_acl(policy.dn, folder)

    def _write_pol(self, policy: Policy, document: bytes) -> None:
        if not document and policy.pol is None:
            return
        path = f"{policy.half}\\{_POL}"
        self._domain.make_folder(policy.half)
        self._domain.write_file(f"{policy.half}\\{_COPY}", document)
        self._domain.write_file(path, document)
        self._domain.copy_acl(policy.dn, path)

    # -- the link

    def _needs_link(self) -> bool:
        if not self._link:
            return False
        if self._policy is None or self._container is None:
            return True
        links = self._container.text("gPLink")
        return with_link(links, self._policy.dn) != links

    def _make_link(self, policy: Policy) -> None:
        _unused, container = self._read()
        if container is None:
            raise StateError(f"{self._link} was removed while this run worked", "run again")
        links = container.text("gPLink")
        wanted = with_link(links, policy.dn)
        if wanted != links:
            self._domain.modify(container.dn, replaced("gPLink", links, wanted))


def _is_policy(record: Record) -> bool:
    return _CLASS.lower() in (name.lower() for name in record.texts("objectClass"))


def _below_share(record: Record) -> str:
    r"""The folder below the share: ``\\domain\sysvol\a\b`` gives ``a\b``."""
    path = record.text("gPCFileSysPath")
    parts = path.split("\\", 4)
    if len(parts) != 5 or parts[:2] != ["", ""] or parts[3].lower() != "sysvol" or ".." in parts[4].split("\\"):
        raise StateError(f"gPCFileSysPath of {record.dn} is {path!r}, no folder of SYSVOL", "repair that GPO first")
    return parts[4]


def _is_whole(pol: Optional[bytes]) -> bool:
    """Whether a file can be read; no file at all is whole too."""
    try:
        if pol is not None:
            preg.decode(pol)
    except preg.PregError:
        return False
    return True
