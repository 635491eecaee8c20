# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle is verified again from itself alone, and tells when it was altered."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.bundle import (
    verify_again,
    verify_and_keep,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.known import Remembered
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import NOW, ForgedHost
from hypothesis import given
from hypothesis import strategies as st

LIST = "http://crl.maker.example/root.crl"


def make(host=None, known=None, request=None):
    host = host or ForgedHost()
    document = host.evidence().document()
    request = request or host.request()
    verdict, bundle = verify_and_keep(document, request, host.policy(), known or Remembered(), NOW)
    return verdict, json.loads(json.dumps(bundle))


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
    verdict, bundle = verify_and_keep(
        host.evidence().document(),
        host.request(),
        ForgedHost(authorities=[forge.Authority("X")]).policy(),
        Remembered(),
        NOW,
    )
    assert codes(verify_again(json.loads(json.dumps(bundle)))) == codes(verdict) == {Code.EK_CHAIN_UNTRUSTED}


def test_revocation_lists_are_kept():
    host = ForgedHost()
    root = host.authorities[0]
    host.authorities = [root]
    host.ek_certificate.more.append((forge.crl_points(LIST), False))
    policy = replace(host.policy(), revocation=RevocationPolicy.REQUIRED, lists={LIST: root.revoke()}.get)
    verdict, bundle = verify_and_keep(host.evidence().document(), host.request(), policy, Remembered(), NOW)
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
def test_an_altered_record_is_noticed(path, value):
    _unused, bundle = make()
    at = bundle
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    assert codes(verify_again(bundle)) == {Code.BUNDLE_ALTERED}


def test_a_refusal_that_is_recorded_as_accepted_is_noticed():
    host = ForgedHost()
    host.card.ak_attributes &= ~forge.A.RESTRICTED
    _unused, bundle = make(host)
    bundle["record"]["findings"] = []
    assert codes(verify_again(bundle)) == {Code.AK_ATTRIBUTES, Code.BUNDLE_ALTERED}


_unused, BUNDLE = make()


@pytest.mark.parametrize("field", sorted(BUNDLE))
def test_a_bundle_without_a_field_is_malformed(field):
    bundle = {name: value for name, value in BUNDLE.items() if name != field}
    assert codes(verify_again(bundle)) == {Code.BUNDLE_MALFORMED}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from places(member, (*path, at))


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
