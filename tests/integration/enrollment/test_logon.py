# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real logons with an enrolled card: TLS, SSH and Kerberos. With the PIN, and not without it."""

from __future__ import annotations

import datetime
import os
import pathlib
import shutil
import subprocess
import time

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import krb5_principal_name
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import KRB5_PRINCIPAL_NAME
from ansible_collections.hardbound.identity.tests.integration.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.integration.enrollment.conftest import PASSPHRASE, PIN
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
HOST, REALM, WRONG_PIN = "ws-001", "CORP.EXAMPLE", "pin-0000"
KDC_PURPOSE = x509.ObjectIdentifier("1.3.6.1.5.2.3.5")
PATIENCE = 15.0


@pytest.fixture
def machine(fleet, request):
    """An enrolled card in a reader; with an RSA key if a test says so."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and pcscd")
    for program in ("pcscd", "nsenter", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    keys = [{"slot": "authentication", "algorithm": getattr(request, "param", "ecc_p256")}]
    fleet.add(HOST, profile="mit_pkinit", principal=f"alice@{REALM}", upn="alice@corp.example", keys=keys)
    folder = fleet.folder / "machine"
    folder.mkdir()
    machine = CardMachine(folder, fleet.tpms[HOST])
    fleet.inventory[HOST]["smartcard_enrollment_store"] = machine.store.folder
    run = fleet.play()
    assert run.statuses() == {HOST: "enrolled"}, run.output
    [card] = run.results[HOST]["cards"]
    (fleet.folder / "card.pem").write_text(card["certificates"][0]["certificate"])
    machine.start()
    yield machine
    machine.stop()


def server_certificate(fleet, name, key, *extensions):
    """Returns files with a certificate of the CA for a server, and its key."""
    opened = authority.Authority(authority.Folder(fleet.ca), PASSPHRASE)
    signer = opened.issuing()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().issuer_name(signer.certificate.subject).subject_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(signer.key, hashes.SHA256())
    files = fleet.folder / f"{name}.pem", fleet.folder / f"{name}.key"
    chain = [certificate, signer.certificate]
    files[0].write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def serve(machine, *command, log):
    with pathlib.Path(log).open("wb") as file:
        return subprocess.Popen(machine._inside(*command), stdin=subprocess.PIPE, stdout=file, stderr=file)


def tls(machine, fleet, pin):
    """Returns what a TLS client prints that authenticates with the card."""
    uri = f"pkcs11:object=PIV%20AUTH%20key;type=private;pin-value={pin}"
    command = [
        "env",
        f"PKCS11_MODULE_PATH={MODULE}",
        "timeout",
        "20",
        "openssl",
        "s_client",
        "-connect",
        "127.0.0.1:4433",
    ]
    command += ["-engine", "pkcs11", "-keyform", "engine", "-key", uri, "-cert", str(fleet.folder / "card.pem")]
    command += ["-CAfile", str(fleet.ca / "public/ca.pem"), "-verify_return_error", "-servername", "web"]
    done = subprocess.run(machine._inside(*command), input="", capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_tls_client_authentication(machine, fleet):
    """The server wants a certificate of our CA that is not revoked: PIN, wrong PIN, after retirement."""
    chain, key = server_certificate(fleet, "web", ec.generate_private_key(ec.SECP256R1()))
    crl = fleet.folder / "crl.pem"

    def start():
        convert = ["openssl", "crl", "-inform", "DER", "-in", str(fleet.ca / "public/issuing.crl"), "-out", str(crl)]
        subprocess.run(convert, check=True)
        together = fleet.folder / "together.pem"
        together.write_bytes((fleet.ca / "public/ca.pem").read_bytes() + crl.read_bytes())
        command = ["openssl", "s_server", "-accept", "4433", "-cert", str(chain), "-key", str(key), "-www"]
        command += ["-CAfile", str(together), "-Verify", "3", "-verify_return_error", "-crl_check"]
        log = fleet.folder / "server.log"
        server = serve(machine, *command, log=log)
        wait_for(lambda: "ACCEPT" in log.read_text())
        return server, log

    fleet.sign_crl()
    server, log = start()
    try:
        assert "Verify return code: 0 (ok)" in tls(machine, fleet, PIN) and "ERROR" not in log.read_text()
        assert "Verify return code" not in tls(machine, fleet, WRONG_PIN) or "ERROR" in log.read_text()
    finally:
        server.kill()
    retired = fleet.play("-e", f"smartcard_enrollment_hosts={HOST}", playbook="hardbound.identity.retire")
    assert retired.statuses() == {HOST: "retired"}, retired.output
    assert "Verify return code" not in tls(machine, fleet, PIN)  # The card is gone.
    serial = x509.load_pem_x509_certificate((fleet.folder / "card.pem").read_bytes()).serial_number
    revoked = x509.load_der_x509_crl((fleet.ca / "public/issuing.crl").read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(serial) is not None


def ssh(machine, fleet, pin, port="2222"):
    asker = fleet.folder / "askpass"
    asker.write_text(f"#!/bin/sh\necho {pin}\n")
    asker.chmod(0o755)
    command = ["env", f"SSH_ASKPASS={asker}", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", "timeout", "20"]
    command += ["ssh", "-F", "none", "-p", port, "-o", f"PKCS11Provider={MODULE}", "-o", "StrictHostKeyChecking=no"]
    command += ["-o", f"UserKnownHostsFile={fleet.folder}/known", "-o", "PasswordAuthentication=no"]
    command += [
        "-o",
        "IdentityAgent=none",
        "-o",
        "KbdInteractiveAuthentication=no",
        "root@127.0.0.1",
        "echo",
        "logged",
        "on",
    ]
    done = subprocess.run(
        machine._inside(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_ssh(machine, fleet):
    sshd = "/usr/sbin/sshd"
    if not pathlib.Path(sshd).exists():
        pytest.skip("needs sshd")
    folder = fleet.folder / "sshd"
    folder.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host")], check=True)
    keys = machine.run("ssh-keygen", "-D", MODULE)
    (folder / "authorized").write_text(keys)
    command = [sshd, "-D", "-e", "-f", "/dev/null", "-p", "2222", "-h", str(folder / "host"), "-o", "StrictModes=no"]
    command += ["-o", f"AuthorizedKeysFile={folder / 'authorized'}", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes"]
    command += ["-o", f"PidFile={folder / 'pid'}"]
    os.makedirs("/run/sshd", exist_ok=True)
    server = serve(machine, *command, log=folder / "log")
    try:
        wait_for(lambda: "listening" in (folder / "log").read_text())
        assert "logged on" in ssh(machine, fleet, PIN)
        assert "Permission denied" in ssh(machine, fleet, WRONG_PIN)
        fleet.play("-e", f"smartcard_enrollment_hosts={HOST}", playbook="hardbound.identity.retire")
        assert "Permission denied" in ssh(machine, fleet, PIN)
    finally:
        server.kill()


KRB5 = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
[realms]
{realm} = {{
  kdc = 127.0.0.1:8888
  pkinit_anchors = FILE:{ca}/public/ca.pem
  pkinit_eku_checking = kpKDC
}}
"""
KDC = """\
[kdcdefaults]
kdc_listen = 8888
kdc_tcp_listen = 8888
[logging]
kdc = STDERR
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
  pkinit_identity = FILE:{chain},{key}
  pkinit_anchors = FILE:{ca}/public/ca.pem
  pkinit_eku_checking = kpClientAuth
}}
"""


def kinit(machine, folder, pin):
    environment = [f"KRB5_TRACE={folder}/trace", f"KRB5_CONFIG={folder}/krb5.conf", f"KRB5CCNAME=FILE:{folder}/cache"]
    command = ["env", *environment, "timeout", "30", "kinit", "-X", f"X509_user_identity=PKCS11:{MODULE}", "alice"]
    done = subprocess.run(
        machine._inside(*command), input=f"{pin}\n", capture_output=True, text=True, check=False, start_new_session=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("machine", ["rsa_2048"], indirect=True)
def test_pkinit(machine, fleet):
    """With RSA, on both sides: the PKINIT of MIT Kerberos 1.20 signs with nothing else."""
    if not pathlib.Path("/usr/sbin/kadmin.local").exists() or shutil.which("kinit") is None:
        pytest.skip("needs krb5-kdc, krb5-admin-server, krb5-pkinit and krb5-user")
    folder = fleet.folder / "kdc"
    folder.mkdir()
    name = krb5_principal_name(f"krbtgt/{REALM}@{REALM}")
    names = x509.SubjectAlternativeName([x509.OtherName(x509.ObjectIdentifier(KRB5_PRINCIPAL_NAME), name)])
    private = rsa.generate_private_key(65537, 2048)
    chain, key = server_certificate(fleet, "kdc", private, names, x509.ExtendedKeyUsage([KDC_PURPOSE]))
    places = {"realm": REALM, "folder": folder, "ca": fleet.ca, "chain": chain, "key": key}
    (folder / "krb5.conf").write_text(KRB5.format(**places))
    (folder / "kdc.conf").write_text(KDC.format(**places))
    environment = {**os.environ, "KRB5_CONFIG": f"{folder}/krb5.conf", "KRB5_KDC_PROFILE": f"{folder}/kdc.conf"}
    subprocess.run(
        ["/usr/sbin/kdb5_util", "create", "-s", "-P", "master"], env=environment, check=True, capture_output=True
    )
    add = ["/usr/sbin/kadmin.local", "-q", "addprinc -nokey +requires_preauth alice"]
    subprocess.run(add, env=environment, check=True, capture_output=True)
    variables = [f"{each}={environment[each]}" for each in ("KRB5_CONFIG", "KRB5_KDC_PROFILE")]
    server = serve(machine, "env", *variables, "/usr/sbin/krb5kdc", "-n", log=folder / "log")
    try:
        wait_for(
            lambda: "commencing operation" in (folder / "log").read_text() or machine.run("ss", "-tln").count("8888")
        )
        code, output = kinit(machine, folder, PIN)
        assert code == 0, output + (folder / "log").read_text() + (folder / "trace").read_text()
        shown = machine.run("env", f"KRB5CCNAME=FILE:{folder}/cache", f"KRB5_CONFIG={folder}/krb5.conf", "klist")
        assert f"alice@{REALM}" in shown and f"krbtgt/{REALM}@{REALM}" in shown
        code, output = kinit(machine, folder, WRONG_PIN)
        assert code, output
        fleet.play("-e", f"smartcard_enrollment_hosts={HOST}", playbook="hardbound.identity.retire")
        code, output = kinit(machine, folder, PIN)
        assert code, output
    finally:
        server.kill()
