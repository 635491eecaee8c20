# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a domain controller in words: what helps against one does not help against another."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello import samba_error
from ansible_collections.hardbound.identity.plugins.module_utils._hello.samba_error import (
    Busy,
    Conflict,
    Denied,
    FileExists,
    LdapCode,
    NoSuchFile,
    NtStatus,
    ldap_error,
    smb_error,
)

UP = "check that the domain controller is up"


@pytest.mark.parametrize("code", [1, 51, 52, 80])
def test_a_controller_that_does_not_answer_may_be_down(code: int) -> None:
    assert UP in str(ldap_error("changing CN=x", code, "NT_STATUS_IO_TIMEOUT"))


@pytest.mark.parametrize("code", [65, 19, 53, 21, 999])
def test_a_controller_that_refuses_is_up(code: int) -> None:
    error = str(ldap_error("changing CN=x", code, "objectclass_attrs: attribute not allowed\nmore"))
    assert f"changing CN=x was refused by the directory, LDAP result {code}: objectclass_attrs" in error
    assert UP not in error
    assert "more" not in error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (LdapCode.NO_SUCH_ATTRIBUTE, Conflict, "somebody else made"),
        (LdapCode.ENTRY_ALREADY_EXISTS, Conflict, "somebody else made"),
        (LdapCode.INSUFFICIENT_ACCESS_RIGHTS, samba_error.StateError, "no right to it"),
        (LdapCode.INVALID_CREDENTIALS, samba_error.StateError, "check the name and the password"),
        (LdapCode.NO_SUCH_OBJECT, samba_error.StateError, "found no such object"),
    ],
)
def test_what_the_directory_says(code: LdapCode, kind: type[Exception], words: str) -> None:
    error = ldap_error("x", code, "text")
    assert error.__class__ is kind
    assert words in str(error)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (NtStatus.OBJECT_PATH_NOT_FOUND, NoSuchFile, "wait until SYSVOL is replicated"),
        (NtStatus.OBJECT_NAME_NOT_FOUND, NoSuchFile, "gpo.server"),
        (NtStatus.OBJECT_NAME_COLLISION, FileExists, "run again"),
        (NtStatus.SHARING_VIOLATION, Busy, "run again when"),
        (NtStatus.ACCESS_DENIED, Denied, "use an account"),
        (NtStatus.LOGON_FAILURE, samba_error.StateError, "refused the account"),
        (0xC00000B5, samba_error.StateError, UP),
    ],
)
def test_what_sysvol_says(status: int, kind: type[Exception], words: str) -> None:
    error = smb_error("x", status, "text")
    assert error.__class__ is kind
    assert words in str(error)
