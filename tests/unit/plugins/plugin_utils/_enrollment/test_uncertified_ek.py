# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM without EK certificate: whom the inventory names may enrol where all profiles allow it, and nobody else."""

from __future__ import annotations

import base64
import hashlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import EK_FROM_INVENTORY
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.verification import (
    judge_again,
    kept_bundle,
)
from ansible_collections.hardbound.identity.tests.support import forge
from cryptography import x509

OWN = {"based_on": "ad_smartcard_logon", "uncertified_ek": True}
AK = {"based_on": "attestation_key", "uncertified_ek": True}
ALLOWED = {"profiles": {"lab_logon": OWN, "attestation_key": AK}, "profile": "lab_logon"}


@pytest.fixture
def bare(site, monkeypatch):
    """A host whose TPM shows an EK and no certificate."""
    shown = site.shown

    def without(enrollment):
        answer = shown(enrollment)
        answer["evidence"]["certificates"] = []
        return answer

    monkeypatch.setattr(site, "shown", without)
    return site


def named(site):
    """The fingerprint that an administrator has read from the TPM."""
    shown = site.shown(site.enrollment())["evidence"]["ek"]
    return hashlib.sha256(Public.parse(base64.b64decode(shown)).spki()).hexdigest()


def codes(enrollment):
    return {each.code for each in enrollment.refused}


def policies(body):
    found = x509.load_der_x509_certificate(body).extensions.get_extension_for_class(x509.CertificatePolicies)
    return [each.policy_identifier.dotted_string for each in found.value]


def test_an_ek_that_the_inventory_names_enrols_and_its_certificates_say_so(bare):
    enrollment = bare.enrol(ek=named(bare), **ALLOWED)
    assert (enrollment.refused, enrollment.status) == ([], Status.ENROLLED)
    issued = [each.body for each in bare.ledger.certificates() if each.activated_at]
    assert len(issued) == 3 and all(EK_FROM_INVENTORY in policies(body) for body in issued)
    ca = str(bare.issuer._authority.folder.path)
    assert judge_again(kept_bundle(bare.ledger, enrollment.evidence), ca).accepted


def test_an_ek_with_a_certificate_is_never_called_bare(site):
    assert site.enrol(ek=named(site), **ALLOWED).refused == []
    assert len(site.ledger.certificates()) == 3
    assert not [each for each in site.ledger.certificates() if EK_FROM_INVENTORY in policies(each.body)]


def test_another_ek_than_the_one_named(bare):
    ek = named(bare)
    bare.host.ek_key = forge.ecc_key()
    assert codes(bare.enrol(ek=ek, **ALLOWED)) == {"EK_NOT_PINNED"}
    assert bare.ledger.certificates() == []


def test_an_ek_that_nobody_named(bare):
    assert codes(bare.enrol(**ALLOWED)) == {"EK_CERTIFICATE_MISSING"}


@pytest.mark.parametrize("missing", ["lab_logon", "attestation_key"])
def test_a_profile_that_does_not_allow_it(bare, missing):
    own = {**ALLOWED["profiles"], missing: {"based_on": ALLOWED["profiles"][missing]["based_on"]}}
    enrollment = bare.enrol(ek=named(bare), profiles=own, profile="lab_logon")
    assert codes(enrollment) == {"EK_CERTIFICATE_MISSING"} and bare.ledger.certificates() == []


def test_a_bad_certificate_is_not_better_than_none(site):
    """Whoever shows one is judged by it."""
    ek = named(site)
    site.host.ek_certificate.not_after = forge.NOW - forge.DAY
    assert "EK_CHAIN_EXPIRED" in codes(site.enrol(ek=ek, **ALLOWED))
