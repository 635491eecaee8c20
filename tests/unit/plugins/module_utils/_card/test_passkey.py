# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card keeps of passkeys, and what travels in a credential id."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import (
    Derivation,
    PinHash,
    secret_auth,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import NotOffered
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import (
    ALGORITHMS,
    Passkey,
    PasskeyStore,
    PasskeyUser,
    Protection,
    parse_parties,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError

KEY, SECRET = Blob(b"private", b"public"), Blob(b"hmac private", b"hmac public")
PASSKEY = Passkey(b"id", "corp.example", ALGORITHMS[1], Protection.REQUIRED, KEY, SECRET, True, False)


@pytest.mark.parametrize(
    "passkey", [PASSKEY, replace(PASSKEY, large_blob=True), replace(PASSKEY, secret=None, hmac_secret=False)]
)
def test_what_was_packed_is_unpacked(passkey):
    assert Passkey.unpacked(passkey.packed(), b"id", "corp.example") == passkey


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda data: b"",
        lambda data: b"\x02" + data[1:],
        lambda data: data + b"\0",
        lambda data: data[:-1],
        lambda data: data[:2] + b"\x07" + data[3:],
    ],
)
def test_what_was_not_packed_is_no_passkey(spoilt):
    with pytest.raises(ValueError, match=r"credential id|Protection"):
        Passkey.unpacked(spoilt(PASSKEY.packed()), b"id", "corp.example")


def test_each_user_has_one_at_each_relying_party():
    alice = replace(PASSKEY, user=PasskeyUser(b"alice"))
    store = PasskeyStore(SECRET).with_passkey(alice).with_passkey(replace(alice, identifier=b"new"))
    store = store.with_passkey(replace(alice, identifier=b"bob", user=PasskeyUser(b"bob")))
    store = store.with_passkey(replace(alice, identifier=b"elsewhere", rp="elsewhere.example"))
    assert [each.identifier for each in store.passkeys] == [b"new", b"bob", b"elsewhere"]
    assert store.without(b"bob").find(b"bob") is None and store.find(b"bob") is not None


def test_the_room_that_a_passkey_takes_is_at_least_what_it_holds():
    named = replace(PASSKEY, user=PasskeyUser(b"\x01" * 64, "a" * 64, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 32))
    assert named.size - PASSKEY.size == 64 * 3
    assert PasskeyStore(KEY, (named,), b"x" * 10).sizes == (named.size, 10)


def test_a_hash_stands_for_its_pin_in_the_newest_derivation_alone():
    pin, salt = b"123456", bytes(16)
    same = secret_auth(pin, salt, "pin", Derivation.HASH)
    assert secret_auth(PinHash.of(pin), salt, "pin", Derivation.HASH) == same
    assert secret_auth(bytes(PinHash.of(pin)), salt, "pin", Derivation.HASH) != same
    with pytest.raises(NotOffered, match="older release"):
        secret_auth(PinHash.of(pin), salt, "pin", Derivation.SECRET)


@pytest.mark.parametrize(
    "name",
    ["", "Corp.example", "https://corp.example", "corp.example/login", "corp example", "corp\n", "x" * 254],
)
def test_what_is_no_relying_party_is_named_with_a_remedy(name):
    with pytest.raises(InputError, match=r"enterprise_attestation holds .*: write relying party ids as corp\.example"):
        parse_parties(["corp.example", name], "enterprise_attestation")


def test_relying_parties_that_are_named_twice_are_kept_once():
    assert parse_parties(["corp.example", "a.example", "corp.example"], "x") == ("corp.example", "a.example")
