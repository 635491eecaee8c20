# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Group Policy object (GPO) in a domain, reads it, and tells where it is linked. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Optional

from .._errors import InputError, StateError
from . import gpt_ini
from .domain import Domain
from .gp_link import has_link
from .gpo import ASKED, CLASS, POL, POL_COPY, Gpo, Missing, Want, guid_of, is_gpo, is_whole
from .record import DirectoryObject

_LINKED = ("domainDNS", "organizationalUnit", "site")  # [MS-GPOL] 2.2.2: what GPOs are linked to


@dataclass(frozen=True)
class FoundGpo:
    """The GPO, and the object to link it to; each None where there is none."""

    gpo: Optional[Gpo] = None
    container: Optional[DirectoryObject] = None


class GpoSearch:
    """Reads one GPO as often as it takes."""

    def __init__(self, domain: Domain, want: Want) -> None:
        """Raises InputError for a link to what is no distinguished name."""
        self._domain = domain
        self._want = want
        self.link = domain.checked_dn("gpo.link", want.link) if want.link else ""

    def checked(self) -> FoundGpo:
        """Reads as :meth:`read`, and refuses what a write could not be done with.

        :raises InputError: if the container to link it to is not there, or holds no links
        :raises StateError: if the GPO is not there, or its folder is not
        """
        found = self.read()
        if self.link:
            self._check_container(found.container)
        if found.gpo is None and self._want.missing is Missing.REFUSE:
            raise StateError(
                f'there is no GPO "{self._want.name}" in {self._domain.name}', "check its name, or ask to create it"
            )
        if found.gpo is not None:
            self._check_folder(found.gpo)
        return found

    def read(self) -> FoundGpo:
        """One search, and two files if there is a GPO.

        :raises StateError: if its name is not the only one, or its Registry.pol damaged
        """
        records = self._search()
        gpos = [record for record in records if is_gpo(record)]
        containers = [record for record in records if not is_gpo(record)]
        if len(gpos) > 1:
            guids = ", ".join(map(guid_of, gpos))
            raise StateError(
                f'{len(gpos)} GPOs have the name "{self._want.name}"', f"give the GUID of one, with braces: {guids}"
            )
        gpo = self._with_files(gpos[0]) if gpos else None
        return FoundGpo(gpo, containers[0] if containers else None)

    def is_linked(self, gpo: Gpo) -> bool:
        """Whether a domain, organizational unit or site links the GPO, with its link turned on."""
        kinds = "".join(f"(objectClass={each})" for each in _LINKED)
        linking = f"(&(|{kinds})(gPLink=*{self._domain.quoted(gpo.guid)}*))"
        return any(
            has_link(record.text("gPLink"), gpo.dn)
            for base in (self._domain.base, self._domain.sites)
            for record in self._domain.search(linking, ["gPLink"], base=base)
        )

    def _search(self) -> List[DirectoryObject]:
        quoted = self._domain.quoted
        by = "cn" if self._want.is_guid else "displayName"
        gpo = f"(&(objectClass={CLASS})({by}={quoted(self._want.name)}))"
        if not self.link:
            return self._domain.search(gpo, ASKED)
        container = f"(distinguishedName={quoted(self.link)})"
        if self.link.upper().endswith(self._domain.base.upper()) and "CN=SITES," not in self.link.upper():
            return self._domain.search(f"(|{gpo}{container})", ASKED)
        # A site stands in the configuration partition, which a search of the domain does not enter.
        return self._domain.search(gpo, ASKED) + self._domain.search(container, ASKED, base=self.link)

    def _with_files(self, record: DirectoryObject) -> Gpo:
        gpo = Gpo(record, self._want.scope)
        ini = self._domain.read_file(f"{gpo.folder}\\{gpt_ini.FILE}")
        pol = self._domain.read_file(f"{gpo.half}\\{POL}")
        if gpo.interrupted and not is_whole(pol):
            pol = self._rescued(gpo, pol)
        if pol == b"":  # elsewhere no bytes stand for no file
            raise StateError(
                f"{POL} of the GPO is damaged, the file ends at offset 0",
                "restore it from a backup; it was left as it is",
            )
        return replace(gpo, pol=pol, ini=ini)

    def _rescued(self, gpo: Gpo, pol: Optional[bytes]) -> Optional[bytes]:
        """What an interrupted run was about to write, if it got as far as to overwrite the file."""
        copy = self._domain.read_file(f"{gpo.half}\\{POL_COPY}")
        return copy if copy is not None and is_whole(copy) else pol

    def _check_container(self, container: Optional[DirectoryObject]) -> None:
        remedy = "give the DN of a domain, OU or site"
        if container is None:
            raise InputError("gpo.link", f"is {self.link}, which does not exist", remedy)
        kinds = {name.lower() for name in container.texts("objectClass")}
        if not kinds & {name.lower() for name in _LINKED}:
            raise InputError("gpo.link", f"is {self.link}, to which no GPO can be linked", remedy)

    def _check_folder(self, gpo: Gpo) -> None:
        """A folder is missing where a run of ours was killed, which is known; else it has not arrived, or is lost."""
        if gpo.marked or gpo.ini is not None or gpo.pol is not None or self._domain.has_folder(gpo.folder):
            return
        raise StateError(
            f"the folder {gpo.folder} of the GPO is not in SYSVOL of {self._domain.server}",
            "wait until it is replicated, name another domain controller with gpo.server, or restore the folder",
        )
