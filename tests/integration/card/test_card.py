# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card does what a card does: keys, PIN, PUK, tries, and all of it across restarts."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import make_shown_key, self_signed
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
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.room import HEADER, ROOM
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference, Tries
from ansible_collections.hardbound.identity.plugins.module_utils._card.signature import sign_message
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import turnstile
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmUnreachable
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

pytestmark = pytest.mark.tpm

PIN, PUK = b"123456", b"87654321"
MESSAGE = b"what is signed"
SHA256 = hashlib.sha256(MESSAGE).digest()


def make_key(card, slot=Slot.AUTHENTICATION, algorithm=KeyAlgorithm.ECC_P256):
    key = card.make_key(KeySpecification(int(slot), algorithm))
    return load_der_public_key(key.public)


def spend(card, tries, reference=Reference.PIN):
    for _unused in range(tries):
        with pytest.raises(WrongSecret):
            card.verify(b"000000") if reference is Reference.PIN else card.unblock(b"00000000", b"111111")


@pytest.mark.parametrize("algorithm", [each for each in KeyAlgorithm if each.curve])
@pytest.mark.parametrize("hashed", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_ecdsa_over_any_digest(bench, algorithm, hashed):
    card = bench.open(bench.make(), PIN)
    public = make_key(card, algorithm=algorithm)
    signature = card.sign(Slot.AUTHENTICATION, hashlib.new(hashed.name, MESSAGE).digest())
    public.verify(signature, MESSAGE, ec.ECDSA(hashed))


def test_rsa_signs_and_decrypts(bench):
    card = bench.open(bench.make(), PIN)
    public = make_key(card, Slot.KEY_MANAGEMENT, KeyAlgorithm.RSA_2048)
    public.verify(sign_message(card, Slot.KEY_MANAGEMENT, MESSAGE), MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    block = card.rsa_private(Slot.KEY_MANAGEMENT, public.encrypt(b"for you", padding.PKCS1v15()))
    assert block.startswith(b"\x00\x02") and block.endswith(b"\x00for you")


def test_a_full_card_gets_no_key_that_clients_would_not_see(bench):
    card = bench.open(bench.make(), PIN)
    card.store_object(1, bytes(ROOM - 2 * HEADER))
    wanted = KeySpecification(Slot.AUTHENTICATION, KeyAlgorithm.ECC_P256)
    with pytest.raises(CardFull, match="remove some of them first"):
        make_shown_key(card, wanted)
    assert card.keys() == {} and card.certificates == {}
    make_shown_key(card, dataclasses.replace(wanted, self_signed=False))
    assert set(card.keys()) == {Slot.AUTHENTICATION}
    card.remove_key(Slot.AUTHENTICATION)
    card.store_object(1, None)
    make_shown_key(card, wanted)
    assert set(card.keys()) == set(card.certificates) == {Slot.AUTHENTICATION}


def test_more_than_a_hash_gives_is_not_signed_in_part(bench):
    card = bench.open(bench.make(), PIN)
    public = make_key(card, algorithm=KeyAlgorithm.ECC_P521)
    with pytest.raises(NotOffered, match="no more than 64 bytes"):
        card.sign(Slot.AUTHENTICATION, bytes(65))
    digest = hashlib.sha512(MESSAGE).digest()
    public.verify(card.sign(Slot.AUTHENTICATION, digest), MESSAGE, ec.ECDSA(hashes.SHA512()))


@pytest.mark.parametrize("algorithm", [each for each in KeyAlgorithm if each.curve])
def test_agreement(bench, algorithm):
    card = bench.open(bench.make(), PIN)
    public = make_key(card, Slot.KEY_MANAGEMENT, algorithm)
    other = ec.generate_private_key(algorithm.curve.elliptic)
    point = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert card.ecdh(Slot.KEY_MANAGEMENT, point) == other.exchange(ec.ECDH(), public)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECC_P256, KeyAlgorithm.ECC_P384])
def test_a_point_that_is_not_on_the_curve_is_refused(bench, algorithm):
    card = bench.open(bench.make(), PIN)
    make_key(card, Slot.KEY_MANAGEMENT, algorithm)
    for byte in (b"\0", b"\x01", b"\xff"):
        with pytest.raises(InputError, match="not on the key's curve"):
            card.ecdh(Slot.KEY_MANAGEMENT, b"\x04" + byte * 2 * algorithm.size)


@pytest.mark.parametrize("slot", [Slot.AUTHENTICATION, Slot.KEY_MANAGEMENT])
def test_a_block_that_is_not_below_the_modulus_is_refused(bench, slot):
    card = bench.open(bench.make(), PIN)
    modulus = make_key(card, slot, KeyAlgorithm.RSA_2048).public_numbers().n
    for value in (modulus, modulus + 1, 2**2048 - 1, 2**2048 - 0x44):  # the last ends as PSS does: BC
        with pytest.raises(InputError, match="not below the key's modulus"):
            card.rsa_private(slot, value.to_bytes(256, "big"))
    for value in (0, 1, modulus - 1):
        assert int.from_bytes(card.rsa_private(slot, value.to_bytes(256, "big")), "big") == value


def test_whoever_changes_the_pin_has_given_it(bench):
    card = bench.open(bench.make(), PIN)
    public = make_key(card)
    card.logout()
    card.change(Reference.PIN, PIN, b"111111")
    public.verify(card.sign(Slot.AUTHENTICATION, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))
    card.change(Reference.PIN, b"111111", b"222222")
    public.verify(card.sign(Slot.AUTHENTICATION, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))
    card.change(Reference.PIN, b"222222", b"333333", must_change=True)
    with pytest.raises(PinDue):
        card.sign(Slot.AUTHENTICATION, SHA256)


@pytest.mark.parametrize("verified", [True, False])
def test_the_puk_neither_opens_nor_closes_the_card(bench, verified):
    card = bench.open(bench.make(), PIN)
    public = make_key(card)
    if not verified:
        card.logout()
    card.change(Reference.PUK, PUK, b"11112222")
    card.unblock(b"11112222", b"111111")
    assert card.verified is verified
    if verified:
        public.verify(card.sign(Slot.AUTHENTICATION, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))
    else:
        with pytest.raises(NotVerified):
            card.sign(Slot.AUTHENTICATION, SHA256)
    card.verify(b"111111")


def test_self_signed_certificates_verify(bench):
    card = bench.open(bench.make(), PIN)
    for slot, algorithm in (
        (0x9A, KeyAlgorithm.ECC_P256),
        (0x9C, KeyAlgorithm.RSA_2048),
        (0x9D, KeyAlgorithm.ECC_P384),
        (0x82, KeyAlgorithm.ECC_P521),
    ):
        make_key(card, slot, algorithm)
        certificate = x509.load_der_x509_certificate(self_signed(card, slot))
        scheme = (
            (padding.PKCS1v15(), certificate.signature_hash_algorithm)
            if algorithm.is_rsa
            else (ec.ECDSA(certificate.signature_hash_algorithm),)
        )
        certificate.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, *scheme)


def test_a_slot_without_key(bench):
    card = bench.open(bench.make(), PIN)
    with pytest.raises(NoSuchKey, match="signature"):
        card.sign(Slot.SIGNATURE, SHA256)


def test_no_signature_before_the_pin_or_after_logout(bench):
    card = bench.open(bench.make(), PIN)
    make_key(card)
    card.logout()
    with pytest.raises(NotVerified):
        card.sign(Slot.AUTHENTICATION, SHA256)


def test_card_authentication_never_asks(bench):
    record = bench.make()
    public = make_key(bench.open(record, PIN), Slot.CARD_AUTHENTICATION)
    public.verify(bench.open(record).sign(Slot.CARD_AUTHENTICATION, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_wrong_pins_count_on_their_card_alone(bench):
    record, neighbour = bench.make("a"), bench.make("b")
    card = bench.open(record)
    before = bench.lockout_counter()
    spend(card, 2)
    assert card.tries(Reference.PIN) == Tries(1, 3)
    spend(card, 1)
    with pytest.raises(Blocked, match="unblock it with the PUK"):
        card.verify(PIN)
    assert bench.open(neighbour, PIN).tries(Reference.PIN) == Tries(3, 3)
    assert bench.lockout_counter() == before


def test_the_right_pin_restores_the_tries(bench):
    card = bench.open(bench.make())
    spend(card, 2)
    card.verify(PIN)
    assert card.tries(Reference.PIN) == Tries(3, 3)


def test_the_puk_unblocks(bench):
    card = bench.open(bench.make())
    spend(card, 3)
    card.unblock(PUK, b"newpin")
    assert card.tries(Reference.PIN) == Tries(3, 3)
    with pytest.raises(WrongSecret):
        card.verify(PIN)
    card.verify(b"newpin")


def test_a_blocked_puk_stays_blocked(bench):
    card = bench.open(bench.make())
    spend(card, 3, Reference.PUK)
    with pytest.raises(Blocked):
        card.unblock(PUK, b"111111")
    card.verify(PIN)


def test_change_of_pin_and_puk(bench):
    card = bench.open(bench.make())
    card.change(Reference.PIN, PIN, b"other1")
    card.change(Reference.PUK, PUK, b"puk-puk!")
    with pytest.raises(WrongSecret):
        card.verify(PIN)
    card.unblock(b"puk-puk!", b"third1")
    card.verify(b"third1")


def test_a_pin_against_the_policy_costs_no_try(bench):
    card = bench.open(bench.make())
    with pytest.raises(InputError, match="shorter than the 4"):
        card.change(Reference.PIN, b"wrong", b"abc")
    assert card.tries(Reference.PIN) == Tries(3, 3)


def test_a_card_without_puk(bench):
    card = bench.open(bench.make(has_puk=False))
    with pytest.raises(NotOffered):
        card.tries(Reference.PUK)
    with pytest.raises(NotOffered):
        card.unblock(PUK, b"111111")
    card.change(Reference.PIN, PIN, b"other1")
    card.verify(b"other1")


def test_everything_survives_a_restart_of_the_tpm(bench, software_tpm):
    record = bench.make()
    card = bench.open(record, PIN)
    public = make_key(card)
    spend(bench.open(record), 2)
    card.verify(PIN)
    spend(bench.open(record), 1)
    bench.tpm.release()
    software_tpm.restart()
    with pytest.raises(NotVerified):
        card.sign(Slot.AUTHENTICATION, SHA256)
    card = bench.open(record)
    assert card.tries(Reference.PIN) == Tries(2, 3)
    card.verify(PIN)
    public.verify(card.sign(Slot.AUTHENTICATION, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_another_process_changes_the_pin(bench):
    """A session that the old PIN opened ends."""
    record = bench.make()
    mine = bench.open(record, PIN)
    make_key(mine)
    bench.open(record).change(Reference.PIN, PIN, b"other1")
    assert not mine.verified
    with pytest.raises(NotVerified):
        mine.sign(Slot.AUTHENTICATION, SHA256)


def test_another_process_adds_a_certificate(bench):
    """A session goes on when nothing secret has changed."""
    record = bench.make()
    mine = bench.open(record, PIN)
    make_key(mine)
    bench.open(record).store_certificate(Slot.AUTHENTICATION, b"certificate")
    mine.sign(Slot.AUTHENTICATION, SHA256)
    assert mine.certificate(Slot.AUTHENTICATION) == b"certificate"


def test_another_process_destroys_the_card(bench):
    record = bench.make()
    mine = bench.open(record, PIN)
    make_key(mine)
    bench.destroy(record)
    with pytest.raises(CardGone):
        mine.sign(Slot.AUTHENTICATION, SHA256)


def test_ten_cards_full_of_certificates(bench):
    """Ten cards on one TPM with 30 certificates on each: one for each of 24 slots, and 6 as objects of an edge. One of
    the cards has all 24 keys; the others hold copies of its certificates.
    """
    records = [bench.make(f"card {number}") for number in range(10)]
    assert [record.number for record in records] == list(range(10))
    card = bench.open(records[9], PIN)
    slots = [0x9A, 0x9C, 0x9D, 0x9E, *range(0x82, 0x96)]
    publics = {slot: make_key(card, slot) for slot in slots}
    certificates = {slot: self_signed(card, slot) for slot in slots}
    others = {0x5FFF00 + number: certificates[0x9A] for number in range(6)}
    for record in records:
        holder = bench.open(record)
        for slot, certificate in certificates.items():
            holder.store_certificate(slot, certificate)
        for tag, certificate in others.items():
            holder.store_object(tag, certificate)
    for record in records:
        found = bench.store.read(record.number)
        assert dict(found.certificates) == certificates and dict(found.objects) == others
        assert len(found.certificates) + len(found.objects) == 30
        bench.open(record, PIN)
    card = bench.open(records[9], PIN)
    assert len(card.keys()) == 24
    for slot, public in publics.items():
        public.verify(card.sign(slot, SHA256), MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_nothing_stays_in_the_tpm(bench):
    record = bench.make()
    card = bench.open(record, PIN)
    make_key(card)
    card.sign(Slot.AUTHENTICATION, SHA256)
    spend(card, 1)
    assert bench.loaded() == []
    bench.destroy(record)
    assert bench.card_indices() == []
    assert bench.loaded() == []


def test_a_tpm_that_goes_away_between_two_ways_to_it_is_not_kept_from_others(bench, software_tpm, monkeypatch):
    """ESAPI's connection has ended, and the plain one is not to be had."""
    monkeypatch.setattr(turnstile, "PATIENCE", 1.0)
    bench.tpm.acquire()
    assert bench.tpm.esapi()
    software_tpm.stop()
    with pytest.raises(TpmUnreachable, match="no TPM answers"):
        bench.tpm.end_esapi()
    other = turnstile.Turnstile(bench.store.folder, bench.tcti)
    other.acquire(False)
    other.close()
    software_tpm.start()
    bench.tpm.acquire()
    bench.tpm.release()


def test_a_tpm_that_goes_away_is_not_kept_from_others(bench, software_tpm, monkeypatch):
    """The turn at a TPM that takes one program at a time ends with the connection."""
    monkeypatch.setattr(turnstile, "PATIENCE", 1.0)
    card = bench.open(bench.make(), PIN)
    make_key(card)
    software_tpm.stop()
    with pytest.raises(TpmUnreachable, match="no TPM answers"):
        card.sign(Slot.AUTHENTICATION, SHA256)
    other = turnstile.Turnstile(bench.store.folder, bench.tcti)
    other.acquire(False)
    other.close()
    software_tpm.start()
    card.verify(PIN)
    card.sign(Slot.AUTHENTICATION, SHA256)
