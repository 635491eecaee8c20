# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Active Directory domain, through one domain controller: its directory (LDAP) and SYSVOL (SMB).

The only file that imports Samba's Python modules, and only when a connection is made. Directory and
files are those of the same controller, since changes reach the others at different times; without a
``server`` it is the PDC emulator, where the Group Policy editor works too.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar

from .._errors import InputError, StateError

Result = TypeVar("Result")
Attributes = Mapping[str, Sequence[bytes]]

CHUNK = 1 << 20  # bytes of one SMB write; servers take up to 8 MiB
PATIENCE = 20.0  # seconds to wait for a file that another client holds open
_PAUSE = 0.1  # seconds between two attempts


class LdapCode(enum.IntEnum):
    """Result codes that mean something here (RFC 4511, 4.1.9)."""

    NO_SUCH_ATTRIBUTE = 16
    ATTRIBUTE_OR_VALUE_EXISTS = 20
    NO_SUCH_OBJECT = 32
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS_RIGHTS = 50
    ENTRY_ALREADY_EXISTS = 68


class NtStatus(enum.IntEnum):
    """Status codes that mean something here ([MS-ERREF] 2.3.1)."""

    ACCESS_DENIED = 0xC0000022
    OBJECT_NAME_NOT_FOUND = 0xC0000034
    OBJECT_NAME_COLLISION = 0xC0000035
    OBJECT_PATH_NOT_FOUND = 0xC000003A
    SHARING_VIOLATION = 0xC0000043
    DELETE_PENDING = 0xC0000056
    INVALID_OWNER = 0xC000005A
    PRIVILEGE_NOT_HELD = 0xC0000061
    LOGON_FAILURE = 0xC000006D


_ABSENT = (NtStatus.OBJECT_NAME_NOT_FOUND, NtStatus.OBJECT_PATH_NOT_FOUND)
_DENIED = (NtStatus.ACCESS_DENIED, NtStatus.INVALID_OWNER, NtStatus.PRIVILEGE_NOT_HELD)
_BUSY = (NtStatus.SHARING_VIOLATION, NtStatus.DELETE_PENDING)

_READ = 0x00000001  # [MS-SMB2] 2.2.13.1, FILE_READ_DATA, as the next one
_WRITE = 0x00000002  # of a folder: to add files
_SHARE_NOTHING = 0  # [MS-SMB2] 2.2.13, ShareAccess, as the next one
_SHARE_READ = 1
_OPEN = 1  # [MS-SMB2] 2.2.13, CreateDisposition, as the next one
_OVERWRITE_IF = 5
_FOLDER = 0x00000001  # [MS-SMB2] 2.2.13, CreateOptions


class Conflict(StateError):
    """Somebody else changed the directory between a read and a write. Read again, then try again."""


@dataclass(frozen=True)
class Login:
    """Where to, and as whom.

    :param domain: DNS name of the domain; may be empty where ``server`` is given
    :param server: name of a domain controller; empty for the PDC emulator
    :param username: ``name``, ``name@REALM`` or ``DOMAIN\\name``; empty to use a Kerberos ticket
    :param ccache: Kerberos credential cache; empty for the one of the environment
    """

    domain: str = ""
    server: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ccache: str = ""

    def __post_init__(self) -> None:
        if not self.domain and not self.server:
            raise InputError("gpo.domain", "is missing", "give the domain's DNS name, or gpo.server")
        if self.username and not self.password:
            raise InputError(
                "gpo.password", "is missing", "give it with gpo.username, or neither for a Kerberos ticket"
            )
        if self.password and not self.username:
            raise InputError("gpo.username", "is missing", "give it with gpo.password")


@dataclass(frozen=True)
class Record:
    """An object of the directory, with the attributes that were asked for. Names are in lower case."""

    dn: str
    attributes: Attributes

    def texts(self, name: str) -> Tuple[str, ...]:
        return tuple(each.decode("utf-8") for each in self.attributes.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """The only value as text, empty where there is none."""
        return "".join(self.texts(name)[:1])


class Change(enum.Enum):
    """What a modification does with a value ([RFC 4511] 4.6)."""

    ADD = "add"
    DELETE = "delete"


Modification = Tuple[Change, str, str]


def replaced(attribute: str, old: str, new: str) -> Sequence[Modification]:
    """Compare and swap: the directory refuses the whole modification unless the old value still stands."""
    gone = [(Change.DELETE, attribute, old)] if old else []
    return [*gone, (Change.ADD, attribute, new)]


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
        self._ticket = "" if login.username else _ticket(login)
        self._credentials = self._as(login)
        self.server = login.server or self._pdc(login.domain)
        self._directory = self._speaking(
            f"the directory of {self.server}",
            lambda: self._samba.SamDB(
                url=f"ldap://{self.server}", credentials=self._credentials, lp=self._parameters, session_info=None
            ),
        )
        self.base = str(self._directory.domain_dn())
        self.name = str(self._directory.domain_dns_name())
        self._files = self._speaking(f"SYSVOL of {self.server}", self._open_sysvol)

    # -- the directory

    def search(self, expression: str, attributes: Sequence[str], base: str = "") -> List[Record]:
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
        return [_record(message) for message in found]

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
            flag = ldb.FLAG_MOD_ADD if change is Change.ADD else ldb.FLAG_MOD_DELETE
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

    # -- SYSVOL; a path starts below the share, with backslashes

    def read_file(self, path: str) -> Optional[bytes]:
        """Returns a file as a whole, None where there is none."""
        try:
            return bytes(self._patiently(f"reading {path}", lambda: self._files.loadfile(path)))
        except _Absent:
            return None

    def write_file(self, path: str, data: bytes) -> None:
        """Replaces a file. Nobody can read it half written: it is open to no one else meanwhile."""
        self._patiently(f"writing {path}", lambda: self._write(path, data))

    def remove_file(self, path: str) -> None:
        """Removes a file if it is there."""
        with contextlib.suppress(_Absent):
            self._patiently(f"removing {path}", lambda: self._files.unlink(path))

    def make_folder(self, path: str) -> None:
        """Makes a folder if it is not there."""
        with contextlib.suppress(_Present):
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
        except _Denied:  # only administrators may give a file to another owner
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

    # -- how

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
        with _environment("KRB5CCNAME", self._ticket):
            return self._samba.libsmb.Conn(self.server, "sysvol", lp=parameters, creds=self._credentials)

    def _patiently(self, doing: str, act: Callable[[], Result], patience: float = PATIENCE) -> Result:
        """Tries again while another client has the file open."""
        until = time.monotonic() + patience
        while True:
            try:
                return self._speaking(doing, act)
            except _Busy:
                if time.monotonic() >= until:
                    raise
            time.sleep(_PAUSE)

    def _speaking(self, doing: str, act: Callable[[], Result]) -> Result:
        """Turns Samba's errors into ours."""
        try:
            return act()
        except self._samba.ldb.LdbError as error:
            raise _ldap_error(doing, int(error.args[0]), str(error.args[1])) from error
        except self._samba.NTSTATUSError as error:
            raise _smb_error(doing, int(error.args[0]) & 0xFFFFFFFF, str(error.args[1])) from error
        except RuntimeError as error:
            raise StateError(f"{doing} failed: {error}", _LOOK) from error


class _Absent(StateError):
    """There is no such file or folder."""


class _Present(StateError):
    """There is such a file or folder already."""


class _Denied(StateError):
    """The account has no right to do that to a file."""


class _Busy(StateError):
    """Another client has the file open."""


_LOOK = "check that the domain controller is up and its name right, then run again"
_RIGHTS = "use an account that may edit this GPO (and, to create or link one, may do that)"


def _ldap_error(doing: str, code: int, text: str) -> StateError:
    if code in (LdapCode.NO_SUCH_ATTRIBUTE, LdapCode.ATTRIBUTE_OR_VALUE_EXISTS, LdapCode.ENTRY_ALREADY_EXISTS):
        return Conflict(f"{doing} met a change that somebody else made", "run again")
    if code == LdapCode.INSUFFICIENT_ACCESS_RIGHTS:
        return StateError(f"{doing} was refused, the account has no right to it", _RIGHTS)
    if code == LdapCode.INVALID_CREDENTIALS:
        return StateError(f"{doing} refused the account", "check the name and the password, or the Kerberos ticket")
    if code == LdapCode.NO_SUCH_OBJECT:
        return StateError(f"{doing} found no such object", "check the name")
    return StateError(f"{doing} failed: {_short(text)}", _LOOK)


def _smb_error(doing: str, status: int, text: str) -> StateError:
    if status in _ABSENT:
        return _Absent(f"{doing} failed, there is no such file", _LOOK)
    if status == NtStatus.OBJECT_NAME_COLLISION:
        return _Present(f"{doing} failed, it is there already", "run again")
    if status in _BUSY:
        return _Busy(f"{doing} failed, another client has it open", "run again when that is done")
    if status in _DENIED:
        return _Denied(f"{doing} was refused, the account has no right to it", _RIGHTS)
    if status == NtStatus.LOGON_FAILURE:
        return StateError(f"{doing} refused the account", "check the name and the password, or the Kerberos ticket")
    return StateError(f"{doing} failed: {_short(text)}", _LOOK)


def _short(text: str) -> str:
    """The first line of what Samba says, without its final stop."""
    return text.strip().split("\n")[0].rstrip(". ")


def _ticket(login: Login) -> str:
    """The Kerberos credential cache to use. Raises StateError where it is a file and not there."""
    cache = login.ccache or os.environ.get("KRB5CCNAME") or f"FILE:/tmp/krb5cc_{os.getuid()}"
    kind, _unused, path = cache.rpartition(":")
    if kind in ("", "FILE") and not os.path.exists(path):
        raise StateError(f"there is no Kerberos ticket in {cache}", "get one with kinit, or give gpo.username")
    return cache


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Sets a variable for a while, if there is a value for it."""
    before = os.environ.get(name)
    if value:
        os.environ[name] = value
    try:
        yield
    finally:
        if value and before is None:
            del os.environ[name]
        elif value and before is not None:
            os.environ[name] = before


def _record(message: Any) -> Record:
    names = [name for name in message if name != "dn"]
    return Record(str(message.dn), {name.lower(): [bytes(value) for value in message[name]] for name in names})


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
