# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of other releases of Debian, with their own p11-kit: they speak other versions of its protocol."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.debian_root import CLIENT, debian_root
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.openssl_cms import sign_and_decrypt
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.signin_page import Owner

PROXY = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"
KEYS = (
    KeySpecification(0x9A, KeyAlgorithm.ECC_P256),
    KeySpecification(0x9C, KeyAlgorithm.RSA_2048),
    KeySpecification(0x9D, KeyAlgorithm.RSA_2048),
)


class Release:
    """A host whose programs are another release's."""

    def __init__(self, host: Host, root: pathlib.Path, card: Record) -> None:
        self.card = card
        self.folder = host.machine.folder
        self.host = host
        self.root = root
        for place in ("/proc", "/dev", str(self.folder)):
            inside = root / place[1:]
            inside.mkdir(parents=True, exist_ok=True)
            host.machine.run("mount", "--rbind", place, str(inside))
        (root / "etc/hosts").touch()
        host.machine.run("mount", "--bind", "/etc/hosts", str(root / "etc/hosts"))
        host.register(str(root / "etc/pkcs11/modules"), str(root / "usr/share/p11-kit/modules"))

    def run(self, *command: str, ok: t.Optional[bool] = True) -> str:
        return self.host.run("chroot", str(self.root), *command, ok=ok)


@pytest.fixture(params=["trixie", "sid"])
def release(host: Host, request: pytest.FixtureRequest) -> Release:
    root, why = debian_root(request.param)
    if root is None:
        pytest.skip(f"no programs of Debian {request.param}: {why}")
    card = host.make("Corp card", keys=KEYS)
    host.start("--owners", str(host.machine.folder / "owners"))
    return Release(host, root, card)


@pytest.mark.parametrize("module", [CLIENT, PROXY])
def test_pkcs11_tool_finds_no_errors(release: Release, module: str) -> None:
    said = release.run(
        "pkcs11-tool", "--module", module, "--login", "--pin", PIN, "--token-label", "Corp card", "--test"
    )
    assert "No errors" in said
    assert "RSA-PKCS-OAEP: OK" in said or "OAEP" in said


@pytest.mark.parametrize(
    ("mechanism", "identifier", "options"),
    [
        ("ECDSA-SHA256", "01", []),
        ("SHA256-RSA-PKCS-PSS", "03", ["--salt-len", "32"]),
        ("SHA512-RSA-PKCS", "03", []),
        ("RSA-PKCS-PSS", "03", ["--hash-algorithm", "SHA256", "--salt-len", "32"]),
    ],
)
def test_signatures(release: Release, mechanism: str, identifier: str, options: t.List[str]) -> None:
    """With parameter and without, which releases write in different ways."""
    folder = release.folder
    (folder / "message").write_bytes(bytes(range(32)))
    tool = ["pkcs11-tool", "--module", CLIENT, "--login", "--pin", PIN, "--id", identifier]
    release.run(
        *tool, "--sign", "--mechanism", mechanism, *options, "-i", f"{folder}/message", "-o", f"{folder}/signature"
    )
    release.run(*tool, "--read-object", "--type", "pubkey", "-o", f"{folder}/public")
    if mechanism == "SHA512-RSA-PKCS":
        check = ["-sha512", "-keyform", "DER", "-verify", f"{folder}/public", "-signature", f"{folder}/signature"]
        assert "Verified OK" in release.run("openssl", "dgst", *check, f"{folder}/message")
    assert (folder / "signature").stat().st_size in (64, 256)


def test_an_agreed_secret(release: Release) -> None:
    folder = release.folder
    release.run(
        "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{folder}/other"
    )
    release.run(
        "openssl", "pkey", "-in", f"{folder}/other", "-pubout", "-outform", "DER", "-out", f"{folder}/other.pub"
    )
    tool = ["pkcs11-tool", "--module", CLIENT, "--login", "--pin", PIN, "--id", "01"]
    release.run(*tool, "--derive", "-m", "ECDH1-DERIVE", "-i", f"{folder}/other.pub", "-o", f"{folder}/secret")
    release.run(*tool, "--read-object", "--type", "pubkey", "-o", f"{folder}/public")
    there = [
        "-inkey",
        f"{folder}/other",
        "-peerkey",
        f"{folder}/public",
        "-peerform",
        "DER",
        "-out",
        f"{folder}/theirs",
    ]
    release.run("openssl", "pkeyutl", "-derive", *there)
    assert (folder / "secret").read_bytes() == (folder / "theirs").read_bytes()


def test_openssl_s_provider(release: Release) -> None:
    folder = release.folder
    key = f"pkcs11:token=Corp%20card;id=%01;type=private?pin-value={PIN}"
    with_module = ["env", f"PKCS11_PROVIDER_MODULE={PROXY}", "openssl"]
    provider = ["-provider", "default", "-provider", "pkcs11"]
    release.run(*with_module, "req", "-new", *provider, "-key", key, "-subj", "/CN=card", "-out", f"{folder}/csr")
    assert "verify OK" in release.run("openssl", "req", "-in", f"{folder}/csr", "-verify", "-noout")


def test_cms_with_openssl_s_provider(release: Release) -> None:
    run = functools.partial(release.run, "env", f"PKCS11_PROVIDER_MODULE={PROXY}")
    key = f"pkcs11:token=Corp%20card;id=%0{{}};type=private?pin-value={PIN}"
    sign_and_decrypt(run, release.folder, release.card, ["-provider", "default", "-provider", "pkcs11"], key)


def test_curl_with_openssl_s_provider(release: Release) -> None:
    """A server that asks for the card's certificate; curl is told of the provider by OpenSSL's configuration."""
    folder = release.folder
    (folder / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nproviders = providers\n[providers]\ndefault = yes\npkcs11 = card\n"
        f"[yes]\nactivate = 1\n[card]\nactivate = 1\npkcs11-module-path = {PROXY}\n"
    )
    script = f"""
    {release.host.tls_server()} > {folder}/server.log 2>&1 & server=$!
    url="pkcs11:token=Corp%20card;id=%01"
    OPENSSL_CONF={folder}/openssl.cnf curl --silent --show-error --retry 20 --retry-connrefused --retry-delay 1 \
        --cacert {folder}/server.pem --cert "$url;type=cert" --key "$url;type=private?pin-value={PIN}" \
        https://localhost:44330/
    end=$?; kill $server; cat {folder}/server.log; exit $end
    """
    said = release.run("sh", "-c", script)
    assert "CN = Corp card" in said.replace("CN=", "CN = ")


def test_ssh_and_gnutls(release: Release) -> None:
    assert release.run("ssh-keygen", "-D", CLIENT).count("ecdsa-sha2-nistp256") == 1
    said = release.run("p11tool", "--login", "--set-pin", PIN, "--list-all", "pkcs11:token=Corp%20card")
    assert said.count("Type: Private key") == 3


@pytest.mark.parametrize(("program", "which"), [("curl", 1), ("OpenSSL", 1), ("GnuTLS", 0)])
def test_a_web_server_lets_in_whoever_types_what_the_page_says(release: Release, program: str, which: int) -> None:
    needs("nginx", "ss")
    owner = Owner(release.host, "chroot", str(release.root))
    try:
        assert owner.visit(program, which) == "OU=authentication,CN=Corp card"
    finally:
        owner.leave()
