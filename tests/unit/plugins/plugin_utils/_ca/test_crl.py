# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import subprocess
import typing as t
from datetime import timedelta
from pathlib import Path

from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import crl
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import (
    CertificatePlace,
    RevocationReason,
)
from cryptography import x509

WEEK = timedelta(days=7)


def openssl(*arguments: str, stdin: bytes = b"", check: bool = True) -> str:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=check)
    return (done.stdout + done.stderr).decode()


def sign(corp: t.Any) -> crl.Crl:
    return crl.sign(corp.ledger, corp.authority.issuing(), WEEK)


def verify(corp: t.Any, tmp_path: Path, leaf: bytes, revocations: bytes) -> str:
    (tmp_path / "leaf.pem").write_text(openssl("x509", "-inform", "DER", stdin=leaf))
    (tmp_path / "crl.pem").write_text(openssl("crl", "-inform", "DER", stdin=revocations))
    at = str(int(corp.watch().timestamp()))
    files = ("-CAfile", str(corp.folder.chain), "-CRLfile", str(tmp_path / "crl.pem"), str(tmp_path / "leaf.pem"))
    return openssl("verify", "-crl_check", "-attime", at, *files, check=False)


def test_openssl_refuses_a_certificate_once_it_is_on_the_list(corp: t.Any, tmp_path: Path) -> None:
    body = corp.issuer.issue(corp.order()).certificate.body
    assert verify(corp, tmp_path, body, sign(corp).body).endswith(": OK\n")
    corp.ledger.revoke({"host": "ws-001"}, RevocationReason.KEY_COMPROMISE, corp.authority.identifier)
    listed = sign(corp).body
    assert "error 23" in verify(corp, tmp_path, body, listed)  # X509_V_ERR_CERT_REVOKED
    text = openssl("crl", "-inform", "DER", "-noout", "-text", "-CAfile", str(corp.folder.chain), stdin=listed)
    assert "verify OK" in text
    assert re.search(r"CRL Number: \n\s+2\n", text)
    assert "Key Compromise" in text


def test_a_list_is_signed_anew_when_due_or_when_something_was_revoked(corp: t.Any) -> None:
    own = corp.authority.identifier
    assert crl.is_due(crl.newest(corp.ledger, own), corp.ledger, own)
    first = sign(corp)
    assert crl.newest(corp.ledger, own) == first
    assert not crl.is_due(first, corp.ledger, own)
    corp.issuer.issue(corp.order())
    assert not crl.is_due(first, corp.ledger, own)
    corp.ledger.revoke({"host": "ws-001"}, RevocationReason.UNSPECIFIED, own)
    assert crl.is_due(first, corp.ledger, own)
    second = sign(corp)
    assert second.number == 2
    corp.watch.turn(days=3, hours=11)
    assert not crl.is_due(second, corp.ledger, own)
    corp.watch.turn(hours=1)
    assert crl.is_due(second, corp.ledger, own)


def test_the_list_drops_what_has_expired_and_leaves_out_ssh(corp: t.Any) -> None:
    corp.issuer.issue(corp.order())
    corp.issuer.issue(corp.order("ssh_user", place=CertificatePlace("ws-001", "card", "retired_1")))
    corp.ledger.revoke({"host": "ws-001"}, RevocationReason.UNSPECIFIED, corp.authority.identifier)
    assert len(x509.load_der_x509_crl(sign(corp).body)) == 1
    corp.watch.turn(days=366)
    assert len(x509.load_der_x509_crl(sign(corp).body)) == 0


def test_every_reason_can_be_written(corp: t.Any) -> None:
    for number, reason in enumerate(RevocationReason):
        corp.issuer.issue(corp.order(place=CertificatePlace(f"ws-{number}", "card", "x")))
        corp.ledger.revoke({"host": f"ws-{number}"}, reason, corp.authority.identifier)
    entries = x509.load_der_x509_crl(sign(corp).body)
    found = set()
    for entry in entries:
        try:
            found.add(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
        except x509.ExtensionNotFound:
            found.add("unspecified")
    assert found == {reason.value for reason in RevocationReason}


def test_the_root_signs_a_list_of_its_own(corp: t.Any) -> None:
    made = crl.sign(corp.ledger, corp.authority.root(), WEEK)
    text = openssl("crl", "-inform", "DER", "-noout", "-issuer", "-crlnumber", "-nameopt", "RFC2253", stdin=made.body)
    assert "issuer=CN=Corp Issuing CA Root,O=Corp\n" in text
    assert sign(corp).number == made.number == 1
