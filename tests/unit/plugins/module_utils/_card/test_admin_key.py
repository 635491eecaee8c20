# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin key and its challenge, and how the disk keeps them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminChallenge, AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Administration, Record, Renewal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

RECORD = Record(0, "card", bytes(16), "device:/dev/tpm0", 0x01815000, bytes(34), bytes(16), PinPolicy(), 5, 5)


@pytest.mark.parametrize(
    ("cipher", "key", "plain", "encrypted"),
    [
        # FIPS 197, appendix C
        (Cipher.AES_128, "000102030405060708090a0b0c0d0e0f", "ff", "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (Cipher.AES_192, "000102030405060708090a0b0c0d0e0f1011121314151617", "ff", "dda97ca4864cdfe06eaf70a0ec0d7191"),
        # SP 800-20, table A.1: a variable plaintext, its key of 01 bytes
        (Cipher.TRIPLE_DES, "01" * 24, "8000000000000000", "95f8a5e5dd31d900"),
    ],
)
def test_published_vectors(cipher, key, plain, encrypted):
    block = bytes.fromhex("00112233445566778899aabbccddeeff" if plain == "ff" else plain)
    admin_key = AdminKey(cipher, bytes.fromhex(key))
    assert admin_key.encrypt(block).hex() == encrypted
    assert admin_key.decrypt(bytes.fromhex(encrypted)) == block


@pytest.mark.parametrize("cipher", list(Cipher))
def test_both_halves_of_a_challenge_have_one_answer(cipher):
    key = AdminKey.random(cipher)
    challenge, answer = AdminChallenge.make(key)
    assert key.decrypt(challenge.encrypted) == key.encrypt(challenge.decrypted) == answer
    assert len(answer) == cipher.block_size and answer not in (challenge.encrypted, challenge.decrypted)
    assert AdminChallenge.make(key)[1] != answer


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25, 32])
def test_a_key_of_another_size(size):
    with pytest.raises(ValueError, match="has 24 bytes"):
        AdminKey(Cipher.TRIPLE_DES, bytes(size))


@pytest.mark.parametrize(
    "value",
    [
        bytes(24),
        b"\x01" * 24,
        bytes(range(8)) * 3,
        bytes(range(8)) * 2 + bytes(range(8, 16)),
        bytes(range(8)) + bytes(range(8, 16)) * 2,
        bytes(range(8)) + bytes(each ^ 1 for each in range(8)) + bytes(range(16, 24)),  # the parity alone differs
        bytes(range(16)) + bytes.fromhex("01FE01FE01FE01FE"),
    ],
)
def test_a_weak_key_is_refused(value):
    with pytest.raises(InputError, match="admin_key is a weak 3DES key"):
        AdminKey(Cipher.TRIPLE_DES, value).check()


def test_keys_that_are_taken():
    AdminKey.well_known().check()
    AdminKey(Cipher.TRIPLE_DES, bytes(range(16)) + bytes(range(8))).check()  # SP 800-67 calls it keying option 2
    AdminKey(Cipher.AES_192, bytes(24)).check()


def test_a_key_does_not_show_itself():
    key = AdminKey.random()
    assert key.value.hex() not in repr(key) and repr(key.value) not in repr(key)


def test_a_record_keeps_its_challenge():
    challenge, _unused = AdminChallenge.make(AdminKey.well_known())
    for renewal in (None, Renewal(Blob(b"private", b"public"), bytes(32))):
        record = replace(RECORD, administration=Administration(challenge, renewal))
        assert record_file.load(record_file.dump(record)) == record
        assert record.has_admin and Role.ADMIN in record.model.indices
        assert record.administration.challenge.well_known


def test_a_damaged_challenge_is_noticed():
    record = replace(RECORD, administration=Administration(AdminChallenge.make(AdminKey.random())[0]))
    fields = json.loads(record_file.dump(record))
    fields["administration"]["challenge"]["cipher"] = "rot13"
    with pytest.raises(ValueError, match="damaged"):
        record_file.load(json.dumps(fields).encode())
