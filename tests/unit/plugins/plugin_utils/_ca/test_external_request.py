# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import subprocess
import typing as t
from dataclasses import dataclass, replace

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, certificate, keyfile, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.external_request import CertificateRequest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import Refusal, RefusalCode
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

YEAR = datetime.timedelta(days=365)


@dataclass
class External:
    """A card's key, a request for it, and another CA that answers."""

    corp: t.Any
    private: t.Any
    request: CertificateRequest

    def answer(self, **changed: t.Any) -> bytes:
        """Signs what was asked for, but for what is changed."""
        signer = self.corp.authority.issuing()
        key = changed.get("key", self.private.public_key())
        profile = changed.get("profile", self.request.profile)
        identity = changed.get("identity", self.request.identity)
        start = changed.get("start", self.corp.watch())
        validity = certificate.Validity(start, start + YEAR)
        made = certificate.build(profile, identity, key, Assurance.FIXED, signer, authority.Settings(), validity)
        return made.public_bytes(keyfile.serialization.Encoding.DER)

    def accept(self, answer: bytes) -> x509.Certificate:
        return self.request.accept(answer, self.corp.authority.chain, self.corp.watch())


def sign(key: t.Any, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA({256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.key_size]))


@pytest.fixture
def external(corp: t.Any) -> External:
    private = ec.generate_private_key(ec.SECP256R1())
    order = corp.order(public_key=public_der(private.public_key()))
    return External(corp, private, CertificateRequest(order.profile, order.identity, order.public_key))


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_openssl_verifies_the_request_and_reads_what_it_asks_for(corp: t.Any, kind: str) -> None:
    private: t.Any = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }[kind]()
    order = corp.order(public_key=public_der(private.public_key()))
    request = CertificateRequest(order.profile, order.identity, order.public_key)
    signed = request.signed(sign(private, request.unsigned()))
    command = ["openssl", "req", "-inform", "DER", "-verify", "-noout", "-text", "-nameopt", "RFC2253"]
    done = subprocess.run(command, input=signed, capture_output=True, check=True)
    text = (done.stdout + done.stderr).decode().replace("::", ":")  # OpenSSL 3.0 doubles the colon of another name
    assert "verify OK" in text
    for part in ("Subject: CN=Alice\n", "Microsoft Smartcard Login", "UPN:alice@corp.example", "CA:FALSE"):
        assert part in text


def test_a_request_signed_by_another_key_never_leaves(external: External) -> None:
    foreign = sign(ec.generate_private_key(ec.SECP256R1()), external.request.unsigned())
    for signature in (foreign, b"", b"\x30\x00", sign(external.private, b"something else")):
        with pytest.raises(Refusal) as refused:
            external.request.signed(signature)
        assert refused.value.code is RefusalCode.REQUEST_UNSIGNED


def test_the_right_answer_is_accepted_in_der_and_pem(external: External) -> None:
    answer = external.answer()
    accepted = external.accept(answer)
    pem = accepted.public_bytes(keyfile.serialization.Encoding.PEM)
    assert external.accept(pem) == accepted


def test_each_wrong_answer_is_refused_for_what_is_wrong(external: External) -> None:
    asked = external.request.identity
    other_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = {
        "its key is not the attested key": {"key": other_key},
        "does not carry the account's SID": {"identity": replace(asked, sid="S-1-5-21-1-2-3-500")},
        "alternative names are not those": {"identity": replace(asked, upn="admin@corp.example")},
        "lacks an extended key usage": {"profile": replace(external.request.profile, purposes=("1.3.6.1.5.5.7.3.2",))},
        "it is in force from": {"start": external.corp.watch() + YEAR},
    }
    for words, change in wrong.items():
        with pytest.raises(Refusal, match=words):
            external.accept(external.answer(**change))


def test_a_name_more_than_asked_for_is_refused(external: External) -> None:
    wider = replace(external.request.identity, dns_names=("dc1.corp.example",))
    profile = replace(external.request.profile, optional=(*external.request.profile.optional, profiles.NameKind.DNS))
    with pytest.raises(Refusal, match="alternative names are not those"):
        external.accept(external.answer(identity=wider, profile=profile))


def test_where_there_is_no_other_name_the_common_name_counts(external: External) -> None:
    """With other names a CA may write its own subject, as Active Directory's does."""
    bare = Identity.parse({"common_name": "Alice"})
    plain = replace(external, request=replace(external.request, profile=profiles.SHIPPED["tls_client"], identity=bare))
    assert plain.accept(plain.answer())
    with pytest.raises(Refusal, match="it names somebody else"):
        plain.accept(plain.answer(identity=replace(bare, common_name="Administrator")))
    assert external.accept(external.answer(identity=replace(external.request.identity, common_name="A. Liddell")))


def test_an_answer_that_the_ca_did_not_sign_is_refused(external: External) -> None:
    answer = external.answer()
    root_only = external.corp.authority.chain[1:]
    with pytest.raises(Refusal, match="none of the CA's certificates has signed it"):
        external.request.accept(answer, root_only, external.corp.watch())
    flipped = answer[:-1] + bytes([answer[-1] ^ 1])
    with pytest.raises(Refusal, match="none of the CA's certificates has signed it"):
        external.accept(flipped)


@pytest.mark.parametrize("answer", [b"", b"-----BEGIN CERTIFICATE-----", b"0" * 100])
def test_an_answer_that_is_no_certificate_is_said(external: External, answer: bytes) -> None:
    with pytest.raises(Refusal, match=r"it is no X\.509 certificate"):
        external.accept(answer)
