# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import der
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Curve
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, certificate, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Outcome
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.packages import sa
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import (
    CertificatePlace,
    EventKind,
    RevocationReason,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import Refusal, RefusalCode
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa


def openssl(*arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


# OpenSSL prints an object identifier's name where it has one, and older releases have none for these.
NUMBERS = {
    "Microsoft NTDS CA Extension": "1.3.6.1.4.1.311.25.2",
    "Microsoft NTDS AD objectSid": "1.3.6.1.4.1.311.25.2.1",
    "tcg-at-tpmManufacturer": "2.23.133.2.1",
    "tcg-at-tpmModel": "2.23.133.2.2",
    "tcg-at-tpmVersion": "2.23.133.2.3",
    "Attestation Identity Key Certificate": "2.23.133.8.3",
}


def text_of(body: bytes) -> str:
    return in_numbers(openssl("x509", "-inform", "DER", "-noout", "-text", stdin=body))


def in_numbers(text: str) -> str:
    for name, number in NUMBERS.items():
        text = re.sub(rf"(?<![\w-]){name}(?![\w-])", number, text)
    return text


def parse(body: bytes, *options: str) -> str:
    return in_numbers(openssl("asn1parse", "-inform", "DER", *options, stdin=body))


def extension(body: bytes, name: str) -> str:
    """What OpenSSL parses inside an extension, one line a value: type and content."""
    offset = re.search(rf":{re.escape(name)}\n *(\d+):", parse(body))
    assert offset
    inner = parse(body, "-strparse", offset.group(1))
    values = (re.split("cons: |prim: ", line)[1] for line in inner.splitlines())
    return "\n".join(" ".join(value.split()) for value in values)


def pem(tmp_path: Path, body: bytes) -> str:
    path = tmp_path / "leaf.pem"
    path.write_text(openssl("x509", "-inform", "DER", stdin=body))
    return str(path)


@pytest.mark.parametrize("profile", [each for each in profiles.SHIPPED if each != "ssh_user"])
def test_openssl_verifies_each_shipped_profile(corp: t.Any, tmp_path: Path, profile: str) -> None:
    issued = corp.issuer.issue(corp.order(profile))
    at = str(int(corp.watch().timestamp()))
    checked = openssl(
        "verify",
        "-x509_strict",
        "-attime",
        at,
        "-CAfile",
        str(corp.folder.chain),
        pem(tmp_path, issued.certificate.body),
    )
    assert checked.endswith(": OK\n")


def test_a_logon_certificate_says_what_active_directory_reads(corp: t.Any) -> None:
    body = corp.issuer.issue(corp.order()).certificate.body
    text = text_of(body)
    assert re.search(r"Key Usage: critical\s+Digital Signature\n", text)
    assert re.search(r"Extended Key Usage: \n\s+Microsoft Smartcard Login, TLS Web Client Authentication\n", text)
    assert "URI:http://pki.corp.example/issuing.crl" in text
    assert extension(body, "1.3.6.1.4.1.311.25.2").splitlines() == [
        "SEQUENCE",
        "cont [ 0 ]",
        "OBJECT :1.3.6.1.4.1.311.25.2.1",
        "cont [ 0 ]",
        "OCTET STRING :S-1-5-21-1004336348-1177238915-682003330-512",
    ]
    names = extension(body, "X509v3 Subject Alternative Name")
    assert "OBJECT :Microsoft User Principal Name\ncont [ 0 ]\nUTF8STRING :alice@corp.example\n" in names


def test_a_pkinit_certificate_carries_the_principal_as_rfc_4556_has_it(corp: t.Any) -> None:
    body = corp.issuer.issue(corp.order("mit_pkinit")).certificate.body
    assert extension(body, "X509v3 Subject Alternative Name").splitlines()[:15] == [
        "SEQUENCE",
        "cont [ 0 ]",
        "OBJECT :1.3.6.1.5.2.2",
        "cont [ 0 ]",
        "SEQUENCE",
        "cont [ 0 ]",
        "GENERALSTRING",
        "cont [ 1 ]",
        "SEQUENCE",
        "cont [ 0 ]",
        "INTEGER :01",
        "cont [ 1 ]",
        "SEQUENCE",
        "GENERALSTRING",
        "cont [ 0 ]",
    ]
    assert extension(body, "X509v3 Extended Key Usage").splitlines()[1:] == [
        "OBJECT :PKINIT Client Auth",
        "OBJECT :TLS Web Client Authentication",
    ]


def test_an_ak_certificate_has_its_usage_and_the_assurance_as_policies(corp: t.Any) -> None:
    made = x509.load_der_x509_certificate(corp.issuer.issue(corp.order(profiles.AK)).certificate.body)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in usage] == ["2.23.133.8.3"]
    policies = made.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [each.policy_identifier.dotted_string[-2:] for each in policies] == [".1", ".2", ".3"]


def test_encryption_uses_agreement_for_curves_and_encipherment_for_rsa(corp: t.Any) -> None:
    rsa_key = public_der(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
    assert "Key Agreement" in text_of(corp.issuer.issue(corp.order("encryption")).certificate.body)
    assert "Key Encipherment" in text_of(
        corp.issuer.issue(corp.order("encryption", public_key=rsa_key)).certificate.body
    )


def test_nothing_of_a_hostile_request_reaches_the_certificate(corp: t.Any) -> None:
    """The attacker writes a request that makes them administrator and a CA, with a valid signature."""
    key = ec.generate_private_key(ec.SECP256R1())
    upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x12admin@corp.example")
    sid = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), b"\x30\x00")
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=Administrator"))
        .add_extension(x509.SubjectAlternativeName([upn, x509.DNSName("dc1.corp.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(sid, critical=False)
        .sign(key, hashes.SHA256())
    )
    order = corp.order("tls_client", public_key=public_der(request.public_key()))
    body = corp.issuer.issue(order).certificate.body
    made = x509.load_der_x509_certificate(body)
    assert made.subject.rfc4514_string() == "CN=Alice"
    for foreign in (b"admin@corp", b"Administrator", b"dc1.corp"):
        assert foreign not in body
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_oid(sid.oid)


@pytest.mark.parametrize("curve", Curve)
def test_a_revoked_key_does_not_pass_as_another_by_its_encoding(corp: t.Any, curve: Curve) -> None:
    key = ec.generate_private_key(curve.elliptic).public_key()
    order = corp.order(public_key=public_der(key))
    corp.issuer.issue(order)
    corp.ledger.revoke({"host": "ws-001"}, RevocationReason.KEY_COMPROMISE, corp.authority.identifier)
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    compressed = der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(curve.oid)), der.bits(point))
    for disguise in (order.public_key + b"\x00", order.public_key + order.public_key, compressed):
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(replace(order, public_key=disguise))
        assert refused.value.code is RefusalCode.KEY_UNSUITABLE


def test_keys_that_the_ca_does_not_certify_are_refused(corp: t.Any) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    other = dsa.generate_private_key(2048).public_key()
    odd = ec.generate_private_key(ec.SECP256K1()).public_key()
    for key in (weak, other, odd):
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(corp.order(public_key=public_der(key)))
        assert refused.value.code is RefusalCode.KEY_UNSUITABLE
    with pytest.raises(Refusal):
        corp.issuer.issue(corp.order(public_key=b"no key"))
    assert corp.ledger.certificates() == []


def test_a_second_order_keeps_the_certificate(corp: t.Any) -> None:
    order = corp.order()
    first = corp.issuer.issue(order)
    assert (first.outcome, first.reason) == (Outcome.ISSUED, "none yet")
    assert corp.issuer.preview(order)[:2] == (Outcome.KEPT, "")
    again = corp.issuer.issue(order)
    assert again.outcome is Outcome.KEPT
    assert again.certificate == first.certificate
    assert len(corp.ledger.certificates()) == 1


def test_a_certificate_is_renewed_when_two_thirds_are_over_and_not_before(corp: t.Any) -> None:
    order = corp.order()
    first = corp.issuer.issue(order).certificate
    corp.ledger.activate([first])
    corp.watch.turn(days=243)
    assert corp.issuer.issue(order).outcome is Outcome.KEPT
    corp.watch.turn(days=1)
    renewed = corp.issuer.issue(order)
    assert (renewed.outcome, renewed.reason) == (Outcome.RENEWED, "two thirds of its lifetime are over")
    corp.ledger.activate([renewed.certificate])
    assert corp.ledger.find(first.serial).revoked_at is None


def test_a_changed_profile_or_identity_renews_and_revokes_the_old_once_the_new_is_active(corp: t.Any) -> None:
    order = corp.order()
    first = corp.issuer.issue(order).certificate
    bob = Identity.parse({"common_name": "Bob", "upn": "bob@corp.example", "sid": "S-1-5-21-1-2-3-1105"})
    handed_on = replace(order, identity=bob)
    second = corp.issuer.issue(handed_on)
    assert (second.outcome, second.reason) == (Outcome.RENEWED, "profile or identity changed")
    assert corp.ledger.find(first.serial).revoked_at is None
    corp.ledger.activate([second.certificate])
    assert corp.ledger.find(first.serial).reason == RevocationReason.SUPERSEDED.value
    shorter = replace(handed_on, profile=replace(order.profile, days=100))
    assert corp.issuer.issue(shorter).outcome is Outcome.RENEWED


def test_a_new_key_in_the_slot_revokes_the_old_keys_certificate(corp: t.Any) -> None:
    first = corp.issuer.issue(corp.order()).certificate
    second = corp.issuer.issue(corp.order())
    other_slot = corp.issuer.issue(
        corp.order("document_signing", place=CertificatePlace("ws-001", "card", "signature"))
    )
    for issued in (second, other_slot):
        corp.ledger.activate([issued.certificate])
    assert corp.ledger.find(first.serial).reason == RevocationReason.SUPERSEDED.value
    assert corp.ledger.find(second.certificate.serial).revoked_at is None
    assert corp.ledger.find(other_slot.certificate.serial).revoked_at is None


def test_a_revoked_key_gets_no_certificate_again(corp: t.Any) -> None:
    order = corp.order()
    corp.ledger.activate([corp.issuer.issue(order).certificate])
    corp.ledger.revoke({"host": "ws-001"}, RevocationReason.CESSATION_OF_OPERATION, corp.authority.identifier)
    for profile in ("ad_smartcard_logon", "tls_client"):
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(corp.order(profile, public_key=order.public_key))
        assert refused.value.code is RefusalCode.KEY_REVOKED
    assert [event.code for event in corp.ledger.events() if event.kind is EventKind.REFUSED] == ["KEY_REVOKED"] * 2


def test_a_key_that_nobody_has_answered_for_stays_free(corp: t.Any) -> None:
    """A host shows the public key of another, which is no secret: the other gets its certificate all the same."""
    rightful = corp.order()
    liar = corp.issuer.issue(replace(rightful, place=CertificatePlace("liar", "card", "authentication"))).certificate
    corp.ledger.activate([corp.issuer.issue(rightful).certificate])
    with pytest.raises(Refusal) as late:
        corp.ledger.activate([liar])
    assert late.value.code is RefusalCode.KEY_SERVES_OTHER_CARD and not corp.ledger.find(liar.serial).activated_at
    assert [each.serial for each in corp.ledger.withdraw([liar.serial])] == [liar.serial]
    assert corp.issuer.issue(rightful).outcome is Outcome.KEPT


def test_what_was_withdrawn_is_issued_anew_for_the_same_key(corp: t.Any) -> None:
    """A connection that broke between two visits costs a certificate, not the key."""
    order = corp.order()
    first = corp.issuer.issue(order).certificate
    assert [each.serial for each in corp.ledger.withdraw([first.serial])] == [first.serial]
    assert corp.ledger.withdraw([first.serial]) == []
    with pytest.raises(Refusal) as late:
        corp.ledger.activate([first])
    assert late.value.code is RefusalCode.CERTIFICATE_WITHDRAWN
    second = corp.issuer.issue(order).certificate
    assert second.serial != first.serial and second.generation == 2
    corp.ledger.activate([second])
    assert corp.ledger.withdraw([second.serial]) == [] and not corp.ledger.find(second.serial).revoked_at


def test_what_was_signed_and_not_answered_for_is_shared_for_as_long_as_a_challenge_lasts(corp: t.Any) -> None:
    order = corp.order()
    first = corp.issuer.issue(order)
    corp.watch.turn(minutes=9)
    again = corp.issuer.issue(order)
    assert again.outcome is Outcome.KEPT and again.certificate == first.certificate
    assert corp.ledger.left_over(corp.authority.identifier) == []
    corp.watch.turn(minutes=1)
    assert corp.issuer.issue(order).certificate.generation == 2
    corp.watch.turn(minutes=11)
    own = corp.authority.identifier
    assert [each.serial for each in corp.ledger.left_over(own)] == [first.certificate.serial]
    assert corp.ledger.left_over("another CA") == []


@pytest.mark.parametrize("kind", ["ad_smartcard_logon", "ssh_user"])
def test_a_body_is_for_the_cas_eyes_until_its_key_is_proved(corp: t.Any, kind: str) -> None:
    issued = corp.issuer.issue(corp.order(kind)).certificate
    kept = corp.ledger.find(issued.serial)
    assert kept.is_closed and issued.body not in kept.body
    assert corp.authority.safe().open(kept.serial, kept.body) == issued.body
    corp.ledger.activate([issued])
    assert corp.ledger.find(issued.serial).body == issued.body


def test_a_closed_body_that_was_changed_is_not_handed_on(corp: t.Any) -> None:
    """Not even one that the CA has closed, for another certificate."""
    order, table = corp.order(), schema.certificates
    first, other = corp.issuer.issue(order).certificate, corp.issuer.issue(corp.order()).certificate
    for body in (corp.ledger.find(other.serial).body, b"short", os.urandom(500)):
        change = sa.update(table).where(table.c.serial == first.serial).values(body=body)
        corp.ledger.writing(lambda connection, change=change: connection.execute(change))
        with pytest.raises(StateError, match=f"the certificate {first.serial} was changed in the ledger"):
            corp.issuer.issue(order)


def test_one_key_never_serves_two_cards(corp: t.Any) -> None:
    order = corp.order()
    corp.ledger.activate([corp.issuer.issue(order).certificate])
    for place in (
        CertificatePlace("ws-002", "card", "authentication"),
        CertificatePlace("ws-001", "other", "authentication"),
    ):
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(replace(order, place=place))
        assert refused.value.code is RefusalCode.KEY_SERVES_OTHER_CARD


def test_all_of_a_hosts_certificates_or_none(corp: t.Any) -> None:
    good = corp.order()
    bad = corp.order("tls_client", public_key=b"no key")
    with pytest.raises(Refusal):
        corp.issuer.issue_all([good, bad])
    assert corp.ledger.certificates() == []
    pair = [good, corp.order(profiles.AK, place=CertificatePlace("ws-001", "card", "attestation"))]
    assert [each.outcome for each in corp.issuer.issue_all(pair)] == [Outcome.ISSUED] * 2
    kept = corp.issuer.issue_all(pair)
    assert [each.outcome for each in kept] == [Outcome.KEPT] * 2
    corp.ledger.activate([each.certificate for each in kept])
    corp.watch.turn(days=300)
    assert [each.outcome for each in corp.issuer.issue_all(pair)] == [Outcome.RENEWED, Outcome.KEPT]


def test_a_key_that_was_not_verified_to_be_fixed_is_refused(corp: t.Any) -> None:
    for profile, assurance in (("ad_smartcard_logon", Assurance.RESIDENT), (profiles.AK, Assurance.FIXED)):
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(corp.order(profile, assurance=assurance))
        assert refused.value.code is RefusalCode.ASSURANCE_TOO_LOW


@pytest.mark.parametrize("name", ["upn", "principal", "email"])
def test_names_outside_the_permitted_domains_are_refused(corp: t.Any, name: str) -> None:
    for domain, allowed in (("CORP.example", True), ("sales.corp.example", True), ("evilcorp.example", False)):
        identity = Identity.parse({"common_name": "A", name: f"a@{domain}"})
        order = corp.order("tls_client", identity=identity)
        if allowed:
            assert corp.issuer.issue(order).changed
            continue
        with pytest.raises(Refusal) as refused:
            corp.issuer.issue(order)
        assert refused.value.code is RefusalCode.DOMAIN_NOT_PERMITTED


def test_a_logon_profile_needs_a_ca_that_publishes_its_crl(corp: t.Any) -> None:
    corp.folder.settings.write_bytes(authority.Settings().encode())
    corp.reopen()
    with pytest.raises(InputError, match="crl_urls is empty, and profile ad_smartcard_logon needs it"):
        corp.issuer.issue(corp.order())


def test_no_certificate_outlives_the_ca(corp: t.Any) -> None:
    corp.watch.turn(days=1700)
    issued = corp.issuer.issue(corp.order()).certificate
    end = certificate.Validity.of(profiles.SHIPPED["tls_client"], corp.watch(), corp.authority.certificate).end
    assert issued.not_after == int(end.timestamp())
    corp.watch.turn(days=200)
    with pytest.raises(StateError, match="issuing CA expired"):
        corp.issuer.issue(corp.order())


def _enrol(folder: authority.CaFolder, watch: t.Any, orders: t.Any, start: t.Any, results: t.Any) -> None:
    ledger = Ledger(folder.ledger_url, watch)
    issuer = Issuer(authority.Authority(folder, "correct horse battery staple"), ledger)
    start.wait()
    results.put([issuer.issue(order).certificate.serial for order in orders])


def test_processes_that_enrol_the_same_keys_at_once_get_one_certificate_each(corp: t.Any) -> None:
    context = multiprocessing.get_context("fork")
    orders = [corp.order(place=CertificatePlace(f"ws-{number}", "card", "authentication")) for number in range(10)]
    corp.ledger.close()
    start, results = context.Event(), context.Queue()
    arguments = (corp.folder, corp.watch, orders, start, results)
    workers = [context.Process(target=_enrol, args=arguments) for _each in range(6)]
    for worker in workers:
        worker.start()
    start.set()
    serials = [results.get(timeout=60) for _each in workers]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert all(each == serials[0] for each in serials)
    assert sorted(each.serial for each in corp.ledger.certificates()) == sorted(serials[0])
    assert [event.kind for event in corp.ledger.events()] == [EventKind.ISSUED] * 10


def test_an_ak_certificate_as_openssl_reads_it(corp):
    text = text_of(corp.issuer.issue(corp.order("attestation_key")).certificate.body)
    assert re.search(r"Subject: *\n", text) and "X509v3 Subject Alternative Name: critical" in text
    dotted = "/2.23.133.2.1=id:4C414200/2.23.133.2.2=Lab/2.23.133.2.3=id:00010002"
    assert f"DirName:{dotted}" in text.replace(" = ", "=").replace(" + ", "+")
    assert "2.23.133.8.3" in text and "CA:FALSE" in text


def test_an_ak_certificate_is_renewed_when_the_tpm_is_called_otherwise(corp):
    order = corp.order("attestation_key")
    corp.issuer.issue(order)
    other = replace(order, tpm=replace(order.tpm, version="id:00020000"))
    assert corp.issuer.preview(other)[0] is Outcome.RENEWED


def test_an_attestation_key_in_a_tpm_that_nobody_vouches_for(corp):
    with pytest.raises(Refusal, match="names a TPM, and no EK certificate says which") as raised:
        corp.issuer.issue(corp.order("attestation_key", tpm=None))
    assert raised.value.code is RefusalCode.TPM_UNNAMED
    assert corp.ledger.certificates() == []
