# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a GPO can be told without a domain. The rest is in tests/integration/samba."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.domain import Domain
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo import Gpo, Missing, Want
from ansible_collections.hardbound.identity.plugins.module_utils._hello.login import Login
from ansible_collections.hardbound.identity.plugins.module_utils._hello.record import DirectoryObject
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope


@pytest.mark.parametrize(
    "login, field",
    [
        ({}, "gpo.domain"),
        ({"domain": "corp.example", "username": "admin"}, "gpo.password"),
        ({"domain": "corp.example", "password": "vaulted"}, "gpo.username"),
    ],
)
def test_a_login_that_lacks_a_part(login, field):
    with pytest.raises(InputError) as caught:
        Login(**login)
    assert caught.value.field == field
    assert "vaulted" not in str(caught.value)


def test_a_password_is_never_shown():
    assert "vaulted" not in repr(Login(domain="corp.example", username="admin", password="vaulted"))


@pytest.mark.parametrize("want", [{"name": " "}, {"name": "{31B2F340}", "missing": Missing.CREATE}])
def test_a_name_that_no_gpo_can_have(want):
    with pytest.raises(InputError, match=r"gpo\.name is"):
        Want(**want)


def test_a_host_without_samba_hears_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "samba", None)
    monkeypatch.setitem(sys.modules, "samba.param", None)
    with pytest.raises(StateError, match="install the package python3-samba"):
        Domain(Login(domain="corp.example"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "C:\\Windows",
        "\\\\corp.example\\other\\corp.example\\Policies\\{X}",
        "\\\\corp.example\\sysvol\\corp.example\\..\\..\\x",
    ],
)
def test_a_folder_outside_of_sysvol_is_refused(path):
    record = DirectoryObject("CN={X},CN=Policies", {"gpcfilesyspath": [path.encode()]})
    with pytest.raises(StateError, match="no folder of SYSVOL"):
        _unused = Gpo(record, Scope.DEVICE).folder
