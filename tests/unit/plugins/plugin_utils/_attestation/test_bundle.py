# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle is verified again, from itself and the CA's certificate, and tells when it proves nothing."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import answer
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.bundle import verify_and_keep
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import Certificate
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code, Report
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.pending import PendingChallenge
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.seal import judge_bundle, seal
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, evidence_key
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import Signer
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import NOW, ForgedHost
from ansible_collections.hardbound.identity.tests.support.garbage import json_values, places
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

LIST = "http://crl.maker.example/root.crl"


class Ca:
    """A CA that judges; without a folder."""

    def __init__(self, domains=()):
        blueprint = authority.Blueprint("Corp", permitted_domains=domains)
        root_key, key = forge.ecc_key(), forge.ecc_key()
        root = Signer(authority.root_certificate(blueprint, root_key, NOW - forge.DAY), root_key)
        certificate = authority.issuing_certificate(root, blueprint, key, NOW - forge.DAY)
        self.root, self.issuing = root, Signer(certificate, key)

    @property
    def signer(self):
        key = evidence_key.derive(self.issuing.key)
        return Signer(evidence_key.certify(self.issuing, key), key)

    def trust(self, *certificates):
        return Trust.of(Certificate.parse(forge.der(each)) for each in certificates or [self.root.certificate])

    def seal(self, content, proofs, signer=None):
        return json.loads(seal(content, proofs, signer or self.signer, forge.der(self.issuing.certificate)))


CA = Ca()


def prove(host, name=forge.CARD):
    """The answer of a TPM that opened the challenge."""
    [card] = [each for each in host.cards if each.name == name]
    pending = PendingChallenge(host.ek, card.ak, host.host, name, b"certificates", NOW)
    given = answer(pending._secret, name, pending.challenge.sealed)
    assert pending.accept(host.host, name, given, NOW, Report(name))
    return pending.proof(NOW)


def make(host=None, known=None, request=None, policy=None, proofs=None, ca=CA):
    host = host or ForgedHost()
    document = host.evidence().document()
    verdict, content = verify_and_keep(
        document, request or host.request(), policy or host.policy(), known or Remembered(), NOW
    )
    return verdict, ca.seal(content, [prove(host)] if proofs is None else proofs)


def verify_again(bundle, trust=None):
    return judge_bundle(bundle, CA.trust(), trust)


def codes(verdict):
    return {finding.code for finding in verdict.findings}


def test_a_bundle_is_verified_again():
    first, bundle = make()
    again = verify_again(bundle)
    assert first.accepted and again.accepted and again.document()["cards"] == first.document()["cards"]


def test_a_refusal_is_found_again():
    host = ForgedHost()
    host.card.ak_attributes &= ~forge.A.RESTRICTED
    first, bundle = make(host, Remembered(eks={host.host: "0" * 64}))
    assert codes(verify_again(bundle)) == codes(first) == {Code.AK_ATTRIBUTES, Code.EK_CHANGED}


def test_a_bundle_without_a_path_is_found_again():
    host = ForgedHost()
    verdict, bundle = make(host, policy=ForgedHost(authorities=[forge.Authority("X")]).policy())
    assert codes(verify_again(bundle)) == codes(verdict) == {Code.EK_CHAIN_UNTRUSTED}


def test_revocation_lists_are_kept():
    host = ForgedHost()
    root = host.authorities[0]
    host.authorities = [root]
    host.ek_certificate.more.append((forge.crl_points(LIST), False))
    policy = replace(host.policy(), revocation=RevocationPolicy.REQUIRED, lists={LIST: root.revoke()}.get)
    verdict, bundle = make(host, policy=policy)
    assert verdict.accepted and verify_again(bundle).accepted


def test_the_bundles_own_anchors_are_believed_with_a_warning_only():
    host = ForgedHost()
    _unused, bundle = make(host)
    assert "anchors" in verify_again(bundle).warnings[0]
    assert verify_again(bundle, host.policy().trust).warnings == ()


def test_other_anchors_are_believed_more_than_the_bundles():
    _unused, bundle = make()
    stranger = ForgedHost(authorities=[forge.Authority("X")])
    assert Code.EK_CHAIN_UNTRUSTED in codes(verify_again(bundle, stranger.policy().trust))


@pytest.mark.parametrize(
    "path, value",
    [
        (("record", "host"), "ws-666"),
        (("record", "findings"), [{"code": "EK_REVOKED", "sentence": "", "card": ""}]),
        (("record", "ek", "fingerprint"), "0" * 64),
        (("record", "cards"), {}),
        (("record",), None),
    ],
)
def test_an_altered_record_is_noticed_whoever_signed_it(path, value):
    _unused, bundle = make()
    content = bundle["content"]
    at = content
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    assert codes(verify_again(bundle)) == {Code.BUNDLE_UNSIGNED}
    assert codes(verify_again(CA.seal(content, content["answers"]))) == {Code.BUNDLE_ALTERED}


def test_a_refusal_that_is_recorded_as_accepted_is_noticed():
    host = ForgedHost()
    host.card.ak_attributes &= ~forge.A.RESTRICTED
    _unused, bundle = make(host)
    bundle["content"]["record"]["findings"] = []
    signed_anew = CA.seal(bundle["content"], bundle["content"]["answers"])
    assert codes(verify_again(signed_anew)) == {Code.AK_ATTRIBUTES, Code.BUNDLE_ALTERED}


_unused, BUNDLE = make()


@pytest.mark.parametrize("field", sorted(BUNDLE))
def test_a_bundle_without_a_field_is_malformed(field):
    bundle = {name: value for name, value in BUNDLE.items() if name != field}
    assert codes(verify_again(bundle)) == {Code.BUNDLE_MALFORMED}


@pytest.mark.parametrize("field", sorted(BUNDLE["content"].keys() - {"answers"}))
def test_signed_content_without_a_field_is_malformed(field):
    content = {name: value for name, value in BUNDLE["content"].items() if name != field}
    try:
        bundle = CA.seal(content, BUNDLE["content"]["answers"])
    except KeyError:
        return
    assert codes(verify_again(bundle)) <= {Code.BUNDLE_MALFORMED, Code.BUNDLE_UNSIGNED}


# Who has judged.


def test_a_bundle_convinces_nobody_who_has_named_no_ca():
    assert codes(judge_bundle(BUNDLE, None)) == {Code.BUNDLE_UNSIGNED}


def test_a_bundle_of_another_ca_convinces_nobody():
    _unused, bundle = make(ca=Ca())
    assert codes(verify_again(bundle)) == {Code.BUNDLE_UNSIGNED}


@pytest.mark.parametrize("domains", [(), ("corp.example",)])
def test_the_root_alone_is_enough_and_so_is_the_issuing_ca(domains):
    ca = Ca(domains)
    _unused, bundle = make(ca=ca)
    for certificates in ([ca.root.certificate], [ca.issuing.certificate]):
        assert judge_bundle(bundle, ca.trust(*certificates)).accepted


@pytest.mark.parametrize("key", ["issuing", "user"])
def test_no_other_key_of_the_ca_signs_evidence(key):
    """Somebody's card can sign, too, and its certificate is of the same CA."""
    certificate, private = CA.issuing.certificate, CA.issuing.key
    if key == "user":
        private = forge.ecc_key()
        purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")])
        builder = x509.CertificateBuilder(
            certificate.subject, forge.name("Alice"), private.public_key(), 5, NOW - forge.DAY, NOW + forge.DAY
        )
        certificate = builder.add_extension(purposes, False).sign(CA.issuing.key, hashes.SHA256())
    _unused, content = make()
    forged = CA.seal(content["content"], content["content"]["answers"], Signer(certificate, private))
    assert codes(verify_again(forged)) == {Code.BUNDLE_UNSIGNED}


@pytest.mark.parametrize(
    "path, value",
    [
        (("request", "host"), "ws-666.corp.example"),
        (("at",), "2029-06-01T00:00:00Z"),
        (("revocation", "policy"), "off"),
        (("request", "cards", 0, "pin_retries"), 99),
        (("answers", 0, "at"), "2029-06-01T00:00:00Z"),
    ],
)
def test_what_was_signed_is_not_told_of_another_host_time_or_demand(path, value):
    bundle = copy.deepcopy(BUNDLE)
    at = bundle["content"]
    for name in path[:-1]:
        at = at[name]
    assert at[path[-1]] != value
    at[path[-1]] = value
    assert codes(verify_again(bundle)) == {Code.BUNDLE_UNSIGNED}


# Who has answered.


def test_evidence_of_a_tpm_that_never_answered_is_not_accepted():
    """Software keys under the real EK certificate of a TPM that the host does not have."""
    _unused, bundle = make(proofs=[])
    assert codes(verify_again(bundle)) == {Code.BUNDLE_UNANSWERED}


def test_a_wrong_answer_is_not_accepted_even_if_it_is_signed():
    host = ForgedHost()
    proof = prove(host)
    proof["answer"] = base64.b64encode(bytes(32)).decode()
    _unused, bundle = make(host, proofs=[proof])
    assert codes(verify_again(bundle)) == {Code.BUNDLE_MALFORMED}


def test_the_answer_of_another_card_is_not_accepted():
    host = ForgedHost()
    stranger = ForgedHost()
    stranger.card.name = "Another"
    _unused, bundle = make(host, proofs=[prove(stranger, "Another")])
    assert codes(verify_again(bundle)) == {Code.BUNDLE_UNANSWERED}


def test_a_challenge_that_was_not_answered_is_no_proof():
    host = ForgedHost()
    pending = PendingChallenge(host.ek, host.card.ak, host.host, forge.CARD, b"certificates", NOW)
    assert not pending.accept(host.host, forge.CARD, bytes(32), NOW, Report(forge.CARD))
    with pytest.raises(ValueError, match="was not answered"):
        pending.proof(NOW)


@given(st.sampled_from([path for path in places(BUNDLE) if path]), json_values)
def test_garbage_anywhere_never_raises(path, value):
    bundle = copy.deepcopy(BUNDLE)
    at = bundle
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    verdict = verify_again(bundle)
    assert all(finding.sentence for finding in verdict.findings)


@given(json_values)
def test_garbage_is_malformed(value):
    assert codes(verify_again(value)) == {Code.BUNDLE_MALFORMED}
