# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record says of its card."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardFull
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import free_number
from ansible_collections.hardbound.identity.tests.support.whole_record import RECORD


def test_instance_id():
    assert RECORD.instance_id == "ROOT\\SMARTCARDREADER\\0003"


def test_the_lowest_free_number_comes_next():
    assert free_number([]) == 0
    assert free_number([0, 1, 3]) == 2


def test_settling_ends_what_is_pending():
    new = RECORD.pending[Role.PIN].seal
    settled = RECORD.settled(Role.PIN, new)
    assert settled.seals[Role.PIN] == new and settled.seals[Role.PUK] == RECORD.seals[Role.PUK]
    assert settled.pending == {}


def test_certificates_come_and_go():
    record = RECORD.with_certificate(0x9A, b"new").with_certificate(0x9C, None)
    assert record.certificates == {0x9A: b"new"}
    assert dataclasses.replace(record, certificates=RECORD.certificates) == RECORD


def test_a_card_is_full_at_128_kib():
    empty = dataclasses.replace(RECORD, certificates={}, objects={}, passkey_store=None)
    full = empty.with_object(1, bytes(100 * 1024)).with_certificate(0x9A, bytes(28 * 1024 - 2 * 16))
    assert full.with_certificate(0x9A, bytes(28 * 1024 - 2 * 16)) == full
    for more in (
        lambda: full.with_object(2, b""),
        lambda: full.with_object(1, bytes(100 * 1024 + 1)),
        lambda: full.with_certificate(0x9C, b""),
    ):
        with pytest.raises(CardFull, match="128 KiB for certificates, data objects and passkeys: remove some"):
            more()
    assert full.with_object(1, None).with_certificate(0x9C, b"other").certificates[0x9C] == b"other"


def test_a_card_that_an_older_release_has_overfilled_can_be_emptied():
    over = dataclasses.replace(RECORD, objects={tag: bytes(100 * 1024) for tag in range(3)})
    less = over.with_object(0, bytes(99 * 1024))
    with pytest.raises(CardFull):
        less.with_object(0, bytes(100 * 1024))
    assert len(less.with_object(0, None).objects) == 2
