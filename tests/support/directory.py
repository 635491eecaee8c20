# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An LDAP server that knows people whom the host does not: OpenLDAP's."""

from __future__ import annotations

import base64
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.waiting import until

_SERVER, _ADD = "/usr/sbin/slapd", "/usr/sbin/slapadd"
_PORT = 3890
BASE = "dc=corp,dc=example"
URI = f"ldap://127.0.0.1:{_PORT}"
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 2.25.1.1 NAME 'windowsUser' AUXILIARY MAY userPrincipalName )
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{base}"
directory {folder}
"""
_ROOT = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: corp\no: Corp\n\n"
_PERSON = """\
dn: uid={name},{base}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: windowsUser
userPrincipalName: {name}@corp.example
cn: {name}
sn: {name}
uid: {name}
uidNumber: {number}
gidNumber: {number}
homeDirectory: {home}
loginShell: /bin/bash
userCertificate;binary:: {certificate}

"""


class Directory:
    """:param machine: in whose network it is"""

    def __init__(self, machine: CardMachine) -> None:
        for needed in (_SERVER, _ADD):
            if not pathlib.Path(needed).exists():
                pytest.skip(f"needs {needed}, as in Debian's slapd")
        self._machine = machine
        self._folder = machine.folder / "ldap"
        self._folder.mkdir()
        (self._folder / "slapd.conf").write_text(_CONFIG.format(folder=self._folder, base=BASE))
        self._entries = _ROOT
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def add(self, name: str, number: int, certificate: bytes) -> None:
        """:param certificate: theirs, DER"""
        text = base64.b64encode(certificate).decode()
        home = self._machine.folder / "home"
        self._entries += _PERSON.format(name=name, number=number, home=home, certificate=text, base=BASE)

    def start(self) -> None:
        told = ["-f", str(self._folder / "slapd.conf")]
        self._machine.run(_ADD, *told, stdin=self._entries)
        self._process = subprocess.Popen(self._machine._inside(_SERVER, *told, "-h", URI, "-d", "0"))
        until(lambda: f":{_PORT} " in self._machine.run("ss", "-tln"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
