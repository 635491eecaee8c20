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

Where nothing has to change this costs the read of two files and one search, or three where no link is asked for.
"""

from __future__ import annotations

import uuid
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from .._errors import StateError
from . import gpt_ini
from .domain import Domain
from .extension_names import ATTRIBUTES
from .gp_link import with_link
from .gpo import (
    CLASS,
    FOLDERS,
    FUNCTIONALITY,
    FUNCTIONALITY_VERSION,
    MARK_ATTRIBUTE,
    MARKS,
    POL,
    POL_COPY,
    Gpo,
    Missing,
    Want,
)
from .gpo_search import FoundGpo, GpoSearch
from .record import Modification, ModifyOperation, replaced
from .samba_error import Conflict
from .setting import Scope

_TURN = 60.0  # seconds to wait for another run
_ATTEMPTS = 5
_NAMES = uuid.UUID("6f1d8c1e-6a0b-5d53-9a52-7d7f2a0c1b11")  # namespace of the GUIDs of policies made here


class GpoPlace:
    """Keeps a Registry.pol in a GPO.

    :param render: makes the document from the one that is there. It is asked again where another run
        changed the GPO between :meth:`load` and :meth:`store`.
    """

    def __init__(self, domain: Domain, want: Want, render: Callable[[bytes], bytes]) -> None:
        self._domain = domain
        self._want = want
        self._render = render
        self._search = GpoSearch(domain, want)
        self._found = FoundGpo()
        self._is_linked = True
        self._base = b""

    @property
    def title(self) -> str:
        gpo = self._found.gpo
        if gpo is None:
            return f'GPO "{self._want.name}" (new)'
        return f'GPO "{gpo.name}" (version {gpo.version.half(self._want.scope)})'

    @property
    def chores(self) -> Tuple[str, ...]:
        """What :meth:`store` has to do besides the document, each in a few words. Known after :meth:`load`."""
        found: List[str] = []
        gpo = self._found.gpo
        if gpo is None:
            found += ["create the GPO"] if self._want.missing is Missing.CREATE else []
        else:
            found += ["finish a write that was interrupted"] if gpo.marked else []
            found += [] if gpo.interrupted else gpo.faults(gpo.document)
        return (*found, f"link it to {self._search.link}") if self._needs_link() else tuple(found)

    @property
    def warnings(self) -> Tuple[str, ...]:
        """What a person should know about the GPO. Known after :meth:`load`."""
        gpo = self._found.gpo
        if gpo is None:
            return ()
        off = f'The {gpo.half_in_words} settings of the GPO "{gpo.name}" are turned off: no client applies them.'
        unlinked = (
            f'The GPO "{gpo.name}" is linked to no domain, organizational unit or site: no client applies it. '
            "Link it, or name one in gpo.link."
        )
        return (*([off] if gpo.is_off else []), *([] if self._is_linked else [unlinked]))

    def load(self) -> bytes:
        """Reads the GPO.

        :raises InputError: if the container to link it to is not there, or holds no links
        :raises StateError: if the GPO is not there, its name not the only one, or its files missing or damaged
        """
        self._found = self._search.checked()
        gpo = self._found.gpo
        if gpo is not None and not self._search.link:
            self._is_linked = self._search.is_linked(gpo)
        self._base = gpo.document if gpo else b""
        return self._base

    def store(self, document: bytes) -> Mapping[str, object]:
        """Brings the GPO to the document, creates and links it as wanted. What is right already stays.

        :raises StateError: if a right is missing, the controller goes away, or other writers leave no turn
        """
        for _unused in range(_ATTEMPTS):
            try:
                self._bring(self._found.gpo or self._create(), document)
            except Conflict:
                self._found = self._search.read()
                continue
            self._found = self._search.read()
            return self.report()
        raise StateError(f"others changed the GPO {_ATTEMPTS} times while this run wrote", "run again")

    def report(self) -> Mapping[str, object]:
        gpo = self._found.gpo
        if gpo is None:
            return {"gpo": None}
        found: Dict[str, object] = {
            "name": gpo.name,
            "guid": gpo.guid,
            "dn": gpo.dn,
            "version": {"machine": gpo.version.machine, "user": gpo.version.user},
            "interrupted": gpo.interrupted,
        }
        return {"gpo": found}

    # Writing.

    def _bring(self, gpo: Gpo, document: bytes) -> None:
        if gpo.needs(document):
            self._write(gpo, document)
        for scope in gpo.marked:
            if scope is not gpo.scope:
                self._finish(gpo, scope)
        if self._search.link:
            self._make_link(gpo)

    def _finish(self, gpo: Gpo, scope: Scope) -> None:
        """Ends a write of the other half, which another run left."""
        other = GpoPlace(self._domain, Want(gpo.guid, scope), lambda document: document)
        other.store(other.load())

    def _create(self) -> Gpo:
        """Adds the object, marked: whatever comes between, the next run finds it and makes the rest."""
        if self._want.missing is not Missing.CREATE:
            raise StateError(f'there is no GPO "{self._want.name}" to write to', "ask to create it")
        # The same name gives the same GUID, so that of two runs at once one creates and the other finds.
        derived = uuid.uuid5(_NAMES, f"{self._domain.name}/{self._want.name}".lower())
        for guid in (derived, uuid.uuid4()):
            self._add(guid)
            self._found = self._search.read()
            if self._found.gpo is not None:
                return self._found.gpo
        raise StateError(f'the GPO "{self._want.name}" vanished while it was made', "run again")

    def _add(self, guid: uuid.UUID) -> None:
        cn = f"{{{guid}}}".upper()
        name = self._domain.name
        self._domain.add(
            f"CN={cn},CN=Policies,CN=System,{self._domain.base}",
            [
                ("objectClass", CLASS),
                ("displayName", self._want.name),
                ("gPCFileSysPath", f"\\\\{name}\\sysvol\\{name}\\Policies\\{cn}"),
                (FUNCTIONALITY, FUNCTIONALITY_VERSION),
                ("flags", "0"),
                ("versionNumber", "0"),
                (MARK_ATTRIBUTE, MARKS[self._want.scope]),
            ],
        )

    def _write(self, known: Gpo, document: bytes) -> None:
        if known.marked:
            self._domain.make_folder(known.folder)
        with self._domain.exclusive(known.folder, _TURN):
            gpo = self._search.read().gpo
            if gpo is None:
                raise StateError(f'the GPO "{known.name}" was removed while this run worked', "run again")
            if gpo.document != self._base:
                document = self._render(gpo.document)
            if gpo.needs(document):
                self._carry_out(gpo, document)

    def _carry_out(self, gpo: Gpo, document: bytes) -> None:
        if gpo.marked:
            self._complete(gpo)
        if not gpo.interrupted:
            self._domain.modify(gpo.dn, [(ModifyOperation.ADD, MARK_ATTRIBUTE, MARKS[gpo.scope])])
        if gpo.interrupted or document != gpo.document:
            self._write_pol(gpo, document)
        names = gpo.names_for(document)
        if names != gpo.extension_names:
            self._domain.modify(gpo.dn, replaced(ATTRIBUTES[gpo.scope], gpo.extension_names, names))
        ini_path = f"{gpo.folder}\\{gpt_ini.FILE}"
        version = gpo.next_version
        self._domain.write_file(ini_path, gpt_ini.with_version(gpo.ini, version))
        if gpo.ini is None or gpo.interrupted:
            self._domain.copy_acl(gpo.dn, ini_path)
        self._domain.remove_file(f"{gpo.half}\\{POL_COPY}")
        old = gpo.record.text("versionNumber")
        unmark = (ModifyOperation.DELETE, MARK_ATTRIBUTE, MARKS[gpo.scope])
        raised = replaced("versionNumber", old, str(version.signed))
        self._domain.modify(gpo.dn, [*raised, *self._functionality(gpo), unmark])

    @staticmethod
    def _functionality(gpo: Gpo) -> Sequence[Modification]:
        if gpo.functionality == FUNCTIONALITY_VERSION:
            return ()
        return replaced(FUNCTIONALITY, gpo.functionality, FUNCTIONALITY_VERSION)

    def _complete(self, gpo: Gpo) -> None:
        """Makes what a GPO consists of, as far as it is missing."""
        for name in FOLDERS.values():
            self._domain.add(f"CN={name},{gpo.dn}", [("objectClass", "container")])
        self._domain.copy_acl(gpo.dn, gpo.folder)
        for name in FOLDERS.values():
            folder = f"{gpo.folder}\\{name}"
            self._domain.make_folder(folder)
            self._domain.copy_acl(gpo.dn, folder)

    def _write_pol(self, gpo: Gpo, document: bytes) -> None:
        if not document and gpo.pol is None:
            return
        path = f"{gpo.half}\\{POL}"
        self._domain.make_folder(gpo.half)
        self._domain.write_file(f"{gpo.half}\\{POL_COPY}", document)
        self._domain.write_file(path, document)
        self._domain.copy_acl(gpo.dn, path)

    # The link.

    def _needs_link(self) -> bool:
        if not self._search.link:
            return False
        if self._found.gpo is None or self._found.container is None:
            return True
        links = self._found.container.text("gPLink")
        return with_link(links, self._found.gpo.dn) != links

    def _make_link(self, gpo: Gpo) -> None:
        container = self._search.read().container
        if container is None:
            raise StateError(f"{self._search.link} was removed while this run worked", "run again")
        links = container.text("gPLink")
        wanted = with_link(links, gpo.dn)
        if wanted != links:
            self._domain.modify(container.dn, replaced("gPLink", links, wanted))
