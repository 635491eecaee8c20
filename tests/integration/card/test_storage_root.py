# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key of somebody else where the storage root key belongs, and one that goes away."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import wholeness
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import storage_root
from ansible_collections.hardbound.identity.tests.support.foreign_key import occupy, tool

pytestmark = pytest.mark.tpm

PIN = b"123456"
DIGEST = hashlib.sha256(b"a contract").digest()
WITH_PASSWORD = (
    "-G",
    "rsa2048",
    "-p",
    "secret",
    "-a",
    "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt",
)
SIGNING = ("-G", "ecc256", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign")


def signs(bench, record):
    card = bench.open(record, PIN)
    card.sign(int(Slot.AUTHENTICATION), DIGEST)
    card.close()


def make(bench):
    record = bench.make()
    card = bench.open(record, PIN)
    card.make_key(KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256))
    card.close()
    return card.record


@pytest.mark.parametrize("kind", [WITH_PASSWORD, SIGNING], ids=["with a password", "that signs"])
def test_a_card_beside_a_foreign_key(bench, short_path, kind):
    """The key is looked at, not tried: not one failure is counted, however often a card is made and used."""
    occupy(bench, short_path, kind)
    before = bench.lockout_counter()
    first, second = make(bench), bench.make("second")
    assert first.storage_root == second.storage_root
    signs(bench, first)
    assert bench.lockout_counter() == before
    with bench.tpm.taken() as tpm:
        foreign = storage_root.look(tpm, storage_root.HANDLE)
        assert not foreign.is_of_template and foreign.name != first.storage_root
        assert storage_root.look(tpm, 0x81000002).name == first.storage_root
        assert wholeness.is_whole(tpm, first)


def test_a_storage_root_that_is_replaced_is_made_again_beside(bench, short_path):
    """It is derived from the TPM's seed, so it is the same key wherever it is kept."""
    record = make(bench)
    tool(bench, "tpm2_evictcontrol", "-C", "o", "-c", hex(storage_root.HANDLE))
    signs(bench, record)
    bench.tpm.release()
    tool(bench, "tpm2_evictcontrol", "-C", "o", "-c", hex(storage_root.HANDLE))
    occupy(bench, short_path, WITH_PASSWORD)
    signs(bench, record)


def test_a_card_whose_storage_root_is_another_is_not_whole(bench):
    record = make(bench)
    with bench.tpm.taken() as tpm:
        assert storage_root.is_kept(tpm, record.storage_root)
        assert not storage_root.is_kept(tpm, record.storage_root[:-1] + b"\0")
