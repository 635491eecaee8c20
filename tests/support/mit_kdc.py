# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KDC of MIT Kerberos that takes the certificates of people's cards."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from ansible_collections.hardbound.identity.tests.support.card_ca import REALM, CardCa
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.waiting import until

PROGRAMS = ("/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local")
PORT = 8890
CLIENT = f"""\
[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
[realms]
{REALM} = {{
  kdc = 127.0.0.1:{PORT}
}}
"""
"""krb5.conf(5) of a host that knows of no card."""
_KDC = """\
[kdcdefaults]
kdc_listen = {port}
kdc_tcp_listen = {port}
[logging]
kdc = STDERR
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  pkinit_identity = FILE:{chain},{key}
  pkinit_anchors = FILE:{anchors}
  pkinit_eku_checking = scLogin
  pkinit_allow_upn = true
}}
"""


class MitKdc:
    """:param machine: in whose network it is"""

    def __init__(self, machine: CardMachine, ca: CardCa, users: t.Sequence[str]) -> None:
        self.folder = ca.folder / "kdc"
        self.folder.mkdir(mode=0o700)
        self._machine = machine
        (self.folder / "krb5.conf").write_text(CLIENT)
        chain, key = ca.certify_kdc("kdc.corp.example")
        places = {"realm": REALM, "folder": self.folder, "port": PORT, "anchors": ca.certificates}
        (self.folder / "kdc.conf").write_text(_KDC.format(chain=chain, key=key, **places))
        self._environment = {
            "KRB5_CONFIG": f"{self.folder}/krb5.conf",
            "KRB5_KDC_PROFILE": f"{self.folder}/kdc.conf",
        }
        self._administer("/usr/sbin/kdb5_util", "create", "-s", "-P", "master")
        for user in users:
            self._administer("/usr/sbin/kadmin.local", "-q", f"addprinc -nokey +requires_preauth {user}")
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def _administer(self, *command: str) -> None:
        subprocess.run(command, env={**os.environ, **self._environment}, check=True, capture_output=True)

    def start(self) -> None:
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        with self.log.open("ab") as log:
            command = self._machine._inside("env", *variables, "/usr/sbin/krb5kdc", "-n")
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: f":{PORT} " in self._machine.run("ss", "-tln"), self.log.read_text)

    @property
    def log(self) -> pathlib.Path:
        return self.folder / "log"

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
