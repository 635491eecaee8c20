# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Group Policy object (GPO) as read: its object, its files in SYSVOL, and what a client makes of them.

A client applies a half of a GPO if the half is not turned off, its version is not 0, gpt.ini is there and
tells the same version, and the extension that carries the settings out is listed, in order. Whatever of
this is not so is repaired with the next write, even where the settings are right already.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Iterator, Optional, Tuple

from .._encoding import preg
from .._errors import InputError, StateError
from . import gpt_ini
from .extension_names import ATTRIBUTES, with_registry
from .gpo_version import GpoVersion
from .record import DirectoryObject
from .setting import Scope

CLASS = "groupPolicyContainer"
MARK_ATTRIBUTE = "extensionName"  # of every object, holds any number of texts; nothing else uses it here
MARKS = {
    Scope.DEVICE: "hardbound.identity: a write of the computer settings has begun",
    Scope.USER: "hardbound.identity: a write of the user settings has begun",
}
FUNCTIONALITY, FUNCTIONALITY_VERSION = "gPCFunctionalityVersion", "2"  # [MS-GPOL] 2.2.4: any other is skipped
ASKED = (
    "displayName",
    "flags",
    FUNCTIONALITY,
    "gPCFileSysPath",
    "gPLink",
    "versionNumber",
    MARK_ATTRIBUTE,
    *ATTRIBUTES.values(),
)
POL, POL_COPY = "Registry.pol", "Registry.pol.hardbound"
FOLDERS = {Scope.DEVICE: "Machine", Scope.USER: "User"}
_OFF = {Scope.DEVICE: 2, Scope.USER: 1}  # flags, [MS-GPOL] 2.2.4: this half is turned off
_HALVES = {Scope.DEVICE: "computer", Scope.USER: "user"}


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
class Gpo:
    """A GPO as read: its object, the Registry.pol of one half and gpt.ini, each None where there is none."""

    record: DirectoryObject
    scope: Scope
    pol: Optional[bytes] = None
    ini: Optional[bytes] = None

    @property
    def dn(self) -> str:
        return self.record.dn

    @property
    def guid(self) -> str:
        return guid_of(self.record)

    @property
    def name(self) -> str:
        return self.record.text("displayName")

    @property
    def folder(self) -> str:
        return _below_share(self.record)

    @property
    def half(self) -> str:
        return f"{self.folder}\\{FOLDERS[self.scope]}"

    @property
    def version(self) -> GpoVersion:
        return GpoVersion.of(int(self.record.text("versionNumber") or 0))

    @property
    def version_in_file(self) -> GpoVersion:
        return gpt_ini.version(self.ini)

    @property
    def next_version(self) -> GpoVersion:
        return self.version.next(self.scope, self.version_in_file)

    @property
    def extension_names(self) -> str:
        return self.record.text(ATTRIBUTES[self.scope])

    @property
    def functionality(self) -> str:
        return self.record.text(FUNCTIONALITY)

    @property
    def marked(self) -> Tuple[Scope, ...]:
        """The halves of which a write has begun and not ended."""
        return tuple(scope for scope in Scope if MARKS[scope] in self.record.texts(MARK_ATTRIBUTE))

    @property
    def interrupted(self) -> bool:
        return self.scope in self.marked

    @property
    def half_in_words(self) -> str:
        return _HALVES[self.scope]

    @property
    def is_off(self) -> bool:
        return bool(int(self.record.text("flags") or 0) & _OFF[self.scope])

    @property
    def document(self) -> bytes:
        """The Registry.pol, no bytes where there is none."""
        return self.pol or b""

    def names_for(self, document: bytes) -> str:
        """The extension names that a Registry.pol needs. An empty one needs none that are not there."""
        if _says_nothing(document):
            return self.extension_names
        return with_registry(self.extension_names, self.scope)

    def needs(self, document: bytes) -> bool:
        """Whether anything has to be written so that clients apply the document."""
        return self.interrupted or document != self.document or any(self.faults(document))

    def faults(self, document: bytes) -> Iterator[str]:
        """Yields what would keep clients from applying the document if it stood there, as what to do about it."""
        if self.names_for(document) != self.extension_names:
            yield "list the registry extension"
        if self.functionality != FUNCTIONALITY_VERSION:
            yield f"set {FUNCTIONALITY} to {FUNCTIONALITY_VERSION}"
        if self.ini is None:
            yield f"write {gpt_ini.FILE}, which is missing"
        elif self.version != self.version_in_file:
            yield f"let the directory (version {self.version}) and {gpt_ini.FILE} ({self.version_in_file}) agree"
        elif self.version.half(self.scope) == 0 and not _says_nothing(document):
            yield f"raise the version of the {self.half_in_words} settings, which is 0, so that clients read them"


def guid_of(record: DirectoryObject) -> str:
    """The GUID of a GPO's object, in braces."""
    return record.dn.split(",", 1)[0].partition("=")[2]


def is_gpo(record: DirectoryObject) -> bool:
    return CLASS.lower() in (name.lower() for name in record.texts("objectClass"))


def is_whole(pol: Optional[bytes]) -> bool:
    """Whether a Registry.pol can be read; no file at all is whole too."""
    try:
        if pol is not None:
            preg.decode(pol)
    except preg.PregError:
        return False
    return True


def _says_nothing(document: bytes) -> bool:
    return document in (b"", preg.EMPTY)


def _below_share(record: DirectoryObject) -> str:
    r"""The folder below the share: ``\\domain\sysvol\a\b`` gives ``a\b``."""
    path = record.text("gPCFileSysPath")
    parts = path.split("\\", 4)
    if len(parts) != 5 or parts[:2] != ["", ""] or parts[3].lower() != "sysvol" or ".." in parts[4].split("\\"):
        raise StateError(f"gPCFileSysPath of {record.dn} is {path!r}, no folder of SYSVOL", "repair that GPO first")
    return parts[4]
