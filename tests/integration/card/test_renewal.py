# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that is made anew in its reader: when, and what becomes of the old one."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    Blocked,
    NoSuchKey,
    NotBlocked,
    NotOffered,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy, Presence
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.pytss import load

pytestmark = pytest.mark.tpm

PIN, PUK = b"123456", b"87654321"
DIGEST = hashlib.sha256(b"what is signed").digest()


def block(card, *references):
    for reference in references or (Reference.PIN, Reference.PUK):
        for _each in range(3):
            with pytest.raises(WrongSecret):
                card.verify(b"000000") if reference is Reference.PIN else card.unblock(b"00000000", b"letter2")


@pytest.fixture
def record(bench):
    record = bench.make(card_reset=True, admin_key=AdminKey.random())
    card = bench.open(record, PIN)
    card.make_key(KeySpecification(0x9A, KeyAlgorithm.ECC_P256))
    card.store_certificate(0x9A, b"certificate")
    card.store_object(0x5FC106, b"object")
    card.close()
    return card.record


def test_a_new_card_takes_the_old_ones_place(bench, record):
    bench.make("another")
    card = bench.open(record)
    block(card)
    card.make_anew()
    renewed = card.record
    assert (renewed.number, renewed.name, renewed.pin_policy) == (record.number, record.name, record.pin_policy)
    assert renewed.serial != record.serial and renewed.genesis != record.genesis
    assert renewed.keys == renewed.certificates == renewed.objects == {}
    with pytest.raises(NoSuchKey):
        card.sign(0x9A, DIGEST)
    card.administer(AdminKey.well_known())
    card.unblock(b"12345678", b"654321")
    card.verify(b"654321")
    card.make_key(KeySpecification(0x9A, KeyAlgorithm.ECC_P256))
    card.sign(0x9A, DIGEST)
    assert len(bench.store.records()) == 2 and bench.loaded() == []


@pytest.mark.parametrize("blocked", [(), (Reference.PIN,), (Reference.PUK,)])
def test_a_card_that_somebody_can_use_stays(bench, record, blocked):
    card = bench.open(record)
    if blocked:
        block(card, *blocked)
    with pytest.raises(NotBlocked):
        card.make_anew()
    assert bench.store.read(record.number) == record


def test_a_card_whose_task_does_not_allow_it_stays(bench):
    record = bench.make()
    card = bench.open(record)
    block(card)
    with pytest.raises(NotOffered, match="card_reset"):
        card.make_anew()
    assert bench.store.read(record.number) == record


def test_a_card_stays_where_the_new_one_could_not_be_made(bench, record):
    """The PIN that programs expect breaks the card's own rules, or the TPM's owner wants an authorisation."""
    bench.secrets = replace(bench.secrets, pin="letter1")
    rules = PinPolicy(minlen=4, maxlen=8, lowercase=Presence.REQUIRED)
    strict = bench.make("strict", card_reset=True, pin_policy=rules)
    strict_card = bench.open(strict)
    block(strict_card)
    with pytest.raises(NotOffered, match="rules"):
        strict_card.make_anew()
    assert bench.store.read(strict.number) == strict
    card = bench.open(record)
    block(card)
    pytss = load()
    with bench.tpm.taken():
        bench.tpm.esapi().hierarchy_change_auth(pytss.ESYS_TR.OWNER, b"owner")
    with pytest.raises(NotOffered, match="owner"):
        card.make_anew()
    assert bench.store.read(record.number) == record
    with pytest.raises(Blocked):
        card.verify(PIN)
