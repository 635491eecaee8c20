# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence that is cut, flipped or blown up in any place: a refusal in words, never a traceback, never accepted."""

from __future__ import annotations

import base64
import copy

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import NOW, ForgedHost
from ansible_collections.hardbound.identity.tests.support.garbage import (
    json_values,
    places,
)
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from hypothesis import given, settings
from hypothesis import strategies as st

HOST = ForgedHost(puk=True)
DOCUMENT = HOST.evidence().document()
REQUEST, POLICY = HOST.request(), HOST.policy()


def at(document, path):
    for name in path:
        document = document[name]
    return document


def replaced(path, value):
    document = copy.deepcopy(DOCUMENT)
    at(document, path[:-1])[path[-1]] = value
    return document


def judge(document):
    return verify(document, REQUEST, POLICY, Remembered(), NOW)


def is_blob(path):
    value = at(DOCUMENT, path)
    return isinstance(value, str) and path[-1] not in ("name", "slot")


BLOBS = [path for path in places(DOCUMENT) if path and is_blob(path)]
UNNEEDED = ("certificates", 1)
"""What stands beside the intermediate; a host may send more certificates than are needed."""


def test_there_are_blobs_in_all_places():
    assert len(BLOBS) > 15 and judge(DOCUMENT).accepted


def refused(document):
    verdict = judge(document)
    assert verdict.findings and all(finding.sentence.endswith(".") for finding in verdict.findings)
    assert len(verdict.message) < 700


@pytest.mark.parametrize("path", BLOBS, ids=lambda path: ".".join(str(part) for part in path))
@settings(max_examples=15)
@given(st.data())
def test_a_cut_blob_is_refused(path, data):
    blob = base64.b64decode(at(DOCUMENT, path))
    cut = blob[: data.draw(st.integers(0, len(blob) - 1))]
    refused(replaced(path, base64.b64encode(cut).decode()))


@pytest.mark.parametrize("path", BLOBS, ids=lambda path: ".".join(str(part) for part in path))
@settings(max_examples=40)
@given(st.data())
def test_a_flipped_bit_is_refused(path, data):
    blob = bytearray(base64.b64decode(at(DOCUMENT, path)))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    refused(replaced(path, base64.b64encode(bytes(blob)).decode()))


@pytest.mark.parametrize("path", BLOBS, ids=lambda path: ".".join(str(part) for part in path))
@pytest.mark.parametrize("size", [1, 70000, 1 << 21])
def test_a_blob_that_is_too_long_is_refused(path, size):
    blob = base64.b64decode(at(DOCUMENT, path)) + bytes(size)
    refused(replaced(path, base64.b64encode(blob).decode()))


@given(st.sampled_from([path for path in places(DOCUMENT) if path]), json_values)
def test_garbage_anywhere_is_refused(path, value):
    if value != at(DOCUMENT, path):
        verdict = judge(replaced(path, value))
        assert verdict.findings or path[:2] == UNNEEDED


@given(json_values)
def test_garbage_is_refused(value):
    assert judge(value).findings


def test_certificates_that_sign_one_another_end():
    """A maze of cross-signed intermediates costs a bounded number of signatures."""
    host = ForgedHost()

    keys = [forge.ecc_key() for _unused in range(4)]
    maze = [
        forge.Authority("Maze", forge.Authority("Maze", key=above), key=below).certificate
        for above in keys
        for below in keys
        if above is not below
    ]
    host.authorities = [forge.Authority("Maze", key=keys[0])]
    document = host.evidence().document()
    document["certificates"] += [base64.b64encode(forge.der(each)).decode() for each in maze]
    verdict = verify(document, host.request(), POLICY, Remembered(), NOW)
    assert [finding.code.name for finding in verdict.findings] == ["EK_CHAIN_UNTRUSTED"]
