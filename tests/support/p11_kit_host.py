# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose cards programs reach through p11-kit: a software TPM and the card service, and no pcscd."""

from __future__ import annotations

import os
import pathlib
import socket
import ssl
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN, CardMachine
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.waiting import until

CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
TEMPLATE = pathlib.Path(__file__).parents[2] / "roles/tpm_host/templates/hardbound.module.j2"
PROXY = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"

_NGINX = """\
daemon off; master_process off; pid FOLDER/nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path FOLDER/body;
  server {
    listen 127.0.0.1:44330 ssl;
    ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key;
    ssl_client_certificate FOLDER/known.pem; ssl_verify_client on;
    location / { return 200 "logged on as $ssl_client_s_dn\\n"; }
  }
}
"""


class Host:
    """A card machine, and programs that ask p11-kit for its cards."""

    def __init__(self, machine: CardMachine) -> None:
        self.machine = machine

    def make(self, name: str, **changes: t.Any) -> t.Any:
        """Makes a card that has this face alone; root's, if nobody else is named."""
        return self.machine.make(name, **{"faces": (Face.PKCS11,), **changes})

    def start(self, *options: str) -> None:
        self.machine.start_service(*options)
        until(self._answers)

    def register(self, ours: str = "/etc/pkcs11/modules", others: str = "/usr/share/p11-kit/modules") -> None:
        """Tells p11-kit of the service, as the role does; nothing else is registered.

        :param others: folder whose modules are hidden; empty for none
        """
        os.makedirs(ours, exist_ok=True)
        for each in filter(None, (ours, others)):
            self.machine.run("mount", "-t", "tmpfs", "tmpfs", each)
        self.machine.run("tee", f"{ours}/hardbound.module", stdin=self.module())

    def module(self) -> str:
        """Returns what tells p11-kit of the service, as the role lays it."""
        lines = TEMPLATE.read_text().replace("{{ __tpm_host_pkcs11_socket }}", str(self.machine.socket))
        assert "{{" not in lines.replace("{{ ansible_managed }}", "")
        return lines

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.machine.socket)) == 0

    def run(self, *command: str, ok: t.Optional[bool] = True, stdin: str = "", timeout: float = 60) -> str:
        """Runs a program of the host and returns what it prints."""
        address = f"P11_KIT_SERVER_ADDRESS=unix:path={self.machine.socket}"
        return self.machine.run("env", address, *command, ok=ok, stdin=stdin, timeout=timeout)

    def certify_server(self) -> None:
        """Makes a key and a certificate for a server: ``server.key`` and ``server.pem``."""
        folder, names = self.machine.folder, ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        new = ["-x509", "-newkey", "rsa:2048", "-nodes", *names]
        self.machine.run("openssl", "req", *new, "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.pem")

    def tls_server(self) -> str:
        """Returns the command of a server on port 44330 that asks for certificates, and tells who came."""
        self.certify_server()
        where = [f"-cert {self.machine.folder}/server.pem", f"-key {self.machine.folder}/server.key"]
        return " ".join(["openssl s_server -quiet -www -accept 44330 -Verify 1", *where])

    def web_server(self) -> str:
        """Returns the command of an nginx on port 44330 that lets in this host's cards, and tells whose came."""
        self.certify_server()
        folder, records = self.machine.folder, self.machine.store.records()
        known = [ssl.DER_cert_to_PEM_cert(each) for record in records for each in record.certificates.values()]
        (folder / "known.pem").write_text("".join(known))
        (folder / "nginx.conf").write_text(_NGINX.replace("FOLDER", str(folder)))
        return f"nginx -c {folder}/nginx.conf"

    def tool(self, *options: str, ok: t.Optional[bool] = True, pin: str = PIN) -> str:
        """Runs pkcs11-tool with p11-kit's client, logged in."""
        return self.run("pkcs11-tool", "--module", CLIENT, "--login", "--pin", pin, *options, ok=ok)


@pytest.fixture
def host(software_tpm: t.Any, short_path: pathlib.Path) -> t.Iterator[Host]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces")
    if not os.path.exists(CLIENT):
        pytest.skip(f"needs {CLIENT}, as in Debian's p11-kit-modules")
    needs("pkcs11-tool", "p11tool", "nsenter")
    machine = CardMachine(short_path, software_tpm)
    yield Host(machine)
    machine.stop()
