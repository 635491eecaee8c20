# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KDC of MIT Kerberos that takes the certificates of people's cards."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY
from ansible_collections.hardbound.identity.tests.support.server_certificate import REALM
from ansible_collections.hardbound.identity.tests.support.waiting import until

PROGRAMS = ("/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local")
PORT = 8890
_CLIENT = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
[realms]
{realm} = {{
  kdc = {kdc}
{more}}}
"""
_SERVER = """\
[kdcdefaults]
kdc_listen = {port}
kdc_tcp_listen = {port}
[logging]
kdc = STDERR
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
{more}}}
"""


def client_configuration(kdc: str, **more: t.Any) -> str:
    """Returns krb5.conf(5) of a host.

    :param kdc: where the realm's KDC is
    :param more: what the host knows of the realm; without it no card is known
    """
    return _CLIENT.format(realm=REALM, kdc=kdc, more=_lines(more))


def server_configuration(folder: pathlib.Path, port: int, **more: t.Any) -> str:
    """Returns kdc.conf(5) of a KDC whose database is in the folder."""
    return _SERVER.format(realm=REALM, folder=folder, port=port, more=_lines(more))


def _lines(more: t.Mapping[str, t.Any]) -> str:
    return "".join(f"  {name} = {value}\n" for name, value in more.items())


def environment(folder: pathlib.Path) -> t.Dict[str, str]:
    """Returns what tells Kerberos' programs that their configuration is in the folder."""
    return {"KRB5_CONFIG": f"{folder}/krb5.conf", "KRB5_KDC_PROFILE": f"{folder}/kdc.conf"}


def make_database(folder: pathlib.Path, users: t.Sequence[str]) -> None:
    """Makes the database of a KDC whose configuration is in the folder. Users have no key: a certificate has to do."""
    commands: t.List[t.Tuple[str, ...]] = [("/usr/sbin/kdb5_util", "create", "-s", "-P", "master")]
    commands += [("/usr/sbin/kadmin.local", "-q", f"addprinc -nokey +requires_preauth {user}") for user in users]
    for command in commands:
        subprocess.run(command, env={**os.environ, **environment(folder)}, check=True, capture_output=True)


CLIENT = client_configuration(f"127.0.0.1:{PORT}")
"""krb5.conf(5) of a host that knows of no card."""


class MitKdc:
    """:param machine: in whose network it is"""

    def __init__(self, machine: CardMachine, ca: CardCa, users: t.Sequence[str]) -> None:
        self.folder = ca.folder / "kdc"
        self.folder.mkdir(mode=0o700)
        self._machine, self._anchors = machine, ca.certificates
        chain, key = ca.certify_kdc("kdc.corp.example")
        (self.folder / "krb5.conf").write_text(CLIENT)
        server = server_configuration(
            self.folder,
            PORT,
            pkinit_identity=f"FILE:{chain},{key}",
            pkinit_anchors=f"FILE:{ca.certificates}",
            pkinit_eku_checking="scLogin",
            pkinit_allow_upn="true",
        )
        (self.folder / "kdc.conf").write_text(server)
        make_database(self.folder, users)
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def tell_machine(self, more: str = "") -> None:
        """Has the machine know the realm, and ask p11-kit for the cards that the KDC takes.

        :param more: for the machine's krb5.conf(5)
        """
        self._machine.run("tee", "/etc/anchors.pem", stdin=self._anchors.read_text())
        told = client_configuration(
            f"127.0.0.1:{PORT}",
            pkinit_identities=f"PKCS11:module_name={PROXY}",
            pkinit_anchors="FILE:/etc/anchors.pem",
            pkinit_cert_match="<EKU>msScLogin",
        )
        self._machine.run("tee", "/etc/krb5.conf", stdin=told + more)

    def start(self) -> None:
        variables = [f"{name}={value}" for name, value in environment(self.folder).items()]
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
