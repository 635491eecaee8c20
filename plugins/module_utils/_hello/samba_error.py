# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller answers where something fails, in words for a person."""

from __future__ import annotations

import enum

from .._errors import StateError


class LdapCode(enum.IntEnum):
    """Result codes that mean something here (RFC 4511, 4.1.9)."""

    OPERATIONS_ERROR = 1  # what Samba's client says of a connection that was lost, too
    NO_SUCH_ATTRIBUTE = 16
    ATTRIBUTE_OR_VALUE_EXISTS = 20
    NO_SUCH_OBJECT = 32
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS_RIGHTS = 50
    BUSY = 51
    UNAVAILABLE = 52
    ENTRY_ALREADY_EXISTS = 68
    OTHER = 80


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
_AWAY = (LdapCode.OPERATIONS_ERROR, LdapCode.BUSY, LdapCode.UNAVAILABLE, LdapCode.OTHER)
_BUSY = (NtStatus.SHARING_VIOLATION, NtStatus.DELETE_PENDING)


class Conflict(StateError):
    """Somebody else changed the directory between a read and a write. Read again, then try again."""


class NoSuchFile(StateError):
    """There is no such file or folder."""


class FileExists(StateError):
    """There is such a file or folder already."""


class Denied(StateError):
    """The account has no right to do that to a file."""


class Busy(StateError):
    """Another client has the file open."""


LOOK = "check that the domain controller is up and its name right, then run again"
_ANSWERED = "look what the domain controller's log says about it"
_REPLICATED = "wait until SYSVOL is replicated to this domain controller, or name another one with gpo.server"
_RIGHTS = "use an account that may edit this GPO (and, to create or link one, may do that)"


def ldap_error(doing: str, code: int, text: str) -> StateError:
    if code in (LdapCode.NO_SUCH_ATTRIBUTE, LdapCode.ATTRIBUTE_OR_VALUE_EXISTS, LdapCode.ENTRY_ALREADY_EXISTS):
        return Conflict(f"{doing} met a change that somebody else made", "run again")
    if code == LdapCode.INSUFFICIENT_ACCESS_RIGHTS:
        return StateError(f"{doing} was refused, the account has no right to it", _RIGHTS)
    if code == LdapCode.INVALID_CREDENTIALS:
        return StateError(f"{doing} refused the account", "check the name and the password, or the Kerberos ticket")
    if code == LdapCode.NO_SUCH_OBJECT:
        return StateError(f"{doing} found no such object", "check the name")
    if code in _AWAY:
        return StateError(f"{doing} failed: {_short(text)}", LOOK)
    return StateError(f"{doing} was refused by the directory, LDAP result {code}: {_short(text)}", _ANSWERED)


def smb_error(doing: str, status: int, text: str) -> StateError:
    if status in _ABSENT:
        return NoSuchFile(f"{doing} failed, there is no such file", _REPLICATED)
    if status == NtStatus.OBJECT_NAME_COLLISION:
        return FileExists(f"{doing} failed, it is there already", "run again")
    if status in _BUSY:
        return Busy(f"{doing} failed, another client has it open", "run again when that is done")
    if status in _DENIED:
        return Denied(f"{doing} was refused, the account has no right to it", _RIGHTS)
    if status == NtStatus.LOGON_FAILURE:
        return StateError(f"{doing} refused the account", "check the name and the password, or the Kerberos ticket")
    return StateError(f"{doing} failed: {_short(text)}", LOOK)


def _short(text: str) -> str:
    """The first line of what Samba says, without its final stop."""
    return text.strip().split("\n")[0].rstrip(". ")
