# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that people use, with a card that they reach through p11-kit alone: no pcscd runs."""

from __future__ import annotations

import re
import ssl
import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._edge import opensc
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN, PUK
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.openssl_cms import sign_and_decrypt
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import CLIENT, PROXY, Host
from ansible_collections.hardbound.identity.tests.support.p11test import p11test

ADMIN_KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
OPENSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
DECRYPTING = (
    KeySpecification(0x9A, KeyAlgorithm.RSA_2048),
    KeySpecification(0x9C, KeyAlgorithm.ECC_P256),
    KeySpecification(0x9D, KeyAlgorithm.RSA_2048),
)


@pytest.mark.parametrize("module", [CLIENT, PROXY])
@pytest.mark.parametrize("keys", ["mixed", "rsa"])
def test_pkcs11_tool_finds_no_errors(host: Host, module: str, keys: str) -> None:
    host.make("Corp card", **({"keys": DECRYPTING} if keys == "rsa" else {}))
    host.register()
    host.start()
    said = host.run("pkcs11-tool", "--module", module, "--login", "--pin", PIN, "--token-label", "Corp card", "--test")
    assert "No errors" in said
    assert "key 1 (SIGN key)" in said


@pytest.mark.parametrize("keys", ["mixed", "rsa"])
def test_opensc_s_own_tests_of_modules(host: Host, keys: str) -> None:
    """Two of them are not for this module: one has a person take the card out, one is for PKCS#11 3.0's interfaces."""
    program, why = p11test()
    if program is None:
        pytest.skip(why)
    host.make("Corp card", **({"keys": DECRYPTING} if keys == "rsa" else {}))
    host.start()
    said = host.run(str(program), "-m", CLIENT, "-p", PIN, "-s", "0")
    assert re.findall(r"\[  SKIPPED \] (\w+)\n", said)[-2:] == ["wait_test", "interface_test"]
    assert said.count("[       OK ]") == said.count("[ RUN      ]") - 2 > 5


def test_a_pin_is_changed_and_lost_and_given_anew(host: Host) -> None:
    host.make("Corp card")
    host.start()
    host.tool("--change-pin", "--new-pin", "654321")
    assert "CKR_PIN_INCORRECT" in host.tool("-O", ok=False)
    for _each in range(2):
        host.tool("-O", ok=False)
    assert "CKR_PIN_LOCKED" in host.tool("-O", ok=False, pin="654321")
    said = host.run("pkcs11-tool", "--module", CLIENT, "-L")
    assert "user PIN locked" in said
    host.run(
        "pkcs11-tool",
        "--module",
        CLIENT,
        "--login",
        "--login-type",
        "so",
        "--so-pin",
        PUK,
        "--init-pin",
        "--new-pin",
        PIN,
    )
    assert "PIV AUTH key" in host.tool("-O")


def test_the_admin_key_makes_keys_and_writes_certificates(host: Host) -> None:
    host.make("Corp card", keys=(), puk=False, admin_key=ADMIN_KEY)
    host.start()
    officer = ["pkcs11-tool", "--module", CLIENT, "--login", "--login-type", "so", "--so-pin", ADMIN_KEY.value.hex()]
    host.run(*officer, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01")
    assert "PIV AUTH key" in host.tool("-O")
    digest, signature = host.machine.folder / "digest", host.machine.folder / "signature"
    digest.write_bytes(bytes(32))
    host.tool("--sign", "--mechanism", "ECDSA", "--id", "01", "-i", str(digest), "-o", str(signature))
    assert len(signature.read_bytes()) == 64
    assert "CKR_USER_NOT_LOGGED_IN" in host.tool("--keypairgen", "--key-type", "EC:prime256v1", "--id", "03", ok=False)


def test_the_same_ids_and_labels_as_opensc_shows(host: Host) -> None:
    needs("pcscd", "opensc-tool")
    host.make("Corp card", faces=(Face.PCSC, Face.PKCS11))
    host.machine.start_pcscd()
    host.start()
    host.machine.await_token()
    seen = {}
    for module in (CLIENT, OPENSC):
        said = host.run("pkcs11-tool", "--module", module, "--login", "--pin", PIN, "-O")
        seen[module] = set(_objects(said))
    assert {each.kind for each in seen[OPENSC]} == {"Certificate", "Public Key", "Private Key"}
    assert seen[OPENSC] <= seen[CLIENT]
    assert {each.identifier for each in seen[CLIENT]} == {"01", "02", "03", "04"}
    names = {
        module: _data_objects(host.run("pkcs11-tool", "--module", module, "-O", "--type", "data")) for module in seen
    }
    assert names[CLIENT] and names[CLIENT] <= names[OPENSC]


def _data_objects(said: str) -> t.Set[str]:
    """Their labels. OpenSC tells object identifiers without the tag that PKCS#11 has them with."""
    return {line.partition(":")[2].strip(" '") for line in said.splitlines() if line.strip().startswith("label:")}


@dataclass(frozen=True)
class Seen:
    kind: str
    label: str
    identifier: str


def _objects(said: str) -> t.Iterator[Seen]:
    """Certificates and keys as pkcs11-tool lists them; data objects have no ID."""
    for block in (
        said.replace("\nCertificate", "\0Certificate").replace("\nP", "\0P").replace("\nData", "\0Data").split("\0")
    ):
        fields = dict(line.strip().split(":", 1) for line in block.splitlines()[1:] if ":" in line)
        if "ID" in fields:
            yield Seen(block.split(" Object")[0], fields["label"].strip(), fields["ID"].strip())


def test_gnutls(host: Host) -> None:
    needs("p11tool", "certtool")
    host.make("Corp card", keys=DECRYPTING)
    host.register()
    host.start()
    (url,) = [
        line.split(": ", 1)[1]
        for line in host.run("p11tool", "--list-tokens").splitlines()
        if "URL" in line and "Corp" in line
    ]
    assert "manufacturer=hardbound.identity" in url
    said = host.run("p11tool", "--login", "--set-pin", PIN, "--list-all", url)
    assert said.count("Type: Private key") == 3
    key = f"{url};id=%01;type=private"
    assert "ok" in host.run("p11tool", "--login", "--set-pin", PIN, "--test-sign", key).lower()
    template = host.machine.folder / "template"
    template.write_text("cn = card\nsigning_key\n")
    request = host.run(
        "certtool",
        "--generate-request",
        "--load-privkey",
        f"{key}?pin-value={PIN}",
        "--load-pubkey",
        f"{url};id=%01;type=public",
        "--template",
        str(template),
    )
    assert "BEGIN NEW CERTIFICATE REQUEST" in request


def test_ssh(host: Host) -> None:
    needs("ssh-keygen", "ssh-agent", "ssh-add")
    host.make("Corp card")
    host.register()
    host.start()
    keys = [line for line in host.run("ssh-keygen", "-D", PROXY).splitlines() if line.startswith(("ecdsa-", "ssh-rsa"))]
    assert len(keys) == 4
    folder = host.machine.folder
    (folder / "askpass").write_text(f"#!/bin/sh\necho {PIN}\n")
    (folder / "askpass").chmod(0o700)
    (folder / "key.pub").write_text(keys[0] + "\n")
    (folder / "message").write_text("message")
    (folder / "allowed").write_text(f"me {keys[0]}\n")
    script = f"""
    eval $(ssh-agent) > /dev/null
    export SSH_ASKPASS={folder}/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=none
    ssh-add -s {PROXY} && ssh-keygen -Y sign -f {folder}/key.pub -n file {folder}/message
    end=$?; ssh-agent -k > /dev/null; exit $end
    """
    host.run("sh", "-c", script)
    host.run(
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        f"{folder}/allowed",
        "-I",
        "me",
        "-n",
        "file",
        "-s",
        f"{folder}/message.sig",
        stdin="message",
    )


def test_openssl_s_engine(host: Host) -> None:
    host.make("Corp card")
    host.register()
    host.start()
    folder = host.machine.folder
    key = f"pkcs11:token=Corp%20card;id=%01;type=private?pin-value={PIN}"
    if "pkcs11" not in host.run("openssl", "engine", "pkcs11", ok=None):
        pytest.skip("needs OpenSSL's engine pkcs11, as in Debian's libengine-pkcs11-openssl")
    host.run(
        "openssl",
        "req",
        "-new",
        "-engine",
        "pkcs11",
        "-keyform",
        "engine",
        "-key",
        key,
        "-subj",
        "/CN=card",
        "-out",
        f"{folder}/csr",
    )
    assert "verify OK" in host.run("openssl", "req", "-in", f"{folder}/csr", "-verify", "-noout")


def test_cms_with_openssl_s_engine(host: Host) -> None:
    """A message is signed, and another decrypted."""
    record = host.make("Corp card", keys=DECRYPTING)
    host.register()
    host.start()
    if "pkcs11" not in host.run("openssl", "engine", "pkcs11", ok=None):
        pytest.skip("needs OpenSSL's engine pkcs11, as in Debian's libengine-pkcs11-openssl")
    folder = host.machine.folder
    key = f"pkcs11:token=Corp%20card;id=%0{{}};type=private?pin-value={PIN}"
    sign_and_decrypt(host.run, folder, record, ["-engine", "pkcs11", "-keyform", "engine"], key)


@pytest.mark.parametrize("curve", ["RSA", "P-256"])
def test_curl(host: Host, curve: str) -> None:
    """A server that asks for the card's certificate."""
    algorithm = KeyAlgorithm.RSA_2048 if curve == "RSA" else KeyAlgorithm.ECC_P256
    host.make("Corp card", keys=[KeySpecification(0x9A, algorithm)])
    host.register()
    host.start()
    folder = host.machine.folder
    script = f"""
    {host.tls_server()} > {folder}/server.log 2>&1 & server=$!
    url="pkcs11:token=Corp%20card;id=%01"
    curl --silent --show-error --retry 20 --retry-connrefused --retry-delay 1 --cacert {folder}/server.pem \
        --engine pkcs11 --cert-type ENG --cert "$url;type=cert" --key-type ENG \
        --key "$url;type=private?pin-value={PIN}" https://localhost:44330/
    end=$?; kill $server; cat {folder}/server.log; exit $end
    """
    said = host.run("sh", "-c", script)
    assert "CN = Corp card" in said.replace("CN=", "CN = ")


def test_a_card_with_both_faces_is_seen_once(host: Host) -> None:
    """By a program that asks p11-kit for all modules, of which OpenSC's is one; SSSD and whoever names it have that."""
    needs("pcscd", "opensc-tool")
    host.make("Corp card", faces=(Face.PCSC, Face.PKCS11))
    host.register(others="")
    host.machine.start_pcscd()
    host.start()
    host.machine.await_token()
    assert _tokens(host, PROXY) == ["Corp card", "Corp card"], "where nobody keeps OpenSC's module back"
    host.machine.run("tee", opensc.MODULE.path, stdin=opensc.render("", kept_back=True))
    assert _tokens(host, PROXY) == ["Corp card"]
    assert host.run("p11tool", "--list-tokens").count("token=Corp%20card") == 1
    assert _tokens(host, OPENSC) == ["Corp card"]


def _tokens(host: Host, module: str) -> t.List[str]:
    said = host.run("pkcs11-tool", "--module", module, "-L")
    labels = re.findall(r"token label +: (.*)", said)
    return [re.sub(r" \(.*", "", each) for each in labels if "Corp" in each]


def test_gnupg(host: Host) -> None:
    """gpgsm signs with the card, which gnupg-pkcs11-scd gives it in scdaemon's place."""
    daemon = "/usr/bin/gnupg-pkcs11-scd"
    needs(daemon, "gpgsm", "gpg-agent", "gpgconf")
    host.make("Corp card", keys=DECRYPTING)
    host.register()
    host.start()
    folder = host.machine.folder
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    (home / "gnupg-pkcs11-scd.conf").write_text(f"providers card\nprovider-card-library {PROXY}\n")
    (home / "gpg-agent.conf").write_text(f"scdaemon-program {daemon}\npinentry-program {folder}/pinentry\n")
    answers = f"echo OK; while read -r line; do case $line in GETPIN*) echo D {PIN};; esac; echo OK; done"
    (folder / "pinentry").write_text(f"#!/bin/sh\n{answers}\n")
    (folder / "pinentry").chmod(0o700)
    (folder / "letter").write_text("a letter\n")
    script = f"""
    export GNUPGHOME={home}
    gpgsm --learn-card
    key=$(gpgsm --list-secret-keys --with-colons | grep -m1 ^fpr | cut -d: -f10)
    echo "$key S relax" > {home}/trustlist.txt
    gpgconf --reload gpg-agent
    gpgsm --disable-crl-checks --batch -u 0x$key --output {folder}/signed --sign {folder}/letter &&
    gpgsm --disable-crl-checks --verify {folder}/signed; end=$?
    gpgconf --kill all; exit $end
    """
    assert "Good signature" in host.run("sh", "-c", script)


def test_sssd(host: Host) -> None:
    """Its p11_child asks p11-kit for all modules and ends on one without a file. So ours is kept from it."""
    child = "/usr/libexec/sssd/p11_child"
    needs("pcscd", "opensc-tool", child)
    record = host.make("Corp card", faces=(Face.PCSC, Face.PKCS11))
    host.register(others="")
    host.machine.start_pcscd()
    host.machine.run("tee", opensc.MODULE.path, stdin=opensc.render("", kept_back=True))
    host.start()
    host.machine.await_token()
    trusted = host.machine.folder / "trusted.pem"
    trusted.write_text(ssl.DER_cert_to_PEM_cert(record.certificates[0x9A]))
    asked = [child, "--pre", "--ca_db", str(trusted), "--verify", "no_ocsp"]
    assert "Certificate for PIV Authentication" in host.run(*asked)
    host.machine.run("sed", "-i", "/disable-in/d", "/etc/pkcs11/modules/hardbound.module")
    host.run(*asked, ok=False)


def test_nss(host: Host) -> None:
    needs("modutil", "certutil")
    host.make("Corp card", keys=DECRYPTING)
    host.register()
    host.start()
    folder = host.machine.folder / "nss"
    folder.mkdir()
    database = f"sql:{folder}"
    host.run("certutil", "-N", "-d", database, "--empty-password")
    host.run("modutil", "-dbdir", database, "-add", "cards", "-libfile", PROXY, "-force")
    (folder / "pin").write_text(f"Corp card:{PIN}\n")
    assert "Corp card" in host.run("modutil", "-dbdir", database, "-list", "cards")
    said = host.run("certutil", "-K", "-d", database, "-h", "Corp card", "-f", str(folder / "pin"))
    assert said.count("rsa") == 2
    assert "Certificate for PIV Authentication" in host.run(
        "certutil", "-L", "-d", database, "-h", "all", "-f", str(folder / "pin")
    )
