# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards that an older release has made, in the TPM that it has made them in, go on with this one."""

from __future__ import annotations

import hashlib
import itertools
import json
import pathlib
import shutil

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import wholeness
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import Derivation
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    NotOffered,
    TpmLockedOut,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.migration import VERSION
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import storage_root
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.lockout import forget_failures
from ansible_collections.hardbound.identity.tests.support.foreign_key import occupy, tool
from ansible_collections.hardbound.identity.tests.support.guillotine import Guillotine
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

pytestmark = pytest.mark.tpm

DATA = pathlib.Path(__file__).parents[2] / "data"
RELEASES = (1, 2)
"""Versions of the store that older releases have left, each with its TPM."""
PIN, NEW, PUK = b"234567", b"345678", b"87654321"
FIRST_PIN = b"123456"
KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
MESSAGE = b"what is signed"
DIGEST = hashlib.sha256(MESSAGE).digest()


class Upgrade:
    """A bench with the TPM and the store of the older release."""

    def __init__(self, bench, software_tpm, release):
        self.bench = bench
        self.release = release
        self._folder = DATA / f"store_version_{release}"
        self._software_tpm = software_tpm

    def restore(self):
        """Sets both back to what the older release left."""
        self.bench.tpm.release()
        self._software_tpm.stop()
        shutil.copy(self._folder / "tpm2-00.permall.bin", self._software_tpm.folder / "tpm2-00.permall")
        for path in self._folder.glob("*.json"):
            text = path.read_text().replace("swtpm:path=SOCKET", self.bench.tcti)
            pathlib.Path(self.bench.store.path(int(path.stem))).write_text(text)
        self._software_tpm.start()

    def open(self, number=0, pin=None):
        return self.bench.open(self.bench.store.read(number), pin)

    def version(self, number=0):
        return json.loads(pathlib.Path(self.bench.store.path(number)).read_text())["version"]

    def signs(self, pin, number=0):
        card = self.open(number, pin)
        public = load_der_public_key(card.keys()[0x9A].public)
        public.verify(card.sign(0x9A, DIGEST), MESSAGE, ec.ECDSA(hashes.SHA256()))
        card.close()


@pytest.fixture(params=RELEASES)
def old(bench, software_tpm, request):
    upgrade = Upgrade(bench, software_tpm, request.param)
    upgrade.restore()
    return upgrade


def test_an_old_card_is_used_as_it_is(old):
    """Nobody who only uses or looks at a card writes its file."""
    before = pathlib.Path(old.bench.store.path(0)).read_bytes()
    old.signs(PIN)
    with pytest.raises(WrongSecret):
        old.open(0, FIRST_PIN)
    assert old.open().tries(Reference.PIN).left == 2
    assert pathlib.Path(old.bench.store.path(0)).read_bytes() == before and old.version() == old.release


def test_a_change_brings_the_file_up_to_date(old):
    """The card's own past goes with it: the former PINs are still known, and who has set the last one."""
    card = old.open()
    assert card.set_by_task(Reference.PIN) and card.candidates(Reference.PIN, [PIN]) == [PIN]
    with pytest.raises(InputError, match="among the last 2"):
        card.change(Reference.PIN, PIN, FIRST_PIN)
    card.change(Reference.PIN, PIN, NEW)
    assert (old.version(0), old.version(1)) == (VERSION, old.release)
    old.signs(NEW)
    old.open().unblock(PUK, b"456789")
    old.signs(b"456789")


RESTRICTED = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"
FOREIGN = {
    "of the same kind": ("-G", "rsa2048", "-a", f"{RESTRICTED}|noda"),
    "with a password": ("-G", "rsa2048", "-p", "secret", "-a", f"{RESTRICTED}|noda"),
    "under the TPM's own protection": ("-G", "rsa2048", "-p", "secret", "-a", RESTRICTED),
    "that signs": ("-G", "ecc256", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign"),
}


def is_whole(old):
    with old.bench.tpm.taken() as tpm:
        kept = tpm.handles(command.PERSISTENT)
        whole = wholeness.is_whole(tpm, old.bench.store.read(0))
        assert tpm.handles(command.PERSISTENT) == kept
    return whole


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_old_card_whose_storage_root_is_gone_is_not_whole(old, short_path, kind):
    """It knows no Name of the key that it is under. What took that key's place is not tried at the TPM's cost."""
    assert is_whole(old)
    tool(old.bench, "tpm2_evictcontrol", "-C", "o", "-c", hex(storage_root.HANDLE))
    assert is_whole(old)  # The TPM derives the same key again.
    occupy(old.bench, short_path, FOREIGN[kind])
    before = old.bench.lockout_counter()
    assert not is_whole(old)
    assert old.bench.lockout_counter() == before


def derivation(old, number=0, role=Role.PIN):
    return old.bench.store.read(number).derivation(role)


def power_cut_after_a_signature_counts(old, software_tpm, pin):
    old.bench.tpm.release()
    software_tpm.restart()
    before = old.bench.lockout_counter()
    old.signs(pin)
    old.bench.tpm.release()
    software_tpm.cut_power()
    return old.bench.lockout_counter() > before


def test_an_old_card_gets_the_new_ways_with_its_next_pin(old, software_tpm):
    assert derivation(old) is Derivation.SECRET
    assert power_cut_after_a_signature_counts(old, software_tpm, PIN)
    old.open().change(Reference.PIN, PIN, NEW)
    assert derivation(old) is Derivation.HASH and derivation(old, role=Role.PUK) is Derivation.SECRET
    assert not power_cut_after_a_signature_counts(old, software_tpm, NEW)
    with pytest.raises(WrongSecret, match="2 tries left"):
        old.open(0, PIN)


def test_power_cuts_lock_an_old_card_out_until_the_lockout_is_reset(old, software_tpm):
    """Its PIN is right, and that is said. It takes the lockout authorisation, and no try of the card."""
    with pytest.raises(TpmLockedOut, match="the TPM is in lockout"):
        for _unused in range(40):
            power_cut_after_a_signature_counts(old, software_tpm, PIN)
    assert old.open().tries(Reference.PIN).left == 3
    with old.bench.tpm.taken() as tpm:
        forget_failures(tpm, b"")
    assert old.bench.lockout_counter() == 0
    old.signs(PIN)


def test_the_puk_gets_them_while_it_is_at_hand(old, software_tpm):
    old.open().unblock(PUK, NEW)
    assert not Gates.is_guarded(old.bench.store.read(0).seals[Role.PUK])
    assert derivation(old, role=Role.PUK) is Derivation.SECRET
    old.open().change(Reference.PUK, PUK, b"12345670")
    assert derivation(old, role=Role.PUK) is Derivation.HASH
    old.open().unblock(b"12345670", b"456789")
    assert not power_cut_after_a_signature_counts(old, software_tpm, b"456789")


@pytest.mark.parametrize("old", [2], indirect=True)
def test_the_same_pin_again_takes_the_new_way(old):
    """A card without a history lets its PIN stay; the TPM then gets another authValue for it."""
    card = old.open(1, FIRST_PIN)
    card.change(Reference.PIN, FIRST_PIN, FIRST_PIN)
    assert derivation(old, 1) is Derivation.HASH
    old.signs(FIRST_PIN, 1)


def test_an_old_key_signs_and_is_not_certified(old):
    card = old.open(0, PIN)
    with pytest.raises(NotOffered, match="from before keys could be certified"):
        card.certify(0x9A, b"nonce")
    old.open().change(Reference.PIN, PIN, NEW)
    old.signs(NEW)


def test_what_was_cut_off_under_the_old_release_is_taken_up(old):
    """A PIN change was under way. The TPM had not been told: the first PIN counts."""
    old.signs(FIRST_PIN, 1)
    assert old.version(1) == VERSION and old.bench.store.read(1).pending == {}
    card = old.open(1)
    card.administer(KEY)
    card.reset_pin(NEW)
    old.signs(NEW, 1)


def test_an_old_card_can_be_destroyed(old):
    for number in (0, 1):
        old.bench.destroy(old.bench.store.read(number))
    assert old.bench.card_indices() == [] and old.bench.store.numbers() == []


def test_a_file_of_a_newer_release_is_refused_and_left_alone(old):
    path = pathlib.Path(old.bench.store.path(0))
    newer = path.read_text().replace(f'"version": {old.release}', f'"version": {VERSION + 1}')
    path.write_text(newer)
    with pytest.raises(StateError, match=f"knows up to {VERSION}: update the collection, and apply the role"):
        old.open()
    with pytest.raises(StateError, match="update the collection"):
        old.bench.recover()
    assert path.read_text() == newer
    old.signs(FIRST_PIN, 1)


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_kill_while_a_file_is_brought_up_to_date(software_tpm, short_path, bench_type, release):
    """At each command of the change that does it: one of the two files is there, and one of the two PINs is right."""
    guillotine = Guillotine(software_tpm.socket, short_path / "relay.sock")
    folder = short_path / "store"
    folder.mkdir()
    upgrade = Upgrade(bench_type(folder, guillotine.tcti), software_tpm, release)
    versions = set()
    for deadly in itertools.count():
        upgrade.restore()
        died = guillotine.run(lambda: upgrade.open().change(Reference.PIN, PIN, NEW), deadly)
        versions.add(upgrade.version())
        try:
            upgrade.signs(PIN)
        except WrongSecret:
            upgrade.signs(NEW)
        if not died:
            break
    assert deadly > 20 and versions == {release, VERSION}
