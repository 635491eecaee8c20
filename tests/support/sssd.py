# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSSD on a host with prompts: it asks the card service for the cards of whoever signs in, and for their PIN."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.prompt_host import PEOPLE, PromptHost
from ansible_collections.hardbound.identity.tests.support.waiting import until

_CONFIG = """[sssd]
services = nss, pam
domains = {domain}
certificate_verification = no_verification
[pam]
pam_cert_auth = True
p11_child_timeout = 30
[domain/{domain}]
"""
_PROVIDERS = "/usr/lib/x86_64-linux-gnu/sssd/libsss_{}.so"
_RELEASES = {"files": "Debian-12", "proxy": "Debian-13"}
"""What gives SSSD the host's own users, by the role's file that names it."""
_FOLDERS = ("/run", "/var/lib/sss", "/var/log/sssd", "/etc/sssd", "/etc/pkcs11/modules", "/usr/share/p11-kit/modules")
_MODULE = "module: p11-kit-client.so\nenable-in: p11_child\n"
_PATIENT = "[pam]\np11_child_timeout = 30\n"


def users() -> str:
    """Returns what the role tells this host's SSSD of the users whom the host knows itself."""
    found = [release for provider, release in _RELEASES.items() if Path(_PROVIDERS.format(provider)).exists()]
    if not found:
        pytest.skip("needs Debian 12's sssd-common, or Debian 13's sssd-proxy")
    variables = yaml.safe_load((COLLECTION / f"roles/smartcard_login/vars/{found[0]}.yml").read_text())
    return str(variables["__smartcard_login_local"])


def version(machine: CardMachine) -> t.Tuple[int, ...]:
    """Returns the version of a host's SSSD, such as (2, 10, 1)."""
    return tuple(int(each) for each in machine.run("sssd", "--version").strip().split("."))


class Sssd:
    """:param host: whose cards' certificates name their owner. It has an empty /run from now on
    :param domain: whose users these are, and what SSSD is told of it; without one, those that the host knows itself
    :param laid: all that SSSD is told, as the role lays it; without it, SSSD looks at no dates and no issuers
    """

    def __init__(self, host: PromptHost, domain: str = "local", told: str = "", laid: str = "") -> None:
        needs("sssd")
        told = told or users() + "".join(f"[certmap/local/{each}]\nmatchrule = <SUBJECT>{each}\n" for each in PEOPLE)
        self._host = host
        run = host.machine.run
        for folder in _FOLDERS:
            run("mkdir", "-p", folder)
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)
        for each in ("db", "mc", "pipes/private", "pubconf/krb5.include.d", "gpo_cache", "secrets", "keytabs"):
            run("mkdir", "-p", f"/var/lib/sss/{each}")
        if laid:
            run("mkdir", "/etc/sssd/conf.d")
            self._tell("conf.d/hardbound.conf", laid)
            self._tell("conf.d/later.conf", _PATIENT)
        else:
            self._tell("sssd.conf", _CONFIG.format(domain=domain) + told)
        run("tee", "/etc/pkcs11/modules/sign-in.module", stdin=_MODULE)
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def _tell(self, file: str, text: str) -> None:
        self._host.machine.run("sh", "-c", f"umask 077; cat > /etc/sssd/{file}", stdin=text)

    def start(self, somebody: str = "alice") -> None:
        """:param somebody: whom SSSD knows when it has started"""
        address = f"P11_KIT_SERVER_ADDRESS=unix:path={self._host.folder}/sign-in"
        command = self._host.machine._inside("env", address, "sssd", "--interactive", "--logger=files")
        self._process = subprocess.Popen(command)
        look = ("getent", "-s", "sss", "passwd", somebody)
        until(lambda: somebody in self._host.machine.run(*look, ok=None), self.log)

    def log(self) -> str:
        return self._host.machine.run("sh", "-c", "tail -n 30 /var/log/sssd/*", ok=None)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
