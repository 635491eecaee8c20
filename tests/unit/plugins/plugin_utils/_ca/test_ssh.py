# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Curve
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import crl, ssh
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import (
    CertificatePlace,
    RevocationReason,
)
from ansible_collections.hardbound.identity.tests.support.corp import new_key
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PRIVATE: t.Mapping[str, t.Callable[[], t.Any]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def ssh_keygen(*arguments: str) -> str:
    return subprocess.run(["ssh-keygen", *arguments], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_ssh_keygen_reads_the_certificate(corp: t.Any, tmp_path: Path, kind: str) -> None:
    private = PRIVATE[kind]()
    order = corp.order("ssh_user", public_key=public_der(private.public_key()))
    issued = corp.issuer.issue(order).certificate
    (tmp_path / "id-cert.pub").write_bytes(issued.body)
    text = ssh_keygen("-L", "-f", str(tmp_path / "id-cert.pub"))
    assert "user certificate" in text
    assert f"Serial: {int(issued.serial, 16)}" in text
    assert re.search(r'Key ID: "Alice"', text)
    assert re.search(r"Principals: \n\s+alice\n", text)
    assert "Critical Options: (none)" in text
    assert "permit-pty" in text
    signer = ssh_keygen("-l", "-f", str(corp.folder.ssh_public_key)).split()[1]
    assert f"Signing CA: ECDSA {signer} (using ecdsa-sha2-nistp256)" in text
    assert corp.issuer.issue(order).certificate == issued


@pytest.mark.parametrize("curve", Curve)
def test_ssh_keygen_accepts_the_signature_of_a_ca_on_any_curve(corp: t.Any, tmp_path: Path, curve: Curve) -> None:
    key, at = ec.generate_private_key(curve.elliptic), corp.watch()
    user = ec.generate_private_key(curve.elliptic).public_key()
    signed = ssh.UserCertificate(user, 1, "alice", ("alice",), at, at).sign(key)
    (tmp_path / "id-cert.pub").write_bytes(signed)
    assert f"(using ecdsa-sha2-nistp{curve.bits})" in ssh_keygen("-L", "-f", str(tmp_path / "id-cert.pub"))


def test_a_certificate_for_everybody_is_never_made(corp: t.Any) -> None:
    nobody = Identity.parse({"common_name": "Alice"})
    with pytest.raises(InputError, match=r"identity\.ssh_principals is missing"):
        corp.issuer.issue(corp.order("ssh_user", identity=nobody))
    loose = replace(corp.order("ssh_user").profile, required=())
    with pytest.raises(StateError, match="without principals admits everybody"):
        corp.issuer.issue(replace(corp.order("ssh_user", identity=nobody), profile=loose))


def refuses(corp: t.Any, folder: Path, *lines: bytes) -> t.List[bool]:
    """Whether OpenSSH finds keys or certificates on the list."""
    (folder / "revoked").write_bytes(crl.revoked_ssh_keys(corp.ledger, corp.authority.identifier))
    found = []
    for line in lines:
        (folder / "asked.pub").write_bytes(line)
        asked = ["ssh-keygen", "-Q", "-f", str(folder / "revoked"), str(folder / "asked.pub")]
        done = subprocess.run(asked, capture_output=True, check=False, text=True)
        assert done.stdout.endswith((": ok\n", ": REVOKED\n")), done.stdout + done.stderr
        found.append("REVOKED" in done.stdout)
    return found


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_revoked_certificates_are_listed_for_sshd(corp: t.Any, tmp_path: Path, kind: str) -> None:
    """One that was superseded is refused alone: its key goes on with the next. Else the key is refused, too."""
    public, own = public_der(PRIVATE[kind]().public_key()), corp.authority.identifier
    first = corp.issuer.issue(corp.order("ssh_user", public_key=public)).certificate
    corp.ledger.activate([first])
    assert refuses(corp, tmp_path, first.body) == [False]
    renamed = Identity.parse({"common_name": "Alice", "ssh_principals": ["alice", "admin"]})
    second = corp.issuer.issue(corp.order("ssh_user", public_key=public, identity=renamed)).certificate
    assert [each.serial for each in corp.ledger.activate([second])] == [first.serial]
    line = ssh.public_line(serialization.load_der_public_key(public), "alice")
    assert refuses(corp, tmp_path, first.body, second.body, line) == [True, False, False]
    corp.ledger.revoke({"serial": second.serial}, RevocationReason.KEY_COMPROMISE, own)
    assert refuses(corp, tmp_path, first.body, second.body, line) == [True, True, True]
    corp.watch.turn(days=400)
    assert refuses(corp, tmp_path, line) == [True]


def test_a_claim_for_a_key_puts_it_on_no_list(corp: t.Any, tmp_path: Path) -> None:
    """It may be somebody else's, and nobody has got the certificate."""
    issued = corp.issuer.issue(corp.order("ssh_user")).certificate
    corp.ledger.activate([issued])
    for profile in ("ssh_user", "tls_client"):
        place = CertificatePlace("liar", "card", "authentication")
        claimed = corp.issuer.issue(corp.order(profile, place=place)).certificate
        corp.ledger.withdraw([claimed.serial])
    assert refuses(corp, tmp_path, issued.body) == [False]


def test_keys_of_revoked_cards_stay_listed_for_sshd(corp: t.Any, tmp_path: Path) -> None:
    """authorized_keys knows no end. What was superseded says nothing against its key, and an AK logs nobody on."""
    own = corp.authority.identifier
    issued = corp.issuer.issue(corp.order(public_key=new_key())).certificate
    corp.ledger.activate([issued])
    corp.ledger.revoke({"serial": issued.serial}, RevocationReason.SUPERSEDED, own)
    ak = corp.issuer.issue(corp.order("attestation_key", place=CertificatePlace("ws-002", "card"))).certificate
    corp.ledger.activate([ak])
    corp.ledger.revoke({"host": "ws-002"}, RevocationReason.KEY_COMPROMISE, own)
    lines = [ssh.public_line(x509.load_der_x509_certificate(each.body).public_key(), "") for each in (issued, ak)]
    assert refuses(corp, tmp_path, *lines) == [False, False]
    stolen = corp.issuer.issue(corp.order(place=CertificatePlace("ws-003", "card", "authentication"))).certificate
    corp.ledger.activate([stolen])
    corp.ledger.revoke({"host": "ws-003"}, RevocationReason.KEY_COMPROMISE, own)
    lines = [ssh.public_line(x509.load_der_x509_certificate(stolen.body).public_key(), "")]
    assert refuses(corp, tmp_path, *lines) == [True]
    corp.watch.turn(days=400)
    assert refuses(corp, tmp_path, *lines) == [True]


def test_serials_fill_eight_bytes() -> None:
    assert {ssh.random_serial().bit_length() for _each in range(50)} == {64}
