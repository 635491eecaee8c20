# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for attested keys: only for those keys, only ours, only while they hold."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import Certificate
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code, Report
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.issued import (
    check_ak_certificate,
    check_certificate,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import (
    DAY,
    NOW,
    Authority,
    ForgedHost,
)
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from cryptography import x509

AK_PURPOSE = x509.ObjectIdentifier("2.23.133.8.3")
OURS = Authority("Issuing CA", organisation="Corp")
TRUST = Trust.of([Certificate.parse(forge.der(OURS.certificate))])
HOST = ForgedHost()
AK = HOST.card.ak


def ak_certificate(
    authority=OURS, purpose=AK_PURPOSE, key=None, not_before=NOW - DAY, not_after=NOW + DAY, ca=False
) -> bytes:
    key = key or HOST.card.ak_key
    extensions = [
        (x509.BasicConstraints(ca=ca, path_length=None), True),
        (x509.ExtendedKeyUsage([purpose]), False),
    ]
    return forge.der(authority.issue(key.public_key(), forge.name("AK"), extensions, not_before, not_after))


def look(data: bytes, revoked: bool = False):
    report = Report()
    check_ak_certificate(data, AK, TRUST, lambda serial: revoked, NOW, report)
    return {finding.code for finding in report.findings}


def test_our_ak_certificate_is_accepted():
    assert look(ak_certificate()) == set()


@pytest.mark.parametrize(
    "code, changes",
    [
        (Code.AK_CERTIFICATE_PURPOSE, {"purpose": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")}),
        (Code.AK_CERTIFICATE_PURPOSE, {"ca": True}),
        (Code.AK_CERTIFICATE_ISSUER, {"authority": Authority("Issuing CA", organisation="Corp")}),
        (Code.AK_CERTIFICATE_ISSUER, {"authority": Authority("Another CA")}),
        (Code.AK_CERTIFICATE_EXPIRED, {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY}),
        (Code.AK_CERTIFICATE_EXPIRED, {"not_before": NOW + DAY, "not_after": NOW + 2 * DAY}),
        (Code.AK_CERTIFICATE_OTHER_CARD, {"key": forge.ecc_key()}),
    ],
)
def test_only_this_check_fails(code, changes):
    assert look(ak_certificate(**changes)) == {code}


def test_a_revoked_ak_certificate_is_refused():
    assert look(ak_certificate(), revoked=True) == {Code.AK_CERTIFICATE_REVOKED}


@pytest.mark.parametrize("damage", [b"", b"\x30\x00", ak_certificate()[:-1], ak_certificate() + b"\0"])
def test_what_is_no_certificate_is_refused(damage):
    assert look(damage) == {Code.AK_CERTIFICATE_MALFORMED}


def attested():
    verdict = verify(HOST.evidence().document(), HOST.request(), HOST.policy(), Remembered(), NOW)
    return verdict.cards[HOST.card.name].keys["authentication"]


def test_a_certificate_for_the_attested_key_is_accepted():
    report = Report()
    check_certificate(ak_certificate(key=HOST.card.keys[0].private), attested(), report)
    assert report.findings == []


@pytest.mark.parametrize("data", [ak_certificate(), b"no certificate"])
def test_a_certificate_for_another_key_is_refused(data):
    report = Report()
    check_certificate(data, attested(), report)
    assert [finding.code for finding in report.findings] == [Code.CERTIFICATE_OTHER_KEY]
