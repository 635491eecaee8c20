# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the role smartcard_login can lay for the sign-in is laid at once, and goes without a trace."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.prompt_host import lay_profile, write_profile
from ansible_collections.hardbound.identity.tests.support.sign_in_host import PAM, SignInHost, contents

_SURVEY = {"files": ["sssd.conf"], "socket": True, "sign_in": {"second_factors": ["trusted_signal", "fingerprint"]}}


def wanted(desk: SignInHost, ca: Path) -> t.Dict[str, t.Any]:
    """Returns all options that lay something at the sign-in, and where it lies that is not in /etc."""
    return {
        "smartcard_login_ca": [str(ca)],
        "smartcard_login_users": [{"name": "alice", "upn": "alice@corp.example"}],
        "smartcard_login_crl_urls": ["http://pki.corp.example/issuing.crl"],
        "smartcard_login_kerberos": True,
        "smartcard_login_kerberos_ticket": True,
        "smartcard_login_lock_without_card": True,
        "__smartcard_login_survey": {"stdout": json.dumps(_SURVEY)},
        "__smartcard_login_sssd_mode": "0600",
        "__smartcard_login_local": "id_provider = files",
        "__smartcard_login_lib": str(desk.folder / "lib/hardbound-login"),
        "__smartcard_login_installed": str(desk.folder / "lib/packages/list"),
    }


def seen(desk: SignInHost) -> t.List[str]:
    return [contents(each, desk) for each in ("/etc", *PAM)]


def test_all_options_come_and_go_byte_for_byte(host: Host, tmp_path: Path) -> None:
    needs("pam-auth-update")
    desk = SignInHost(host)
    host.machine.cover(*PAM)
    ca = tmp_path / "ca.pem"
    ca.write_text("-----BEGIN CERTIFICATE-----\n")
    options = wanted(desk, ca)
    before = seen(desk)
    desk.play("lay", **options)
    profile = write_profile(tmp_path, **options)
    lay_profile(host.machine, profile)
    laid = {each.name for each in (desk.folder / "lib/hardbound-login").iterdir()}
    assert laid == {"change_due_pin.py", "fetch_crls.py", "get_ticket.py", "signals.py"}
    common = (desk.etc / "pam.d/common-auth").read_text()
    assert all(each in common for each in ("get_ticket.py", "signals.py", "pam_fprintd", "change_due_pin.py"))
    assert "gdm-fingerprint" in (desk.etc / "pam.d/common-account").read_text()
    desk.play("absent", **options, smartcard_login_state="absent")
    assert seen(desk) == before and not (desk.folder / "lib/hardbound-login").exists()
    assert "changed=0" in desk.play("absent", **options, smartcard_login_state="absent")
