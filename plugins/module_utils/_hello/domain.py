# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Active Directory domain, through one domain controller: its directory (LDAP) and SYSVOL (SMB).

The only file that imports Samba's Python modules, and only when a connection is made. Directory and
files are those of the same controller, since changes reach the others at different times; without a
``server`` it is the PDC emulator, where the Group Policy editor works too.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple, TypeVar

from .._errors import InputError, StateError
from .login import Login, environment, ticket
from .record import DirectoryObject, Modification, ModifyOperation, record_of
from .samba_error import LOOK, Busy, Conflict, Denied, FileExists, NoSuchFile, ldap_error, smb_error

Result = TypeVar("Result")

CHUNK = 1 << 20  # bytes of one SMB write; servers take up to 8 MiB
PATIENCE = 20.0  # seconds to wait for a file that another client holds open
_PAUSE = 0.1  # seconds between two attempts

_READ = 0x00000001  # [MS-SMB2] 2.2.13.1, FILE_READ_DATA, as the next one
_WRITE = 0x00000002  # of a folder: to add files
_SHARE_NOTHING = 0  # [MS-SMB2] 2.2.13, ShareAccess, as the next one
_SHARE_READ = 1
_OPEN = 1  # [MS-SMB2] 2.2.13, CreateDisposition, as the next one
_OVERWRITE_IF = 5
_FOLDER = 0x00000001  # [MS-SMB2] 2.2.13, CreateOptions


class Domain:
    """A connection. Errors of Samba come out as :class:`StateError`, in words."""

    def __init__(self, login: Login) -> None:
        """Connects.

        :raises StateError: if python3-samba is missing, the controller is away, or refuses the account
        """
        self._samba = _samba()
        self._parameters = self._samba.LoadParm(filename_for_non_global_lp=os.devnull)
        if login.domain:
            self._parameters.set("realm", login.domain.upper())
        self._ticket = "" if login.username else ticket(login)
        self._credentials = self._as(login)
        self.server = login.server or self._pdc(login.domain)
        self._directory = self._speaking(
            f"the directory of {self.server}",
            lambda: self._samba.SamDB(
                url=f"ldap://{self.server}", credentials=self._credentials, lp=self._parameters, session_info=None
            ),
        )
        self.base = str(self._directory.domain_dn())
        self.sites = f"CN=Sites,{self._directory.get_config_basedn()}"
        self.name = str(self._directory.domain_dns_name())
        self._files = self._speaking(f"SYSVOL of {self.server}", self._open_sysvol)

    # The directory.

    def search(self, expression: str, attributes: Sequence[str], base: str = "") -> List[DirectoryObject]:
        """Searches a whole subtree, by default that of the domain."""
        found = self._speaking(
            "the search in the directory",
            lambda: self._directory.search(
                base=base or self.base,
                scope=self._samba.ldb.SCOPE_SUBTREE,
                expression=expression,
                attrs=[*attributes, "objectClass"],
            ),
        )
        return [record_of(message) for message in found]

    def add(self, dn: str, attributes: Sequence[Tuple[str, str]]) -> bool:
        """Adds an object. Returns False where there is one of that name already."""
        try:
            self._speaking(f"adding {dn}", lambda: self._directory.add({"dn": dn, **dict(attributes)}))
        except Conflict:
            return False
        return True

    def modify(self, dn: str, changes: Sequence[Modification]) -> None:
        """Carries out all changes or none.

        :raises Conflict: if a value to be deleted is not there any more, or one to be added is there already
        """
        ldb = self._samba.ldb
        message = ldb.Message(self._dn(dn))
        for number, (change, attribute, value) in enumerate(changes):
            flag = ldb.FLAG_MOD_ADD if change is ModifyOperation.ADD else ldb.FLAG_MOD_DELETE
            message[f"{number}"] = ldb.MessageElement(value, flag, attribute)
        self._speaking(f"changing {dn}", lambda: self._directory.modify(message))

    def checked_dn(self, field_name: str, dn: str) -> str:
        """Returns a DN that a user wrote, in the directory's spelling. Raises InputError for what is none."""
        try:
            found = self._dn(dn)
        except ValueError:
            found = None
        if found is None or not dn:
            raise InputError(
                field_name, f"is {dn!r}, no distinguished name", "write it like OU=Name,DC=corp,DC=example"
            )
        return str(found)

    def quoted(self, value: str) -> str:
        """A value as it stands in a search expression (RFC 4515)."""
        return str(self._samba.ldb.binary_encode(value))

    # SYSVOL; a path starts below the share, with backslashes.

    def read_file(self, path: str) -> Optional[bytes]:
        """Returns a file as a whole, None where there is none."""
        try:
            return bytes(self._patiently(f"reading {path}", lambda: self._files.loadfile(path)))
        except NoSuchFile:
            return None

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        return bool(self._patiently(f"looking for {path}", lambda: self._files.chkpath(path)))

    def write_file(self, path: str, data: bytes) -> None:
        """Replaces a file. Nobody can read it half written: it is open to no one else meanwhile."""
        self._patiently(f"writing {path}", lambda: self._write(path, data))

    def remove_file(self, path: str) -> None:
        """Removes a file if it is there."""
        with contextlib.suppress(NoSuchFile):
            self._patiently(f"removing {path}", lambda: self._files.unlink(path))

    def make_folder(self, path: str) -> None:
        """Makes a folder if it is not there."""
        with contextlib.suppress(FileExists):
            self._speaking(f"making {path}", lambda: self._files.mkdir(path))

    def copy_acl(self, dn: str, path: str) -> None:
        """Gives a file or folder the access rights of a policy's object, translated for files."""
        security = self._samba.security
        parts = security.SECINFO_OWNER | security.SECINFO_GROUP | security.SECINFO_DACL
        (message,) = self._speaking(
            f"reading the rights of {dn}",
            lambda: self._directory.search(
                base=dn,
                scope=self._samba.ldb.SCOPE_BASE,
                attrs=["nTSecurityDescriptor"],
                controls=[f"sd_flags:1:{parts}"],
            ),
        )
        sid = security.dom_sid(self._directory.get_domain_sid())
        rights = self._samba.ndr_unpack(security.descriptor, message["nTSecurityDescriptor"][0]).as_sddl(sid)
        for_files = security.descriptor.from_sddl(self._samba.dsacl2fsacl(rights, sid), sid)
        doing, protected = f"setting the rights of {path}", security.SECINFO_PROTECTED_DACL
        try:
            self._patiently(doing, lambda: self._files.set_acl(path, for_files, parts | protected))
        except Denied:  # only administrators may give a file to another owner
            rights_alone = security.SECINFO_DACL | protected
            self._patiently(doing, lambda: self._files.set_acl(path, for_files, rights_alone))

    @contextlib.contextmanager
    def exclusive(self, folder: str, patience: float) -> Iterator[None]:
        """Holds a lock among those that lock the same folder. The server drops it with the connection.

        Nothing is written for it. Whoever reads or changes files in the folder does not notice.

        :raises StateError: if another one holds it for longer than ``patience`` (seconds)
        """
        handle = self._patiently(f"locking {folder}", lambda: self._lock(folder), patience)
        try:
            yield
        finally:
            with contextlib.suppress(self._samba.NTSTATUSError):
                self._files.close(handle)

    # How either is asked.

    def _dn(self, dn: str) -> Any:
        return self._samba.ldb.Dn(self._directory, dn)

    def _lock(self, folder: str) -> int:
        """Opens a folder to write, and shares it with readers only: a second one is refused."""
        return int(
            self._files.create(
                folder,
                DesiredAccess=_WRITE,
                ShareAccess=_SHARE_READ,
                CreateDisposition=_OPEN,
                CreateOptions=_FOLDER,
            )
        )

    def _write(self, path: str, data: bytes) -> None:
        handle = self._files.create(
            path, DesiredAccess=_READ | _WRITE, ShareAccess=_SHARE_NOTHING, CreateDisposition=_OVERWRITE_IF
        )
        try:
            at = 0
            while at < len(data):
                at += int(self._files.write(handle, data[at : at + CHUNK], at))
        finally:
            self._files.close(handle)

    def _as(self, login: Login) -> Any:
        samba = self._samba.credentials
        made = samba.Credentials()
        made.guess(self._parameters)
        if login.username:
            if "\\" in login.username:
                nt_domain, _unused, name = login.username.partition("\\")
                made.set_domain(nt_domain)
                made.set_username(name)
            elif "@" in login.username or not login.domain:
                made.set_principal(login.username)
            else:
                made.set_principal(f"{login.username}@{login.domain.upper()}")
            made.set_password(login.password)
        else:
            made.set_kerberos_state(samba.MUST_USE_KERBEROS)
            self._speaking(
                f"the Kerberos ticket in {self._ticket}",
                lambda: made.set_named_ccache(self._ticket, samba.SPECIFIED, self._parameters),
            )
        made.set_smb_signing(samba.SMB_SIGNING_REQUIRED)
        return made

    def _pdc(self, domain: str) -> str:
        nbt = self._samba.nbt
        wanted = nbt.NBT_SERVER_LDAP | nbt.NBT_SERVER_DS | nbt.NBT_SERVER_WRITABLE | nbt.NBT_SERVER_PDC
        net = self._samba.Net(creds=self._credentials, lp=self._parameters)
        found = self._speaking(
            f"looking for the domain controller of {domain}", lambda: net.finddc(domain=domain, flags=wanted)
        )
        return str(found.pdc_dns_name)

    def _open_sysvol(self) -> Any:
        parameters = self._samba.s3param.get_context()
        parameters.load(os.devnull)
        # Samba's SMB client takes the ticket of the environment, whatever its credentials say.
        with environment("KRB5CCNAME", self._ticket):
            return self._samba.libsmb.Conn(self.server, "sysvol", lp=parameters, creds=self._credentials)

    def _patiently(self, doing: str, act: Callable[[], Result], patience: float = PATIENCE) -> Result:
        """Tries again while another client has the file open."""
        until = time.monotonic() + patience
        while True:
            try:
                return self._speaking(doing, act)
            except Busy:
                if time.monotonic() >= until:
                    raise
            time.sleep(_PAUSE)

    def _speaking(self, doing: str, act: Callable[[], Result]) -> Result:
        """Turns Samba's errors into ours."""
        try:
            return act()
        except self._samba.ldb.LdbError as error:
            raise ldap_error(doing, int(error.args[0]), str(error.args[1])) from error
        except self._samba.NTSTATUSError as error:
            raise smb_error(doing, int(error.args[0]) & 0xFFFFFFFF, str(error.args[1])) from error
        except RuntimeError as error:
            raise StateError(f"{doing} failed: {error}", LOOK) from error


def _samba() -> SimpleNamespace:
    """Imports what is needed of Samba, at once, so that a host without it hears so first."""
    try:
        return SimpleNamespace(
            ldb=importlib.import_module("ldb"),
            LoadParm=importlib.import_module("samba.param").LoadParm,
            SamDB=importlib.import_module("samba.samdb").SamDB,
            Net=importlib.import_module("samba.net").Net,
            NTSTATUSError=importlib.import_module("samba").NTSTATUSError,
            credentials=importlib.import_module("samba.credentials"),
            nbt=importlib.import_module("samba.dcerpc.nbt"),
            security=importlib.import_module("samba.dcerpc.security"),
            ndr_unpack=importlib.import_module("samba.ndr").ndr_unpack,
            dsacl2fsacl=importlib.import_module("samba.ntacls").dsacl2fsacl,
            libsmb=importlib.import_module("samba.samba3.libsmb_samba_internal"),
            s3param=importlib.import_module("samba.samba3.param"),
        )
    except ImportError as error:
        raise StateError(
            f"Samba's Python modules can't be imported ({error})",
            "install the package python3-samba on the host that runs this task, and run it with the Python of that"
            " system (ansible_python_interpreter: /usr/bin/python3)",
        ) from error
