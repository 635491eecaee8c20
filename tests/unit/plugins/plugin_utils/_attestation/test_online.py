# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EK certificates and revocation lists that makers serve: addresses, answers, the cache."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.online import Online, certificate_urls
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.tests.support.forge import (
    DAY,
    NOW,
    Authority,
    ForgedHost,
)
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered

URL = "http://crl.maker.example/root.crl"
HOST = ForgedHost()
CERTIFICATE = HOST.certificates()[0]
INTEL, AMD = certificate_urls(HOST.ek)


def served(answers):
    asked = []

    def fetch(url):
        asked.append(url)
        return answers.get(url)

    return fetch, asked


def intel(certificate):
    encoded = base64.urlsafe_b64encode(certificate).decode().rstrip("=")
    return json.dumps({"pubhash": "", "certificate": encoded}).encode()


def test_addresses():
    assert INTEL.startswith("https://ekop.intel.com/ekcertservice/") and INTEL.endswith("%3D")
    assert AMD.startswith("https://ftpm.amd.com/pki/aia/") and len(AMD) == len("https://ftpm.amd.com/pki/aia/") + 32


def test_the_address_of_a_known_key():
    """Modulus of 256 times ff: computed with sha256sum and base64."""
    template = TEMPLATES[0].public
    ek = replace(template, area=replace(template.area, modulus=b"\xff" * 256))
    assert certificate_urls(ek) == [
        "https://ekop.intel.com/ekcertservice/FZ-qXNyCfimNKi3Lzu7LSY1sHNEdMWLCCcb5zh8tbdc%3D",
        "https://ftpm.amd.com/pki/aia/728d0542841551480d582dd87742b167",
    ]


@pytest.mark.parametrize("answers", [{INTEL: intel(CERTIFICATE)}, {AMD: CERTIFICATE}])
def test_a_certificate_is_fetched_once(tmp_path, answers):
    fetch, asked = served(answers)
    assert Online(str(tmp_path / "cache"), fetch).certificate(HOST.ek) == CERTIFICATE
    assert asked
    assert Online(str(tmp_path / "cache")).certificate(HOST.ek) == CERTIFICATE


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"{}", b'{"certificate": 3}', b'{"certificate": "MAA="}', b"<html>", CERTIFICATE[:-1]],
)
def test_an_answer_that_is_none_is_no_certificate(tmp_path, answer):
    fetch, _unused = served({INTEL: answer, AMD: answer})
    assert Online(str(tmp_path), fetch).certificate(HOST.ek) is None


def test_evidence_without_a_certificate_is_completed(tmp_path):
    host = ForgedHost(authorities=[Authority("Root CA")])
    certificate = host.certificates()[0]
    document = {**host.evidence().document(), "certificates": []}
    fetch, _unused = served({certificate_urls(host.ek)[1]: certificate})
    complete = Online(str(tmp_path), fetch).complete(document)
    assert verify(complete, host.request(), host.policy(), Remembered(), NOW).accepted
    assert document["certificates"] == []


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"certificates": []}, {"certificates": [], "ek": 3}, {"certificates": [], "ek": "MAA="}],
)
def test_what_is_no_evidence_is_left_alone(document):
    assert Online(fetch=served({})[0]).complete(document) == document


def test_a_certificate_in_the_tpm_is_not_looked_for():
    fetch, asked = served({})
    document = HOST.evidence().document()
    assert Online(fetch=fetch).complete(document) is document and not asked


def test_a_revocation_list_is_fetched_again_when_it_is_overdue(tmp_path):
    authority = Authority("Root CA")
    first, second = authority.revoke(until=NOW + DAY), authority.revoke(1, until=NOW + 9 * DAY)
    fetch, asked = served({URL: first})
    online = Online(str(tmp_path), fetch)
    assert online.revocation_list(URL, NOW) == first
    assert online.revocation_list(URL, NOW) == first and len(asked) == 1
    fetch, asked = served({URL: second})
    assert Online(str(tmp_path), fetch).revocation_list(URL, NOW + 2 * DAY) == second and asked


def test_an_overdue_list_is_better_than_none(tmp_path):
    """The verifier says what is wrong with it."""
    first = Authority("Root CA").revoke(until=NOW + DAY)
    Online(str(tmp_path), served({URL: first})[0]).revocation_list(URL, NOW)
    assert Online(str(tmp_path), served({})[0]).revocation_list(URL, NOW + 2 * DAY) == first
    assert Online(str(tmp_path)).revocation_list(URL, NOW + 2 * DAY) == first


def test_without_a_cache_and_without_a_way_out_there_is_nothing():
    assert Online().certificate(HOST.ek) is None and Online().revocation_list(URL, NOW) is None
