# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys in a software TPM: what they do with the PIN, and that nothing of it works without."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import passkeys, record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import PinHash
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    Blocked,
    CardFull,
    CardGone,
    NoSuchKey,
    NotOffered,
    NotVerified,
    PinDue,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import (
    Passkey,
    PasskeyUser,
    Protection,
    WantedPasskey,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

pytestmark = pytest.mark.tpm

PIN, PUK, OTHER = b"123456", b"87654321", b"654321"
RP = "corp.example"
USER = PasskeyUser(b"\x01", "alice", "Alice")
WANTED = WantedPasskey(RP, USER)
DISCOVERABLE = replace(WANTED, discoverable=True)
MESSAGE = b"authenticator data and client data hash"
SALT = bytes(range(32))


@pytest.fixture
def card(bench):
    return bench.open(bench.make(), PIN)


def verify(passkey, signature):
    """:raises InvalidSignature:"""
    public = Public.parse(passkey.public_area).public_key()
    if passkey.algorithm.is_rsa:
        public.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    else:
        public.verify(signature, MESSAGE, ec.ECDSA(passkey.algorithm.hash))


def digest(passkey):
    return hashlib.new(passkey.algorithm.hash.name, MESSAGE).digest()


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECC_P256, KeyAlgorithm.ECC_P384, KeyAlgorithm.RSA_2048])
@pytest.mark.parametrize("discoverable", [True, False])
def test_a_passkey_signs(bench, card, algorithm, discoverable):
    wanted = replace(WANTED, algorithm=algorithm, discoverable=discoverable, hmac_secret=True, large_blob=True)
    made = card.passkeys.make(wanted)
    assert len(made.identifier) <= 1023
    again = bench.open(card.record, PIN)
    found = again.passkeys.find(RP, made.identifier)
    verify(made, again.passkeys.sign(found, digest(found)))
    assert found.public_area == made.public_area


def test_a_passkey_is_made_right_after_a_pin_change(card):
    """What the login before it had kept is of the old PIN, so the parent is found as at the first login."""
    card.change(Reference.PIN, PIN, OTHER)
    assert not card._session.kept.fits(card.record)
    made = card.passkeys.make(replace(WANTED, hmac_secret=True))
    verify(made, card.passkeys.sign(made, digest(made)))
    assert len(card.passkeys.secret(made, SALT)) == 32


def test_a_key_that_is_damaged_leaves_nothing_loaded(bench, card):
    made = card.passkeys.make(WANTED)
    private = bytearray(made.key.private)
    private[-1] ^= 1
    damaged = replace(made, identifier=b"damaged", key=Blob(bytes(private), made.key.public))
    with pytest.raises(TpmError):
        card.passkeys.sign(damaged, digest(made))
    assert bench.tpm.handles(wire.TRANSIENT) == []
    assert len(bench.tpm.handles(wire.LOADED_SESSIONS)) <= 1  # That of the bench, which goes from key to key.
    verify(made, card.passkeys.sign(made, digest(made)))


def test_a_passkey_that_the_card_does_not_keep_waits_for_no_change_of_the_card(card, monkeypatch):
    card.passkeys.make(WANTED)
    monkeypatch.setattr(Store, "changing", lambda *_unused: pytest.fail("the card's lock was asked for"))
    made = card.passkeys.make(WANTED)
    verify(made, card.passkeys.sign(made, digest(made)))


@pytest.mark.parametrize("wanted", [WANTED, DISCOVERABLE], ids=["wrapped", "discoverable"])
def test_what_fails_while_a_key_is_loaded_leaves_the_key_where_it_is_found(bench, card, monkeypatch, wanted):
    """A TPM has room for three, so it would have none by the fourth."""

    def fails(*_unused, **_named):
        raise MemoryError

    card.passkeys.make(wanted)
    for _unused in range(4):
        with monkeypatch.context() as patched, pytest.raises(MemoryError):
            patched.setattr(passkeys, "replace", fails)
            card.passkeys.make(wanted)
    assert len(bench.tpm.handles(wire.TRANSIENT)) == 1
    made = card.passkeys.make(wanted)
    verify(made, card.passkeys.sign(made, digest(made)))


def test_another_hash_is_not_what_was_signed(card):
    made = card.passkeys.make(WANTED)
    with pytest.raises(InvalidSignature):
        verify(made, card.passkeys.sign(made, hashlib.sha256(b"other").digest()))


def test_the_tpm_states_what_a_passkey_is(card):
    made = card.passkeys.make(WANTED)
    stated = Attest.parse(card.passkeys.certify(made, b"n" * 32).attest)
    assert stated.extra_data == b"n" * 32


def test_nothing_of_a_passkey_that_is_not_discoverable_is_on_the_disk(bench, card):
    card.passkeys.make(WANTED)
    before = bench.store.read(card.number)
    card.passkeys.make(replace(WANTED, hmac_secret=True))
    assert bench.store.read(card.number) == before and before.passkey_store.passkeys == ()


def test_a_discoverable_passkey_takes_the_place_of_its_users_last(card):
    first, second = card.passkeys.make(DISCOVERABLE), card.passkeys.make(DISCOVERABLE)
    other = card.passkeys.make(replace(DISCOVERABLE, user=PasskeyUser(b"\x02")))
    assert [each.identifier for each in card.passkeys.listed()] == [second.identifier, other.identifier]
    assert card.passkeys.find(RP, first.identifier) is None


def test_a_discoverable_passkey_is_renamed_and_removed(bench, card):
    made = card.passkeys.make(DISCOVERABLE)
    card.passkeys.rename(made.identifier, PasskeyUser(b"\x01", "alice", "Alice Doe"))
    (listed,) = bench.open(card.record).passkeys.listed()
    assert listed.user.display_name == "Alice Doe" and listed.key == made.key
    card.passkeys.remove(made.identifier)
    assert card.passkeys.listed() == () and card.passkeys.find(RP, made.identifier) is None
    for act in (lambda: card.passkeys.remove(made.identifier), lambda: card.passkeys.rename(made.identifier, USER)):
        with pytest.raises(NoSuchKey):
            act()


def test_secrets_are_stable_and_each_passkeys_own(bench, card):
    first, second = (card.passkeys.make(replace(WANTED, hmac_secret=True, large_blob=True)) for _each in range(2))
    secret = card.passkeys.secret(first, SALT)
    assert len(secret) == 32 and bench.open(card.record, PIN).passkeys.secret(first, SALT) == secret
    given = {secret, card.passkeys.secret(first, bytes(32)), card.passkeys.secret(second, SALT)}
    given |= {card.passkeys.large_blob_key(first), card.passkeys.large_blob_key(second)}
    assert len(given) == 5
    plain = card.passkeys.make(WANTED)
    for act in (lambda: card.passkeys.secret(plain, SALT), lambda: card.passkeys.large_blob_key(plain)):
        with pytest.raises(NotOffered):
            act()


def test_what_a_relying_party_left_is_for_whoever_has_the_pin(bench, card):
    made = card.passkeys.make(replace(DISCOVERABLE, blob=b"what nobody else knows"))
    assert card.passkeys.blob(made) == b"what nobody else knows"
    assert b"what nobody else knows" not in record_file.dump(bench.store.read(card.number))
    with pytest.raises(NotVerified):
        bench.open(card.record).passkeys.blob(made)


def test_large_blobs_and_longer_pins_stay(bench, card):
    card.passkeys.store_large_blobs(b"x" * 100)
    card.passkeys.require_longer_pins(7, (RP,))
    again = bench.open(card.record)
    assert (again.passkeys.large_blobs, again.passkeys.pin_length_readers) == (b"x" * 100, (RP,))
    assert again.shortest_pin == 7
    with pytest.raises(InputError, match="shorter"):
        card.change(Reference.PIN, PIN, OTHER)


def test_room_ends_as_for_other_objects(card):
    card.store_object(1, bytes(card.passkeys.room - 16 - 100))
    with pytest.raises(CardFull):
        card.passkeys.make(DISCOVERABLE)
    card.passkeys.make(WANTED)
    with pytest.raises(CardFull):
        card.passkeys.store_large_blobs(bytes(200))


# A client that sends no more than a PIN's hash.


def test_the_hash_of_a_pin_opens_the_card_and_a_wrong_one_costs_a_try_of_it(bench):
    card = bench.open(bench.make())
    with pytest.raises(WrongSecret) as caught:
        card.verify(PinHash.of(OTHER))
    assert caught.value.left == card.tries(Reference.PIN).left == 2
    with pytest.raises(WrongSecret):
        card.verify(OTHER)
    assert card.tries(Reference.PIN).left == 1
    card.verify(PinHash.of(PIN))
    assert card.tries(Reference.PIN).left == 3 and card.verified


def test_a_pin_is_blocked_for_its_hash_too(bench):
    card = bench.open(bench.make())
    for _try in range(3):
        with pytest.raises(WrongSecret):
            card.verify(PinHash.of(OTHER))
    for secret in (PIN, PinHash.of(PIN)):
        with pytest.raises(Blocked):
            card.verify(secret)
    card.unblock(PUK, OTHER)
    card.verify(PinHash.of(OTHER))


def test_a_pin_is_changed_by_its_hash_and_the_new_one_holds_for_all(bench):
    card = bench.open(bench.make())
    card.change(Reference.PIN, PinHash.of(PIN), OTHER)
    assert card.verified
    again = bench.open(card.record, OTHER)
    with pytest.raises(WrongSecret):
        again.verify(PinHash.of(PIN))
    again.verify(PinHash.of(OTHER))


def test_a_pin_that_must_be_changed_is_not_changed_into_itself(bench):
    card = bench.open(bench.make(pin_must_change=True))
    assert card.pin_due is not None
    card.verify(PinHash.of(PIN))
    with pytest.raises(PinDue):
        card.passkeys.make(WANTED)
    with pytest.raises(InputError, match="the last"):
        card.change(Reference.PIN, PinHash.of(PIN), PIN)
    card.change(Reference.PIN, PinHash.of(PIN), OTHER)
    assert card.pin_due is None
    card.passkeys.make(WANTED)


# Attackers.


@pytest.fixture
def stranger(bench):
    return bench.open(bench.make("stranger"), PIN)


@pytest.mark.parametrize("wanted", [WANTED, DISCOVERABLE])
def test_without_the_pin_nothing_but_that_it_exists(bench, card, wanted):
    made = card.passkeys.make(replace(wanted, hmac_secret=True, large_blob=True))
    thief = bench.open(card.record)
    assert thief.passkeys.find(RP, made.identifier).key == made.key
    for act in (
        lambda: thief.passkeys.sign(made, digest(made)),
        lambda: thief.passkeys.secret(made, SALT),
        lambda: thief.passkeys.large_blob_key(made),
        lambda: thief.passkeys.certify(made, b""),
        lambda: thief.passkeys.make(wanted),
    ):
        with pytest.raises(NotVerified):
            act()


def test_a_credential_id_is_of_one_card_and_one_relying_party(card, stranger):
    stranger.passkeys.make(WANTED)
    for wanted in (WANTED, DISCOVERABLE):
        made = card.passkeys.make(wanted)
        assert card.passkeys.find(RP, made.identifier) is not None
        assert card.passkeys.find("evil.example", made.identifier) is None
        assert stranger.passkeys.find(RP, made.identifier) is None
        assert card.passkeys.find(RP, made.identifier[:-1] + bytes((made.identifier[-1] ^ 1,))) is None
    assert card.passkeys.find(RP, b"") is None


def test_another_card_cannot_use_a_passkeys_blobs(card, stranger):
    """As whoever writes the disk would try: the card's entry, put into the file of a card with a known PIN."""
    made = card.passkeys.make(replace(DISCOVERABLE, hmac_secret=True))
    stranger.passkeys.make(WANTED)
    for act in (stranger.passkeys.sign, stranger.passkeys.secret):
        with pytest.raises(TpmError):
            act(made, SALT)


def test_the_wrapping_key_signs_nothing(card):
    """What answers without the PIN is no passkey's key."""
    made = card.passkeys.make(WANTED)
    lie = Passkey(b"lie", RP, KeyAlgorithm.ECC_P256, Protection.OPTIONAL, card.record.passkey_store.wrapping)
    with pytest.raises(TpmError):
        card.passkeys.sign(lie, digest(made))


def test_a_copy_of_the_disk_is_worth_nothing_once_the_card_is_destroyed(bench, card, tmp_path):
    wrapped, listed = (card.passkeys.make(replace(each, hmac_secret=True)) for each in (WANTED, DISCOVERABLE))
    copy = tmp_path / "copy.json"
    shutil.copy(bench.store.path(card.number), copy)
    bench.destroy(card.record)
    with pytest.raises(CardGone):
        card.passkeys.listed()
    shutil.copy(copy, bench.store.path(card.number))
    revenant = Card(bench.store, bench.workbench, 0)
    with pytest.raises(Exception, match=r"no longer whole|no such key"):
        revenant.verify(PIN)
    with pytest.raises(Exception, match=r"no longer whole|no such key"):
        revenant.passkeys.find(RP, wrapped.identifier)
    with pytest.raises(NotVerified):
        revenant.passkeys.sign(listed, digest(listed))
