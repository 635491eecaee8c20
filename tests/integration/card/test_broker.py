# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card whose TPM is behind a resource manager, the access broker: several programs at once, and no turnstile."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.access_broker import PROGRAMS, TCTI, access_broker
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

pytestmark = pytest.mark.tpm

PIN = b"123456"
MESSAGE = b"what is signed"
DIGEST = hashlib.sha256(MESSAGE).digest()


@pytest.fixture
def broker(software_tpm, monkeypatch):
    needs(*PROGRAMS)
    with access_broker(software_tpm.tcti) as reach:
        for name, value in reach.items():
            monkeypatch.setenv(name, value)
        yield TCTI


@pytest.fixture
def bench(broker, short_path, bench_type):
    folder = short_path / "store"
    folder.mkdir()
    bench = bench_type(folder, broker)
    yield bench
    bench.tpm.close()


def test_a_cards_life(bench):
    record = bench.make()
    card = bench.open(record, PIN)
    public = load_der_public_key(card.make_key(KeySpecification(0x9A, KeyAlgorithm.ECC_P256)).public)
    public.verify(card.sign(0x9A, DIGEST), MESSAGE, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(WrongSecret):
        card.verify(b"000000")
    card.verify(PIN)
    public.verify(card.sign(0x9A, DIGEST), MESSAGE, ec.ECDSA(hashes.SHA256()))
    bench.destroy(record)
    assert bench.card_indices() == []


def test_two_programs_at_once(bench, bench_type):
    """Neither has to let go for the other, and neither sees what the other has loaded."""
    record = bench.make()
    mine = bench.open(record, PIN)
    public = load_der_public_key(mine.make_key(KeySpecification(0x9A, KeyAlgorithm.ECC_P256)).public)
    mine.sign(0x9A, DIGEST)
    other = bench_type(bench.store.folder, bench.tcti)
    theirs = other.open(record, PIN)
    for card in (mine, theirs, mine, theirs):
        public.verify(card.sign(0x9A, DIGEST), MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert bench.tpm.is_held and other.tpm.is_held
    other.tpm.close()
