# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 before and after every TPM command of making a card, changing its secrets, and destroying it."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import make_shown_key
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import State
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.guillotine import Guillotine

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK, NEW = b"123456", b"87654321", b"654321"
SLOT = int(Slot.AUTHENTICATION)
KEY, OTHER = AdminKey.random(), AdminKey.random(Cipher.AES_256)


@pytest.fixture
def guillotine(software_tpm, short_path):
    return Guillotine(software_tpm.socket, short_path / "relay.sock")


@pytest.fixture
def bench(guillotine, short_path, bench_type):
    """A bench whose TPM is behind the guillotine."""
    folder = short_path / "store"
    folder.mkdir()
    return bench_type(folder, guillotine.tcti)


def cut_everywhere(guillotine, action, prepare, check, after=False):
    """Kills the action before (or after) each of its commands in turn, until it is through, and checks each time.

    Between two commands lies all that the action does with the disk.
    """
    for deadly in itertools.count():
        prepare()
        died = guillotine.run(action, deadly, after)
        check()
        if not died:
            assert deadly > 20
            return


def check_clean(bench, records):
    """No index but those of the whole cards, nothing loaded, no file beside theirs."""
    expected = sum(len(record.model.indices) for record in records)
    assert len(bench.card_indices()) == expected
    assert bench.loaded() == []
    assert [record.state for record in bench.store.records()] == [State.READY] * len(records)


def test_making_a_card(bench, guillotine):
    keeper = bench.make("keeper")

    def make():
        bench.make("new")

    def check():
        for record in bench.recover():
            if record.name == "new":
                bench.open(record, PIN)
                bench.destroy(record)
        check_clean(bench, [keeper])

    cut_everywhere(guillotine, make, bench.tpm.release, check)
    bench.open(keeper, PIN)


def test_making_a_key_that_clients_see(bench, guillotine):
    """The next run makes what is missing, and a key without its certificate would not be."""
    record = bench.make()
    wanted = KeySpecification(SLOT, KeyAlgorithm.ECC_P256)

    def make():
        make_shown_key(bench.open(record, PIN), wanted)

    def check():
        card = bench.open(record)
        assert set(card.keys()) == set(card.certificates)
        if card.keys():
            card.verify(PIN)
            card.sign(SLOT, bytes(32))
            card.remove_key(SLOT)
            card.store_certificate(SLOT, None)
        check_clean(bench, [record])

    cut_everywhere(guillotine, make, bench.tpm.release, check)


def test_destroying_a_card(bench, guillotine):
    keeper = bench.make("keeper")
    victims = [bench.make("victim")]

    def prepare():
        if bench.store.numbers() == [keeper.number]:
            victims.append(bench.make("victim"))
        bench.tpm.release()

    def check():
        if "victim" in {record.name for record in bench.recover()}:
            bench.open(victims[-1], PIN)
        else:
            check_clean(bench, [keeper])

    cut_everywhere(guillotine, lambda: bench.destroy(victims[-1]), prepare, check)
    bench.open(keeper, PIN)


@pytest.mark.parametrize("reference", [Reference.PIN, Reference.PUK])
def test_changing_a_secret(bench, guillotine, reference):
    """The old or the new one is valid, the keys stay usable, and it costs the TPM's own lockout nothing."""
    record = bench.make()
    bench.open(record, PIN).make_key(KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256))
    secrets = [PIN, NEW] if reference is Reference.PIN else [PUK, b"12121212"]

    def use(secret):
        card = bench.open(record)
        if reference is Reference.PIN:
            card.verify(secret)
            card.sign(Slot.AUTHENTICATION, bytes(32))
        else:
            card.unblock(secret, PIN)

    def find():
        """Swaps the two if the second is the valid one."""
        try:
            use(secrets[0])
        except WrongSecret:
            use(secrets[1])
            secrets.reverse()

    before = bench.lockout_counter()
    cut_everywhere(guillotine, lambda: bench.open(record).change(reference, *secrets), bench.tpm.release, find)
    assert bench.lockout_counter() == before
    assert bench.store.read(record.number).pending == {}


def test_unblocking(bench, guillotine):
    """Doing it again completes it."""
    record = bench.make()

    def block():
        card = bench.open(record)
        for _unused in range(3):
            with contextlib.suppress(WrongSecret):
                card.verify(b"000000")
        assert card.tries(Reference.PIN).left == 0
        bench.tpm.release()

    def unblock():
        bench.open(record).unblock(PUK, NEW)

    def check():
        unblock()
        bench.open(record, NEW)

    cut_everywhere(guillotine, unblock, block, check)


def test_making_a_card_with_an_admin_key(bench, guillotine):
    def make():
        bench.make("new", admin_key=KEY)

    def check():
        for record in bench.recover():
            bench.open(record).administer(KEY)
            bench.destroy(record)
        check_clean(bench, [])

    cut_everywhere(guillotine, make, bench.tpm.release, check)


@pytest.mark.parametrize("after", [False, True])
def test_authenticating_as_administrator(bench, guillotine, after):
    """Whatever happens, the admin key opens the card at the first attempt afterwards, and an old answer does not."""
    record = bench.make(admin_key=KEY)
    answers = []

    def authenticate():
        bench.open(record).administer(KEY)

    def prepare():
        answers.append(KEY.encrypt(bench.open(record).challenge.decrypted))
        bench.tpm.release()

    def check():
        card = bench.open(record)
        if card.challenge.decrypted != KEY.decrypt(answers[-1]):
            with pytest.raises(WrongSecret):
                card.authenticate(answers[-1])
        card.administer(KEY)
        assert bench.store.read(record.number).administration.renewal is None

    cut_everywhere(guillotine, authenticate, prepare, check, after)


@pytest.mark.parametrize("after", [False, True])
def test_changing_the_admin_key(bench, guillotine, after):
    """The old or the new one is valid, and the keys that the administrator makes are usable."""
    record = bench.make(admin_key=KEY)
    keys = [KEY, OTHER]

    def change():
        card = bench.open(record)
        card.administer(keys[0])
        card.change_admin_key(keys[1])

    def check():
        card = bench.open(record)
        try:
            card.administer(keys[0])
        except WrongSecret:
            card.administer(keys[1])
            keys.reverse()

    cut_everywhere(guillotine, change, bench.tpm.release, check, after)
    card = bench.open(record)
    card.administer(keys[0])
    card.make_key(KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256))
    card.verify(PIN)
    card.sign(Slot.AUTHENTICATION, bytes(32))


def test_the_administrator_gives_a_new_pin(bench, guillotine):
    """Doing it again completes it."""
    record = bench.make(admin_key=KEY, has_puk=False)

    def reset():
        card = bench.open(record)
        card.administer(KEY)
        card.reset_pin(NEW)

    def check():
        reset()
        bench.open(record, NEW)

    cut_everywhere(guillotine, reset, bench.tpm.release, check)
