# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements of cards before verifiers that are not ours: WebAuthn Level 2, section 8.3, attestation format "tpm".

A relying party trusts the root of the CA alone. All verifiers want an ECDSA signature in DER, as WebAuthn has it
everywhere else (section 6.5.6), and not the TPMT_SIGNATURE that section 8.3 speaks of.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import typing as t
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import unsized
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import certificate
from ansible_collections.hardbound.identity.tests.integration.attestation.bench import Bench, now
from ansible_collections.hardbound.identity.tests.integration.attestation.certified import (
    SOFTWARE_TPM,
    Corp,
    bench,
    corp,
    known_maker,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

WHICH = "of a release that runs beside cryptography 38: tests/requirements/pip-old.txt"
fido2_base = pytest.importorskip("fido2.attestation", reason=f"needs PyPI's fido2 {WHICH}")
cose = pytest.importorskip("fido2.cose", reason=f"needs PyPI's fido2 {WHICH}")
fido2 = pytest.importorskip("fido2.webauthn", reason=f"needs PyPI's fido2 {WHICH}")
webauthn = pytest.importorskip("webauthn", reason=f"needs PyPI's webauthn {WHICH}")
structs = pytest.importorskip("webauthn.helpers.structs", reason=f"needs PyPI's webauthn {WHICH}")

__all__ = ["bench", "corp", "known_maker"]
pytestmark = pytest.mark.tpm

RELYING_PARTY, ORIGIN, CHALLENGE = "corp.example", "https://corp.example", bytes(range(32))
NO_AAGUID = bytes(16)
ES256 = -7


@dataclass(frozen=True)
class Registration:
    """What a client sends to a relying party; each part can be exchanged for a lie."""

    credential_key: t.Any
    chain: t.Tuple[bytes, ...]
    statement: t.Dict[str, t.Any] = field(default_factory=dict)
    challenge: bytes = CHALLENGE

    @property
    def client_data(self) -> t.Any:
        return fido2.CollectedClientData.create(fido2.CollectedClientData.TYPE.CREATE, self.challenge, ORIGIN)

    @property
    def authenticator_data(self) -> t.Any:
        credential = fido2.AttestedCredentialData.create(NO_AAGUID, b"authentication", self.credential_key)
        flag = fido2.AuthenticatorData.FLAG
        party = hashlib.sha256(RELYING_PARTY.encode()).digest()
        return fido2.AuthenticatorData.create(party, flag.UP | flag.UV | flag.AT, 0, credential)

    @property
    def to_be_attested(self) -> bytes:
        """The extraData of the statement, WebAuthn Level 2, section 8.3."""
        return hashlib.sha256(self.authenticator_data + hashlib.sha256(self.client_data).digest()).digest()

    @property
    def attestation_object(self) -> t.Any:
        statement = {"ver": "2.0", "alg": ES256, "x5c": list(self.chain), **self.statement}
        return fido2.AttestationObject.create("tpm", self.authenticator_data, statement)


RUBY = """
require "base64"
require "json"
require "tpm/key_attestation"
asked = JSON.parse($stdin.read)
bytes = ->(text) { Base64.strict_decode64(text) }
TPM.send(:const_set, :VENDOR_IDS, TPM.send(:remove_const, :VENDOR_IDS).merge(asked["makers"]))
statement = asked["statement"].transform_values(&bytes)
seen = TPM::KeyAttestation.new(
  statement["certInfo"], statement["sig"], statement["pubArea"], asked["chain"].map(&bytes), bytes.(asked["nonce"]),
  signature_algorithm: TPM::ALG_ECDSA,
  trusted_certificates: [OpenSSL::X509::Certificate.new(bytes.(asked["root"]))]
)
puts [seen.valid? ? "accepted" : "refused", *seen.key&.public_to_der&.unpack1("H*")].join(" ")
"""
"""What a relying party in Ruby would write."""


class RelyingParty:
    """Trusts one root."""

    def __init__(self, root: x509.Certificate) -> None:
        self.root = root

    def ask_fido2(self, registration: Registration) -> None:
        root = self.root.public_bytes(Encoding.DER)

        class Verifier(fido2_base.AttestationVerifier):  # type: ignore[misc,name-defined]
            def ca_lookup(self, result: t.Any, data: t.Any) -> bytes:
                return root

        Verifier([fido2_base.TpmAttestation()]).verify_attestation(
            registration.attestation_object, registration.client_data.hash
        )

    def ask_webauthn(self, registration: Registration) -> t.Any:
        encoded = webauthn.helpers.bytes_to_base64url
        response = {
            "clientDataJSON": encoded(bytes(registration.client_data)),
            "attestationObject": encoded(bytes(registration.attestation_object)),
        }
        name = encoded(b"authentication")
        credential = {"id": name, "rawId": name, "response": response, "type": "public-key"}
        return webauthn.verify_registration_response(
            credential=structs.RegistrationCredential.parse_raw(json.dumps(credential)),
            expected_challenge=CHALLENGE,
            expected_rp_id=RELYING_PARTY,
            expected_origin=ORIGIN,
            require_user_verification=True,
            pem_root_certs_bytes_by_fmt={
                structs.AttestationFormat.TPM: [self.root.public_bytes(Encoding.PEM)],
            },
        )

    def ask_ruby(self, registration: Registration, known: t.Tuple[str, ...] = (SOFTWARE_TPM,)) -> str:
        """``accepted`` with the certified key in hex, where it can tell, or ``refused``."""
        question = {
            "makers": dict.fromkeys(known, "software"),
            "statement": {name: encoded(value) for name, value in registration.statement.items()},
            "chain": [encoded(each) for each in registration.chain],
            "nonce": encoded(registration.to_be_attested),
            "root": encoded(self.root.public_bytes(Encoding.DER)),
        }
        command = ["ruby", "-e", RUBY]
        done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def public_area(bench: Bench, slot: int) -> bytes:
    return unsized(bench.record.keys[slot].blob.public, "TPM2B_PUBLIC", 1024)


def cose_key(key: t.Any) -> t.Any:
    kind = cose.ES256 if isinstance(key, ec.EllipticCurvePublicKey) else cose.RS256
    return kind.from_cryptography_key(key)


def register(bench: Bench, corp: Corp, slot: int = 0x9A) -> Registration:
    """What a client of the card would send: the PIN was verified, and the TPM states what it certifies."""
    area = public_area(bench, slot)
    draft = Registration(cose_key(Public.parse(area).public_key()), corp.chain(bench))
    return certified(bench, slot, draft, draft)


def certified(bench: Bench, slot: int, stated: Registration, shown: Registration) -> Registration:
    statement = bench.card.certify(slot, stated.to_be_attested)
    signature = Signature.parse(statement.signature).value
    parts = {"pubArea": public_area(bench, slot), "certInfo": statement.attest, "sig": signature}
    return replace(shown, statement=parts)


def forged_signature(registration: Registration) -> bytes:
    """By another key than that of the AK certificate."""
    return ec.generate_private_key(ec.SECP256R1()).sign(registration.statement["certInfo"], ec.ECDSA(SHA256()))


def earlier_certificate(bench: Bench, corp: Corp) -> bytes:
    """As an earlier release made it for an AK: with the computer as subject."""
    order = corp.order(bench)
    signer = corp.authority.issuing()
    key = certificate.load_public_key(order.public_key)
    validity = certificate.Validity.of(order.profile, now(), signer.certificate)
    settings = corp.authority.settings
    made = certificate.build(order.profile, order.identity, key, order.assurance, signer, settings, validity)
    return made.public_bytes(Encoding.DER)


@pytest.fixture
def asked(known_maker, corp):
    """Both verifiers; the words of those who refuse, by their name."""
    party = RelyingParty(corp.root)

    def ask(registration: Registration) -> t.Dict[str, str]:
        refused = {}
        for name, verify in (("fido2", party.ask_fido2), ("webauthn", party.ask_webauthn)):
            try:
                verify(registration)
            except Exception as error:  # each verifier has errors of its own
                refused[name] = f"{type(error).__name__}: {error}"
        return refused

    return ask


@pytest.mark.parametrize("slot", [0x9A, 0x9C])
def test_both_verifiers_believe_a_key_of_a_card_up_to_our_root(bench, corp, asked, slot):
    """9A is on P-256, 9C is RSA 2048."""
    assert asked(register(bench, corp, slot)) == {}


def test_the_verifier_reads_the_maker_from_our_certificate(bench, corp):
    """Without the relying party's consent to software TPMs, the maker is the one thing that it minds."""
    with pytest.raises(Exception, match=f'^Unrecognized TPM Manufacturer "{SOFTWARE_TPM}"'):
        RelyingParty(corp.root).ask_webauthn(register(bench, corp))


def test_another_key_than_the_one_certified(bench, corp, asked):
    """A key of software beside the statement on the card's."""
    mine = cose_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    lie = certified(bench, 0x9A, replace(register(bench, corp), credential_key=mine), register(bench, corp))
    refused = asked(replace(lie, credential_key=mine))
    assert "does not match" in refused["fido2"] and "was not same as public key" in refused["webauthn"]


def test_a_public_area_of_another_key(bench, corp, asked):
    """Key and public area agree, and the statement is on another key of the card."""
    other = register(bench, corp, 0x9E)
    lie = certified(bench, 0x9A, other, other)
    refused = asked(replace(lie, statement={**lie.statement, "pubArea": public_area(bench, 0x9E)}))
    assert "valid name for pubArea" in refused["fido2"] and "name did not match" in refused["webauthn"]


def test_a_statement_on_another_challenge(bench, corp, asked):
    old = register(bench, corp)
    refused = asked(certified(bench, 0x9A, replace(old, challenge=bytes(32)), old))
    assert "does not sign" in refused["fido2"] and "extra data did not match" in refused["webauthn"]


def test_a_statement_signed_by_another_ak(bench, corp, asked):
    """The AK certificate is ours, the signature is not by its key."""
    good = register(bench, corp)
    forged = forged_signature(good)
    refused = asked(replace(good, statement={**good.statement, "sig": forged}))
    assert "signature of certInfo" in refused["fido2"] and "attestation statement signature" in refused["webauthn"]


def test_an_ak_certificate_of_a_ca_that_nobody_trusts(bench, corp, asked, tmp_path):
    stranger = Corp(tmp_path / "ca")
    refused = asked(register(bench, stranger))
    stranger.ledger.close()
    assert "UntrustedAttestation" in refused["fido2"] and "chain could not be validated" in refused["webauthn"]


def test_an_ak_certificate_of_an_earlier_release(bench, corp, asked):
    """With the computer as subject, and no TPM: what this release issues in its place is believed."""
    good = register(bench, corp)
    refused = asked(replace(good, chain=(earlier_certificate(bench, corp), good.chain[1])))
    assert "SubjectAlternativeName'> extension was" in refused["fido2"]
    assert "was not empty" in refused["webauthn"]


@pytest.fixture
def ruby(corp):
    found = subprocess.run(["ruby", "-rtpm/key_attestation", "-e", ""], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("needs ruby-tpm-key-attestation, as in Debian's package of that name")
    return RelyingParty(corp.root)


def test_ruby_believes_a_key_of_a_card_up_to_our_root(bench, corp, ruby):
    """It gives back RSA keys, and of those on curves only such as are bound to one scheme, which a card's are not."""
    assert ruby.ask_ruby(register(bench, corp)) == "accepted"
    assert ruby.ask_ruby(register(bench, corp, 0x9C)) == f"accepted {bench.record.keys[0x9C].public.hex()}"
    assert ruby.ask_ruby(register(bench, corp), known=()) == "refused"  # for the maker's sake


def test_ruby_believes_no_lie(bench, corp, ruby, tmp_path):
    good, stranger = register(bench, corp), Corp(tmp_path / "ca")
    lies = (
        replace(good, challenge=bytes(32)),
        replace(good, statement={**good.statement, "pubArea": public_area(bench, 0x9E)}),
        replace(good, statement={**good.statement, "sig": forged_signature(good)}),
        replace(good, chain=(earlier_certificate(bench, corp), good.chain[1])),
        replace(good, chain=stranger.chain(bench)),
    )
    stranger.ledger.close()
    assert [ruby.ask_ruby(lie) for lie in lies] == ["refused"] * len(lies)
