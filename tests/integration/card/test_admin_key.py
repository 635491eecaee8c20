# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the admin key lets its owner do, and what an attacker with root's rights still can't."""

from __future__ import annotations

import base64
import contextlib
import pathlib
import shutil
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_gate import AdminGate, answer_auth
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminChallenge, AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    NotOffered,
    NotVerified,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.external_key import ExternalKey, RsaParts
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates, Opened
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role, counter_data
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Administration
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import (
    Command,
    PolicyCommandCode,
    PolicySecret,
    any_of,
)
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError, InputError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import nv
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import object as tpm_object
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import Reason, TpmError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.pytss import load
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.session import (
    Given,
    authorising,
    obtain_ticket,
    satisfying,
)
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

pytestmark = pytest.mark.tpm

PIN, PUK, NEW = b"123456", b"87654321", b"654321"
DIGEST = bytes(range(32))
KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
OTHER = AdminKey(Cipher.AES_256, bytes(range(32, 64)))
AUTHENTICATION = KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256)


def forms(secret):
    """A secret as it might lie on a disk."""
    return secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)[:-4]


def on_disk(bench, record):
    return pathlib.Path(bench.store.path(record.number)).read_bytes()


def block(card):
    for _unused in range(card.tries(Reference.PIN).limit):
        with contextlib.suppress(WrongSecret):
            card.verify(b"000000")
    assert card.tries(Reference.PIN).left == 0


@pytest.fixture
def record(bench):
    """A card without PUK, with an admin key and one key."""
    record = bench.make(has_puk=False, admin_key=KEY)
    card = bench.open(record, PIN)
    card.make_key(AUTHENTICATION)
    card.close()
    return card.record


@pytest.mark.parametrize("cipher", list(Cipher))
def test_single_and_mutual_authentication(bench, cipher):
    key = AdminKey.random(cipher)
    card = bench.open(bench.make(admin_key=key))
    card.authenticate(key.encrypt(card.challenge.decrypted))
    assert card.administered
    block = bytes(cipher.block_size)
    assert card.authenticate(key.decrypt(card.challenge.encrypted), lambda key: key.encrypt(block)) == key.encrypt(
        block
    )


def test_a_wrong_answer_lets_nobody_in_and_costs_nothing(bench, record):
    card = bench.open(record)
    before, lockout = card.challenge, bench.lockout_counter()
    for answer in (bytes(8), before.encrypted, before.decrypted, OTHER.value[:8]):
        with pytest.raises(WrongSecret):
            card.authenticate(answer)
        assert not card.administered
    assert card.challenge == before
    assert bench.lockout_counter() == lockout
    card.administer(KEY)
    assert card.administered


def test_an_answer_works_once(bench, record):
    card = bench.open(record)
    answers = [KEY.encrypt(card.challenge.decrypted)]
    assert KEY.decrypt(card.challenge.encrypted) == answers[0]
    card.authenticate(answers[0])
    with pytest.raises(WrongSecret):
        card.authenticate(answers[0])
    assert not card.administered


def test_a_replay_with_the_old_file_is_refused_by_the_tpm(bench, record):
    """Root puts the old challenge back. The TPM does not take the old answer, and neither does it by hand."""
    path = bench.store.path(record.number)
    shutil.copy(path, path + ".bak")
    answer = KEY.encrypt(bench.open(record).challenge.decrypted)
    bench.open(record).authenticate(answer)
    shutil.copy(path + ".bak", path)
    with pytest.raises(WrongSecret):
        bench.open(record).authenticate(answer)
    with bench.tpm.taken() as tpm, pytest.raises(WrongSecret):
        AdminGate(Gates(tpm, record)).open(answer)


def test_the_administrator_gives_a_new_pin(bench, record):
    card = bench.open(record)
    block(card)
    card.administer(KEY)
    card.reset_pin(NEW)
    assert card.tries(Reference.PIN).left == 3
    card.verify(NEW)
    card.sign(Slot.AUTHENTICATION, DIGEST)
    with pytest.raises(WrongSecret):
        card.verify(PIN)


def test_a_new_pin_of_the_administrators_obeys_the_policy(bench, record):
    card = bench.open(record)
    card.administer(KEY)
    with pytest.raises(InputError):
        card.reset_pin(b"123")
    card.verify(PIN)


def test_without_authentication_nothing_is_administered(bench, record):
    card = bench.open(record, PIN)
    external = ExternalKey.ec(KeyAlgorithm.ECC_P256, 12345)
    for action in (
        lambda: card.reset_pin(NEW),
        lambda: card.set_tries(9, 9),
        lambda: card.change_admin_key(OTHER),
    ):
        with pytest.raises(NotVerified):
            action()
    card.logout()
    with pytest.raises(NotVerified):
        card.make_key(AUTHENTICATION)
    with pytest.raises(NotVerified):
        card.import_key(AUTHENTICATION, external)
    with pytest.raises(NotVerified):
        card.store_protected(0x5FC109, b"x")
    card.administer(KEY)
    card.end_administration()
    with pytest.raises(NotVerified):
        card.reset_pin(NEW)


def test_an_administrator_makes_keys_and_can_not_use_them(bench):
    card = bench.open(bench.make(admin_key=KEY))
    card.administer(KEY)
    card.make_key(AUTHENTICATION)
    with pytest.raises(NotVerified):
        card.sign(Slot.AUTHENTICATION, DIGEST)
    card.verify(PIN)
    card.sign(Slot.AUTHENTICATION, DIGEST)


def test_the_administrator_and_the_pin_set_the_tries(bench):
    card = bench.open(bench.make(admin_key=KEY))
    card.administer(KEY)
    with pytest.raises(NotVerified):
        card.set_tries(7, 8)
    card.verify(PIN)
    card.set_tries(7, 8)
    assert [card.tries(each).limit for each in (Reference.PIN, Reference.PUK)] == [7, 8]
    assert (card.record.pin_retries, card.record.puk_retries) == (7, 8)
    for tries in (0, 128):
        with pytest.raises(InputError):
            card.set_tries(tries, 8)
    bench.open(card.record).unblock(PUK, NEW)
    assert card.tries(Reference.PIN).left == 7


def test_the_admin_key_changes_with_its_cipher(bench, record):
    card = bench.open(record)
    card.administer(KEY)
    card.change_admin_key(OTHER)
    card.change_admin_key(replace(OTHER, value=bytes(range(32))))
    card.change_admin_key(OTHER)
    assert card.administered
    with pytest.raises(WrongSecret):
        bench.open(record).administer(KEY)
    card.administer(OTHER)
    card.reset_pin(NEW)
    bench.open(record, NEW)


def test_another_processs_change_of_the_admin_key_ends_the_administration(bench, record):
    first, second = bench.open(record), bench.open(record)
    first.administer(KEY)
    second.administer(KEY)
    second.change_admin_key(OTHER)
    assert not first.administered
    with pytest.raises(NotVerified):
        first.change_admin_key(KEY)
    bench.open(record).administer(OTHER)


def test_the_pins_session_outlives_an_authentication(bench, record):
    card = bench.open(record, PIN)
    card.administer(KEY)
    assert card.verified
    card.logout()
    assert card.administered


# External keys.


@pytest.mark.parametrize("algorithm", [each for each in KeyAlgorithm if each.curve])
def test_an_ec_key_that_is_imported(bench, record, algorithm):
    private = ec.generate_private_key(algorithm.curve.elliptic)
    card = bench.open(record)
    card.administer(KEY)
    external = ExternalKey.ec(algorithm, private.private_numbers().private_value)
    key = card.import_key(KeySpecification(0x9D, algorithm), external)
    assert key.imported and card.keys()[0x9D].imported and not card.keys()[0x9A].imported
    with pytest.raises(NotVerified):
        card.sign(0x9D, DIGEST)
    card.verify(PIN)
    signature = card.sign(0x9D, DIGEST)
    private.public_key().verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def test_an_rsa_key_that_is_imported(bench, record):
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.private_numbers()
    card = bench.open(record)
    card.administer(KEY)
    parts = RsaParts(numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    wanted = KeySpecification(0x9D, KeyAlgorithm.RSA_2048)
    card.import_key(wanted, ExternalKey.rsa(KeyAlgorithm.RSA_2048, parts))
    card.verify(PIN)
    encrypted = private.public_key().encrypt(b"for the card", padding.PKCS1v15())
    assert card.rsa_private(0x9D, encrypted).endswith(b"\0for the card")
    der = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    assert card.keys()[0x9D].public == private.public_key().public_bytes(*der)


def test_a_key_that_is_imported_for_the_open_slot(bench, record):
    card = bench.open(record)
    card.administer(KEY)
    card.import_key(KeySpecification(0x9E, KeyAlgorithm.ECC_P256), ExternalKey.ec(KeyAlgorithm.ECC_P256, 4711))
    card.close()
    card.sign(0x9E, DIGEST)


def test_a_key_that_is_imported_does_not_leave_the_tpm_again(bench, record):
    """It is not fixed to the TPM, but its policy has no branch for TPM2_Duplicate."""
    card = bench.open(record)
    card.administer(KEY)
    card.import_key(KeySpecification(0x9D, KeyAlgorithm.ECC_P256), ExternalKey.ec(KeyAlgorithm.ECC_P256, 4711))
    record = card.record
    pytss = load()
    with bench.tpm.taken() as tpm:
        opened = Gates(tpm, record).open(Reference.PIN, PIN)
        with (
            tpm_object.loaded(tpm, tpm.storage_root(), record.parent, opened.contents().parent_auth) as parent,
            tpm_object.loaded(tpm, parent, record.keys[0x9D].blob) as key,
        ):
            policy = record.model.key_policy(record.keys[0x9D].pin)
            with satisfying(tpm, policy, Given.ticket(opened.ticket)) as session:
                tpm.esapi().policy_command_code(policy_session=session, code=pytss.TPM2_CC.Duplicate)
                with pytest.raises(TpmError) as caught, tpm.doing("duplicating") as esapi:
                    esapi.duplicate(
                        object_handle=key,
                        new_parent_handle=pytss.ESYS_TR.NONE,
                        encryption_key_in=b"",
                        symmetric_alg=pytss.TPMT_SYM_DEF_OBJECT(algorithm=pytss.TPM2_ALG.NULL),
                        session1=session,
                    )
                assert caught.value.reason is Reason.POLICY_FAIL


# Attackers.


def test_the_admin_key_is_not_on_the_disk(bench, record):
    card = bench.open(record)
    seen = [on_disk(bench, record)]
    card.administer(KEY)
    seen.append(on_disk(bench, record))
    card.change_admin_key(OTHER)
    seen.append(on_disk(bench, record))
    administrator = card._session.administrator
    for content in seen:
        for secret in (KEY.value, OTHER.value, administrator.auth, administrator.opened.contents().key):
            assert not any(form in content for form in forms(secret))


def test_an_interrupted_renewal_leaves_no_answer_on_the_disk(bench, record, monkeypatch):
    card = bench.open(record)
    answer = KEY.encrypt(card.challenge.decrypted)

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AdminGate, "renew", stop)
        with pytest.raises(KeyboardInterrupt):
            card.authenticate(answer)
    content = on_disk(bench, record)
    assert b"previous" in content
    assert not any(form in content for form in forms(answer))
    # The TPM would still take the old answer. The card's challenge is another, and the old answer does not fit it.
    with pytest.raises(WrongSecret):
        bench.open(record).authenticate(answer)
    bench.open(record).administer(KEY)


def test_a_card_with_a_puk_is_not_reset_with_the_admin_key(bench):
    """Neither by this program, nor by one of the attacker's who has the admin key: the policy has no such branch."""
    record = bench.make(admin_key=KEY)
    card = bench.open(record)
    block(card)
    card.administer(KEY)
    with pytest.raises(NotOffered, match="has a PUK"):
        card.reset_pin(NEW)
    opened: Opened = card._session.administrator.opened
    gates = Gates(bench.tpm, card.record)
    index = gates.model.indices[Role.PIN]
    with bench.tpm.taken() as tpm:
        for command in (Command.NV_CHANGE_AUTH, Command.NV_WRITE):
            branch = gates.model.by(Role.ADMIN, command)
            with pytest.raises(ValueError, match="no such branch"):
                index.authorise(branch)
            with satisfying(tpm, branch, Given.ticket(opened.ticket)) as session, pytest.raises(TpmError):
                _attack(tpm, gates.entity(Role.PIN), command, session)
    with pytest.raises(HardboundError, match="blocked"):
        card.verify(NEW)


@pytest.mark.parametrize("has_puk", [False, True])
def test_a_thrown_away_admin_key_leaves_no_way_back(bench, has_puk):
    """``random``: root forges a record with an admin key, and the index for it. The card's PIN does not know it."""
    record = bench.make(has_puk=has_puk)
    assert Role.ADMIN not in record.model.indices and Role.ADMIN not in record.seals
    card = bench.open(record)
    block(card)
    with pytest.raises(NotOffered):
        card.administer(KEY)
    challenge, answer = AdminChallenge.make(KEY)
    seals = {**record.seals, Role.ADMIN: record.seals[Role.PIN]}
    forged = replace(record, administration=Administration(challenge), seals=seals)
    admin, pin = forged.model.indices[Role.ADMIN], record.model.indices[Role.PIN]
    with bench.tpm.taken() as tpm:
        nv.define(tpm, admin, answer_auth(record.salt, challenge, answer))
        gates = Gates(tpm, forged)
        with pytest.raises(HardboundError, match="no longer whole"):
            AdminGate(gates).open(answer)
        entity = tpm.entity(admin.handle)
        tpm.esapi().tr_set_auth(entity, answer_auth(record.salt, challenge, answer))
        name = tpm_object.name(tpm, entity)
        ticket = obtain_ticket(tpm, name, entity, 60)
        for command in (Command.NV_CHANGE_AUTH, Command.NV_WRITE):
            for steps in (
                (PolicySecret(name), PolicyCommandCode(command), *any_of(record.model.indices[Role.PIN].branches)),
                (PolicySecret(name), PolicyCommandCode(command)),
            ):
                with pytest.raises(TpmError):
                    with satisfying(tpm, steps, Given.ticket(ticket)) as session:
                        _attack(tpm, tpm.entity(pin.handle), command, session)
        with authorising(tpm) as session, pytest.raises(TpmError), tpm.doing("writing") as esapi:
            owner = load().ESYS_TR.OWNER
            entity = tpm.entity(pin.handle)
            esapi.nv_write(nv_index=entity, data=counter_data(9), offset=0, auth_handle=owner, session1=session)
        nv.undefine(tpm, admin.handle)
    assert card.tries(Reference.PIN).left == 0
    with pytest.raises(HardboundError, match="blocked"):
        card.verify(PIN)


def _attack(tpm, entity, command, session):
    with tpm.doing("attacking") as esapi:
        if command is Command.NV_WRITE:
            esapi.nv_write(nv_index=entity, data=counter_data(9), offset=0, auth_handle=entity, session1=session)
        else:
            esapi.nv_change_auth(nv_index=entity, new_auth=NEW, session1=session)


def test_a_protected_object_is_of_no_use_without_the_pin_or_the_admin_key(bench, record):
    card = bench.open(record)
    card.administer(KEY)
    card.store_protected(0x5FC109, b"what only the owner reads")
    assert b"what only" not in on_disk(bench, record)
    card.end_administration()
    with pytest.raises(NotVerified):
        card.protected(0x5FC109)
    card.verify(PIN)
    assert card.protected(0x5FC109) == b"what only the owner reads"
    card.store_protected(0x5FC109, None)
    assert card.protected(0x5FC109) is None


def test_destroying_a_card_with_an_admin_key_leaves_nothing(bench, record):
    bench.destroy(record)
    assert bench.card_indices() == []
    assert bench.loaded() == []
