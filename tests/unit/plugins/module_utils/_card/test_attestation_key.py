# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record, State
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import GenesisEvidence, Statement
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

RECORD = Record(
    number=0,
    name="card",
    serial=bytes(16),
    tcti="swtpm:path=/run/tpm",
    first_handle=0x01815000,
    genesis=bytes(34),
    salt=bytes(16),
    pin_policy=PinPolicy(),
    pin_retries=5,
    puk_retries=5,
    state=State.READY,
)


@pytest.mark.parametrize("ak", [None, Blob(b"private", b"public")])
def test_a_record_comes_back_with_its_attestation_key(ak):
    record = replace(RECORD, ak=ak, ak_certificate=b"certificate" if ak else b"")
    assert record_file.load(record_file.dump(record)) == record


def test_a_record_comes_back_with_its_proof_of_genesis():
    proof = GenesisEvidence(b"public", b"data", Statement(b"attest", b"signature"))
    record = replace(RECORD, genesis_proof=proof)
    assert record_file.load(record_file.dump(record)) == record


def test_a_damaged_attestation_key():
    fields = json.loads(record_file.dump(RECORD))
    fields["ak"] = {"private": "no base64!"}
    with pytest.raises(ValueError, match="it is damaged"):
        record_file.load(json.dumps(fields).encode())
