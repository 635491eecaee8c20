# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real services that let a card log on: nginx, sshd and a KDC, each with its real client beside the card."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import typing as t

from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.tests.support import mit_kdc
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.fleet import PASSPHRASE, Fleet
from ansible_collections.hardbound.identity.tests.support.server_certificate import (
    KDC_PURPOSE,
    REALM,
    certify_server,
    kdc_name,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"


class Service:
    """A server in the namespaces of a host with a card, which reads the CA's lists anew when it is started.

    :param machine: the host
    :param fleet: whose CA the server trusts
    """

    port: int
    programs: t.Sequence[str] = ()

    def __init__(self, machine: CardMachine, fleet: Fleet, certificate: pathlib.Path) -> None:
        self.machine, self.fleet, self.certificate = machine, fleet, certificate
        self.folder = fleet.folder / type(self).__name__.lower()
        self.folder.mkdir(mode=0o755)
        self._server: t.Optional[subprocess.Popen[bytes]] = None
        self.prepare()

    def prepare(self) -> None:
        """Writes what the server needs once."""

    def command(self) -> t.List[str]:
        """Returns the server's command, in the foreground, after writing what may have changed."""
        raise NotImplementedError

    def logon(self, pin: t.Optional[str]) -> str:
        """Returns what the client prints; :attr:`welcome` is in it if it was let in."""
        raise NotImplementedError

    welcome = "logged on"

    def start(self) -> None:
        self.stop()
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                self.machine._inside(*self.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._answers, (self.folder / "log").read_text)

    def _answers(self) -> bool:
        assert self._server is not None and self._server.poll() is None, (self.folder / "log").read_text()
        return f":{self.port} " in self.machine.run("ss", "-tln")

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    def client(self, *command: str, stdin: str = "") -> str:
        """Runs a client without a terminal, so that it can ask nobody."""
        done = subprocess.run(
            self.machine._inside("timeout", "30", *command),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        return done.stdout + done.stderr

    def certify(self, name: str, key: t.Any, *extensions: x509.ExtensionType) -> t.Tuple[pathlib.Path, pathlib.Path]:
        """Returns files with a certificate of the CA for the server, and its key."""
        signer = authority.Authority(authority.CaFolder(self.fleet.ca), PASSPHRASE).issuing()
        return certify_server(self.folder, name, signer, key, *extensions)

    def lists(self) -> pathlib.Path:
        """Returns a file with the CA's revocation lists as they are now, in PEM."""
        found = [x509.load_der_x509_crl(path.read_bytes()) for path in sorted(self.fleet.ca.glob("public/*.crl"))]
        path = self.folder / "lists.pem"
        path.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in found))
        return path


_NGINX = """\
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {chain}; ssl_certificate_key {key};
    ssl_client_certificate {ca}/public/ca.pem; ssl_crl {lists};
    ssl_verify_client on; ssl_verify_depth 3;
    location / {{ return 200 "logged on as $ssl_client_s_dn\\n"; }}
  }}
}}
"""


class Tls(Service):
    """TLS client authentication: curl against nginx, which wants a certificate that no list names."""

    port = 4433
    programs = ("nginx", "curl")

    def prepare(self) -> None:
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        self.chain, self.key = self.certify("localhost", ec.generate_private_key(ec.SECP256R1()), names)

    def command(self) -> t.List[str]:
        places = {"folder": self.folder, "ca": self.fleet.ca, "chain": self.chain, "key": self.key}
        config = self.folder / "nginx.conf"
        config.write_text(_NGINX.format(port=self.port, lists=self.lists(), **places))
        return ["nginx", "-c", str(config)]

    def logon(self, pin: t.Optional[str]) -> str:
        uri = "pkcs11:object=PIV%20AUTH%20key;type=private" + (f";pin-value={pin}" if pin else "")
        engine = ["--engine", "pkcs11", "--key-type", "ENG", "--key", uri, "--cert", str(self.certificate)]
        place = ["--cacert", str(self.fleet.ca / "public/ca.pem"), f"https://localhost:{self.port}/"]
        return self.client("env", f"PKCS11_MODULE_PATH={MODULE}", "curl", "--silent", "--show-error", *engine, *place)


def home(fleet: Fleet) -> pathlib.Path:
    """Returns the home of the cards' owner."""
    return fleet.folder / "owner"


class Ssh(Service):
    """ssh with the PKCS#11 module, and an sshd that reads which keys were revoked."""

    port = 2222
    user = "root"
    programs: t.Sequence[str] = ("ssh", "ssh-keygen", "/usr/sbin/sshd")
    client_program: t.Sequence[str] = ("ssh",)

    def prepare(self) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host")], check=True)
        (self.folder / "authorized").write_text(self.machine.run("ssh-keygen", "-D", MODULE))
        os.makedirs("/run/sshd", exist_ok=True)

    def trusted(self) -> t.Dict[str, t.Any]:
        """Returns what sshd lets in by."""
        return {"AuthorizedKeysFile": self.folder / "authorized"}

    def asked(self) -> t.Dict[str, t.Any]:
        """Returns what ssh has to be told beside the module."""
        return {}

    def command(self) -> t.List[str]:
        settings = {
            **self.trusted(),
            "RevokedKeys": self.fleet.ca / "public/ssh.revoked",
            "ListenAddress": "127.0.0.1",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "yes",
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        return [
            "/usr/sbin/sshd",
            "-D",
            "-e",
            "-f",
            "/dev/null",
            "-p",
            str(self.port),
            "-h",
            f"{self.folder}/host",
            *options,
        ]

    def logon(self, pin: t.Optional[str]) -> str:
        asker = self.folder / "askpass"
        asker.write_text(f"#!/bin/sh\necho {pin}\n" if pin else "#!/bin/sh\nexit 1\n")
        asker.chmod(0o755)
        asked = ["env", f"SSH_ASKPASS={asker}", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none"]
        settings = {
            "PKCS11Provider": MODULE,
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": f"{self.folder}/known",
            "IdentityAgent": "none",
            "PreferredAuthentications": "publickey",
            **self.asked(),
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        server = ["-p", str(self.port), *options, f"{self.user}@127.0.0.1", "echo logged on"]
        return self.client(*asked, *self.client_program, "-F", "none", *server)


class SshCertificate(Ssh):
    """The same with an sshd that knows no key but the CA's, and the certificate that the role gave to the owner."""

    port = 2223

    def trusted(self) -> t.Dict[str, t.Any]:
        return {"TrustedUserCAKeys": self.fleet.ca / "public/ssh.pub", "AuthorizedKeysFile": "none"}

    def asked(self) -> t.Dict[str, t.Any]:
        return {"CertificateFile": home(self.fleet) / ".ssh/corp-authentication-cert.pub"}


class SshAgent(SshCertificate):
    """The same, and the agent holds the key: ssh itself has no PIN to ask for."""

    port = 2224
    programs = (*SshCertificate.programs, "ssh-agent", "ssh-add")
    client_program = ("ssh-agent", "sh", "-c", f'ssh-add -q -s {MODULE} && exec ssh "$@"', "sh")

    def asked(self) -> t.Dict[str, t.Any]:
        return {**super().asked(), "PKCS11Provider": "none", "IdentityAgent": "SSH_AUTH_SOCK"}


class Kerberos(Service):
    """kinit by PKINIT, and a KDC that reads the CA's list. MIT Kerberos 1.20 signs with RSA keys alone."""

    port = 8888
    programs = (*mit_kdc.PROGRAMS, "kinit", "klist")
    welcome = f"krbtgt/{REALM}@{REALM}"

    def prepare(self) -> None:
        names = x509.SubjectAlternativeName([kdc_name()])
        key = rsa.generate_private_key(65537, 2048)
        self.chain, self.key = self.certify("kdc", key, names, x509.ExtendedKeyUsage([KDC_PURPOSE]))
        self.write()
        mit_kdc.make_database(self.folder, ["alice"])

    @property
    def variables(self) -> t.Dict[str, str]:
        return {
            **mit_kdc.environment(self.folder),
            "KRB5_TRACE": f"{self.folder}/trace",
            "KRB5CCNAME": f"FILE:{self.folder}/cache",
        }

    def write(self) -> None:
        anchors = f"FILE:{self.fleet.ca}/public/ca.pem"
        client = mit_kdc.client_configuration(
            f"127.0.0.1:{self.port}", pkinit_anchors=anchors, pkinit_eku_checking="kpKDC"
        )
        server = mit_kdc.server_configuration(
            self.folder,
            self.port,
            acl_file=f"{self.folder}/acl",
            pkinit_identity=f"FILE:{self.chain},{self.key}",
            pkinit_anchors=anchors,
            pkinit_eku_checking="kpClientAuth",
            pkinit_revoke=f"FILE:{self.lists()}",
            pkinit_require_crl_checking="true",
        )
        (self.folder / "krb5.conf").write_text(client)
        (self.folder / "kdc.conf").write_text(server)

    def _environment(self) -> t.List[str]:
        return ["env", *(f"{name}={value}" for name, value in self.variables.items())]

    def command(self) -> t.List[str]:
        self.write()
        return [*self._environment(), "/usr/sbin/krb5kdc", "-n"]

    def logon(self, pin: t.Optional[str]) -> str:
        (self.folder / "cache").unlink(missing_ok=True)
        kinit = ["kinit", "-X", f"X509_user_identity=PKCS11:{MODULE}", "alice"]
        said = self.client(*self._environment(), *kinit, stdin=f"{pin}\n" if pin else "")
        return said + self.client(*self._environment(), "klist")


SERVICES: t.Dict[str, t.Type[Service]] = {
    "tls": Tls,
    "ssh": Ssh,
    "ssh_agent": SshAgent,
    "ssh_certificate": SshCertificate,
    "kerberos": Kerberos,
}
KEYS = {"elliptic": "ecc_p256", "rsa": "rsa_2048"}
"""Hosts, and the algorithm of the key that each has."""
HOSTS = {**dict.fromkeys(("tls", "ssh", "ssh_agent", "ssh_certificate"), "elliptic"), "kerberos": "rsa"}
OWNER = "hardbound-owner"


@contextlib.contextmanager
def owner(fleet: Fleet) -> t.Iterator[None]:
    """Whose cards they are: a user of this computer, with a home of its own."""
    subprocess.run(["userdel", OWNER], check=False, capture_output=True)  # that of a run that was killed
    subprocess.run(["useradd", "--create-home", "--home-dir", str(home(fleet)), OWNER], check=True)
    try:
        yield
    finally:
        subprocess.run(["userdel", OWNER], check=True)


def add(fleet: Fleet, host: str, algorithm: str) -> CardMachine:
    """Adds a host whose card stands for alice; with an OpenSSH certificate where its key is elliptic."""
    key = {"slot": "authentication", "algorithm": algorithm}
    if host == HOSTS["ssh_certificate"]:
        key["ssh_profile"] = "ssh_user"
    names = {"principal": f"alice@{REALM}", "upn": "alice@corp.example", "ssh_principals": ["root"]}
    fleet.add(host, profile="mit_pkinit", keys=[key], owner=OWNER, **names)
    fleet.inventory[host]["ansible_become_method"] = "su"
    folder = fleet.folder / f"{host}-machine"
    folder.mkdir()
    machine = CardMachine(folder, fleet.tpms[host])
    fleet.inventory[host]["smartcard_enrollment_store"] = machine.store.folder
    return machine
