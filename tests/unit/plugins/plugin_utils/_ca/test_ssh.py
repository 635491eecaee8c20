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
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def ssh_keygen(*arguments: str) -> str:
    return subprocess.run(["ssh-keygen", *arguments], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_ssh_keygen_reads_the_certificate(corp: t.Any, tmp_path: Path, kind: str) -> None:
    private: t.Any = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }[kind]()
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


def test_revoked_keys_are_listed_for_sshd(corp: t.Any) -> None:
    order = corp.order("ssh_user")
    issued = corp.issuer.issue(order).certificate
    own = corp.authority.identifier
    corp.ledger.activate([issued])
    claimed = corp.issuer.issue(
        corp.order("ssh_user", place=CertificatePlace("liar", "card", "authentication"))
    ).certificate
    corp.ledger.withdraw([claimed.serial])  # sshd would refuse the key, which may be somebody else's
    assert crl.revoked_ssh_keys(corp.ledger, own) == b""
    corp.ledger.revoke({"serial": issued.serial}, RevocationReason.KEY_COMPROMISE, own)
    assert crl.revoked_ssh_keys(corp.ledger, own) == issued.body


def test_keys_of_revoked_cards_stay_listed_for_sshd(corp: t.Any) -> None:
    """authorized_keys knows no end. What was superseded says nothing against its key, and an AK logs nobody on."""
    own, key = corp.authority.identifier, new_key()
    issued = corp.issuer.issue(corp.order(public_key=key)).certificate
    corp.ledger.revoke({"serial": issued.serial}, RevocationReason.SUPERSEDED, own)
    corp.issuer.issue(corp.order("attestation_key", place=CertificatePlace("ws-002", "card")))
    corp.ledger.revoke({"host": "ws-002"}, RevocationReason.KEY_COMPROMISE, own)
    assert crl.revoked_ssh_keys(corp.ledger, own) == b""
    claimed = corp.issuer.issue(corp.order(place=CertificatePlace("liar", "card", "authentication"))).certificate
    corp.ledger.withdraw([claimed.serial])  # The key may be somebody else's.
    assert crl.revoked_ssh_keys(corp.ledger, own) == b""
    stolen = corp.issuer.issue(corp.order(place=CertificatePlace("ws-003", "card", "authentication"))).certificate
    corp.ledger.activate([stolen])
    corp.ledger.revoke({"host": "ws-003"}, RevocationReason.KEY_COMPROMISE, own)
    public = x509.load_der_x509_certificate(stolen.body).public_key()
    line = ssh.public_line(public, "ws-003 card authentication")
    assert crl.revoked_ssh_keys(corp.ledger, own) == line
    corp.watch.turn(days=400)
    assert crl.revoked_ssh_keys(corp.ledger, own) == line


def test_serials_fill_eight_bytes() -> None:
    assert {ssh.random_serial().bit_length() for _each in range(50)} == {64}
