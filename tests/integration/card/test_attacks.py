# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An attacker with root's rights, the TPM's owner authorisation and copies of all files, but not the PIN."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_gate import answer_auth
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardLost, CardOutdated, NotVerified
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role, counter_data
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import (
    Command,
    PolicyAuthValue,
    PolicyCommandCode,
    PolicySecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import unsized
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import nv
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import object as tpm_object
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import Reason, TpmError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.pytss import load
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.session import (
    NOTHING_GIVEN,
    Given,
    authorising,
    obtain_ticket,
    satisfying,
)
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.template import Template
from cryptography.hazmat.primitives.asymmetric import ec

pytestmark = pytest.mark.tpm

PIN, PUK = b"123456", b"87654321"
KEY = AdminKey.random()
DIGEST = hashlib.sha256(b"a contract").digest()


@pytest.fixture
def record(bench):
    """A card with one key, closed."""
    record = bench.make()
    card = bench.open(record, PIN)
    card.make_key(KeySpecification(int(Slot.AUTHENTICATION), KeyAlgorithm.ECC_P256))
    card.close()
    return card.record


@pytest.fixture
def tpm(bench):
    with bench.tpm.taken() as tpm:
        yield tpm


def refused(reason, action):
    with pytest.raises(TpmError) as caught:
        action()
    assert caught.value.reason is reason, caught.value


def redefine(tpm, record, role, auth):
    """What the owner may do: remove an index and make one with the same public area and an authValue of his choice."""
    index = record.model.indices[role]
    nv.undefine(tpm, index.handle)
    return nv.define(tpm, index, auth)


def test_the_parent_key_does_not_open_without_the_card_key(tpm, record):
    def load_key():
        with (
            tpm_object.loaded(tpm, tpm.storage_root(), record.parent, bytes(32)) as parent,
            tpm_object.loaded(tpm, parent, record.keys[0x9A].blob),
        ):
            pass

    refused(Reason.BAD_AUTH, load_key)


def test_a_loaded_key_takes_no_password(tpm, bench, record):
    """Even with the key loaded, which takes the PIN, only the policy uses it."""
    pytss = load()
    gates = Gates(tpm, record)
    opened = gates.open(Reference.PIN, PIN)
    with (
        tpm_object.loaded(tpm, tpm.storage_root(), record.parent, opened.contents().parent_auth) as parent,
        tpm_object.loaded(tpm, parent, record.keys[0x9A].blob) as key,
    ):
        scheme = pytss.TPMT_SIG_SCHEME(scheme=pytss.TPM2_ALG.ECDSA)
        scheme.details.any.hashAlg = pytss.TPM2_ALG.SHA256
        ticket = pytss.TPMT_TK_HASHCHECK(tag=pytss.TPM2_ST.HASHCHECK, hierarchy=pytss.TPM2_RH.NULL)

        def sign(session):
            with tpm.doing("signing") as esapi:
                esapi.sign(
                    key_handle=key,
                    digest=pytss.TPM2B_DIGEST(DIGEST),
                    in_scheme=scheme,
                    validation=ticket,
                    session1=session,
                )

        with pytest.raises(TpmError):
            sign(pytss.ESYS_TR.PASSWORD)
        with satisfying(tpm, (), NOTHING_GIVEN) as empty:
            refused(Reason.POLICY_FAIL, lambda: sign(empty))
        with satisfying(tpm, record.model.key_policy(record.keys[0x9A].pin), Given.ticket(opened.ticket)) as right:
            sign(right)


def test_a_redefined_pin_index_is_not_the_old_one(tpm, record):
    gates = Gates(tpm, record)
    mine = gates.auth(Role.PIN, b"attack")
    entity = redefine(tpm, record, Role.PIN, mine)
    for given in (load().ESYS_TR.OWNER, entity):
        with pytest.raises(TpmError), authorising(tpm) as session, tpm.doing("writing") as esapi:
            esapi.nv_write(nv_index=entity, data=counter_data(1000), offset=0, auth_handle=given, session1=session)
    assert nv.name(tpm, record.model.indices[Role.PIN].handle) != record.model.name(Role.PIN)
    with pytest.raises(TpmError):
        obtain_ticket(tpm, record.model.name(Role.PIN), entity, 60)
    with pytest.raises(CardLost, match="no longer whole"):
        gates.open(Reference.PIN, PIN)


def test_a_genesis_of_the_attackers_own_has_another_name(tpm, record):
    blob, _unused = tpm_object.create(tpm, tpm.storage_root(), Template.genesis(), auth=b"mine", data=bytes(1))
    with tpm_object.loaded(tpm, tpm.storage_root(), blob, b"mine") as genesis:
        name = tpm_object.name(tpm, genesis)
        assert name != record.genesis
        index = record.model.indices[Role.PIN]
        entity = redefine(tpm, record, Role.PIN, b"mine")
        first_write = (PolicySecret(name), PolicyCommandCode(Command.NV_WRITE))
        given = Given.entity(name, genesis)
        refused(
            Reason.VALUE,
            lambda: nv.write(
                tpm, entity, counter_data(99), first_write + index.authorise(record.model.first_write)[2:], given
            ),
        )


def test_no_branch_lets_a_pin_be_guessed_by_changing_it(tpm, record):
    """PolicyAuthValue with NV_ChangeAuth would not look at the counter."""
    gates = Gates(tpm, record)
    index = record.model.indices[Role.PIN]
    branch = (PolicyAuthValue(), PolicyCommandCode(Command.NV_CHANGE_AUTH))
    assert branch not in index.branches
    entity = gates.entity(Role.PIN, gates.auth(Role.PIN, PIN))
    refused(Reason.POLICY_FAIL, lambda: nv.change_auth(tpm, entity, b"mine", branch, NOTHING_GIVEN))


def test_the_owner_writes_no_counter(tpm, record):
    gates = Gates(tpm, record)
    entity = gates.entity(Role.PIN)
    with pytest.raises(TpmError), authorising(tpm) as session, tpm.doing("writing") as esapi:
        owner = load().ESYS_TR.OWNER
        esapi.nv_write(nv_index=entity, data=counter_data(1000), offset=0, auth_handle=owner, session1=session)


def test_the_pin_gives_no_right_over_the_puk(tpm, record):
    gates = Gates(tpm, record)
    opened = gates.open(Reference.PIN, PIN)
    given = Given.ticket(opened.ticket, {record.model.name(Role.POLICY): gates.entity(Role.POLICY, b"")})
    steps = record.model.delegate(Role.PUK, record.model.own_change(Role.PIN))
    with pytest.raises(TpmError):
        nv.change_auth(tpm, gates.entity(Role.PUK), b"mine", steps, given)


def test_a_seal_is_not_guessed_past_the_counter(tpm, bench, record):
    """Without the counter's consent the seal does not even look."""
    gates = Gates(tpm, record)
    with tpm_object.loaded(tpm, tpm.storage_root(), record.seals[Role.PIN], gates.auth(Role.PIN, PIN)) as seal:
        refused(Reason.POLICY_FAIL, lambda: tpm_object.unseal(tpm, seal, (PolicyAuthValue(),), NOTHING_GIVEN))
        with pytest.raises(TpmError), authorising(tpm) as session, tpm.doing("unsealing") as esapi:
            esapi.unseal(item_handle=seal, session1=session)


def test_an_old_seal_is_of_no_use_after_a_pin_change(bench, record):
    old = record.seals[Role.PIN]
    bench.open(record).change(Reference.PIN, PIN, b"other1")
    changed = bench.store.read(record.number)
    with bench.tpm.taken() as tpm:
        gates = Gates(tpm, changed)
        entity = gates.entity(Role.PIN, gates.auth(Role.PIN, b"other1"))
        given = Given.entity(changed.model.name(Role.PIN), entity)
        for guess in (b"other1", b"attack"):
            auth = gates.auth(Role.PIN, guess)
            with tpm_object.loaded(tpm, tpm.storage_root(), old, auth) as seal:
                policy = changed.model.seal_policy(Role.PIN)
                refused(Reason.BAD_AUTH, lambda: tpm_object.unseal(tpm, seal, policy, given))  # noqa: B023


def test_a_leaked_ticket_lets_nobody_guess_at_the_seal(bench, record):
    """It is for the keys. The seal asks the counter for a consent of its own, and that takes the PIN, and counts."""
    before = bench.lockout_counter()
    with bench.tpm.taken() as tpm:
        gates, name = Gates(tpm, record), record.model.name(Role.PIN)
        ticket = obtain_ticket(tpm, name, gates.entity(Role.PIN, gates.auth(Role.PIN, PIN)), 2**31 - 1)
        for guess in (b"guess1", PIN):
            auth = gates.auth(Role.PIN, guess)
            with tpm_object.loaded(tpm, tpm.storage_root(), record.seals[Role.PIN], auth) as seal:
                policy = record.model.seal_policy(Role.PIN, guarded=True)
                refused(Reason.POLICY_FAIL, lambda: tpm_object.unseal(tpm, seal, policy, Given.ticket(ticket)))  # noqa: B023
        wrong = Given.entity(name, gates.entity(Role.PIN, gates.auth(Role.PIN, b"guess1")))
        with tpm_object.loaded(
            tpm, tpm.storage_root(), record.seals[Role.PIN], gates.auth(Role.PIN, b"guess1")
        ) as seal:
            policy = record.model.seal_policy(Role.PIN)
            refused(Reason.BAD_AUTH, lambda: tpm_object.unseal(tpm, seal, policy, wrong))
        assert gates.tries(Role.PIN).left == 2
    assert bench.lockout_counter() == before


def test_a_ticket_dies_with_a_restart(bench, software_tpm, record):
    card = bench.open(record, PIN)
    card.sign(0x9A, DIGEST)
    bench.tpm.release()
    software_tpm.restart()
    with pytest.raises(NotVerified):
        card.sign(0x9A, DIGEST)


def test_a_restored_file_brings_no_old_pin_back(bench, record):
    """Rolling the disk back does not roll the TPM back: the old PIN stays wrong, and counted."""
    backup = bench.store.path(record.number) + ".bak"
    shutil.copy(bench.store.path(record.number), backup)
    bench.open(record).change(Reference.PIN, PIN, b"other1")
    shutil.copy(backup, bench.store.path(record.number))
    card = bench.open(record)
    with pytest.raises(HardboundError, match="2 tries left"):
        card.verify(PIN)
    with pytest.raises(CardOutdated, match="put the newest copy of the file back, or set a new PIN with the PUK"):
        card.verify(b"other1")
    card.unblock(PUK, b"other2")
    bench.open(record, b"other2").sign(0x9A, DIGEST)


@pytest.mark.parametrize("has_puk", [True, False], ids=["with PUK", "with the admin key's reset"])
def test_destroyed_is_destroyed(bench, software_tpm, short_path, has_puk):
    """The attacker kept a copy of every file, and knows PIN, PUK and admin key. He has the owner's rights, makes every
    index anew with the old public areas and the right authValues, and puts the files back. Nothing signs.
    """
    record = bench.make(has_puk=has_puk, admin_key=KEY)
    card = bench.open(record, PIN)
    for slot in (Slot.AUTHENTICATION, Slot.SIGNATURE, Slot.CARD_AUTHENTICATION):
        card.make_key(KeySpecification(int(slot), KeyAlgorithm.ECC_P256))
        card.sign(int(slot), DIGEST)
    card.close()
    kept = short_path / "kept"
    shutil.copytree(bench.store.folder, kept)
    copy = bench.store.read(record.number)
    answer = KEY.encrypt(copy.administration.challenge.decrypted)
    secrets = {Role.PIN: PIN, Role.PUK: PUK}
    bench.destroy(record)

    shutil.copytree(kept, bench.store.folder, dirs_exist_ok=True)
    with bench.tpm.taken() as tpm:
        gates = Gates(tpm, copy)
        auths = {role: gates.auth(role, secret) for role, secret in secrets.items()}
        auths[Role.ADMIN] = answer_auth(copy.salt, copy.administration.challenge, answer)
        contents = {Role.POLICY: copy.model.policy_data, Role.SECRET: bytes(32), Role.ADMIN: bytes(8)}
        entities = {role: nv.define(tpm, index, auths.get(role, b"")) for role, index in copy.model.indices.items()}
        for role, entity in entities.items():
            assert not writes(tpm, entity, contents.get(role, counter_data(3)))
            assert nv.name(tpm, copy.model.indices[role].handle) != copy.model.name(role)
        given = {Role.ADMIN: Given.ticket(obtain_ticket(tpm, copy.model.name(Role.ADMIN), entities[Role.ADMIN], 60))}
        for role in (Role.PIN, Role.PUK):
            if role in entities:
                with pytest.raises(TpmError):
                    obtain_ticket(tpm, copy.model.name(role), entities[role], 60)
        for role, seal in copy.seals.items():  # The ADMIN index takes its authValue, and yet has another Name.
            with tpm_object.loaded(tpm, tpm.storage_root(), seal, auths[role]) as entity:
                with_index = Given.entity(copy.model.name(role), entities[role])
                sealed = copy.model.seal_policy(role)
                ways = [
                    (sealed, with_index),
                    (sealed, given.get(role, with_index)),
                    ((PolicyAuthValue(),), NOTHING_GIVEN),
                ]
                for policy, proof in ways:
                    with pytest.raises(TpmError):
                        tpm_object.unseal(tpm, entity, policy, proof)
        for auth in (bytes(32), *auths.values()):
            with pytest.raises(TpmError), tpm_object.loaded(tpm, tpm.storage_root(), copy.parent, auth) as parent:
                with tpm_object.loaded(tpm, parent, copy.keys[0x9A].blob):
                    pass

    def nothing_works():
        for attempt in (
            lambda card: card.verify(PIN),
            lambda card: card.sign(0x9E, DIGEST),
            lambda card: card.unblock(PUK, b"654321"),
            lambda card: card.administer(KEY),
        ):
            with pytest.raises(HardboundError):
                attempt(bench.open(copy))
        card = bench.open(copy)
        with pytest.raises(HardboundError):
            card.sign(0x9A, DIGEST)

    nothing_works()
    bench.tpm.release()
    software_tpm.restart()
    nothing_works()


def writes(tpm, entity, data):
    """Whether the owner, or whoever has the index's authValue, writes an index that he has made."""
    for by in (load().ESYS_TR.OWNER, entity):
        try:
            with authorising(tpm) as session, tpm.doing("writing") as esapi:
                esapi.nv_write(nv_index=entity, data=data, offset=0, auth_handle=by, session1=session)
        except TpmError:
            continue
        return True
    return False


def test_a_destroyed_cards_open_key_is_dead_too(bench):
    """The key that never asks for a PIN is under the storage root, but its policy needs the card's index."""
    record = bench.make()
    bench.open(record, PIN).make_key(KeySpecification(int(Slot.CARD_AUTHENTICATION), KeyAlgorithm.ECC_P256))
    copy = bench.store.read(record.number)
    bench.destroy(record)
    workbench = bench.workbench
    with bench.tpm.taken() as tpm:
        entity = nv.define(tpm, copy.model.indices[Role.POLICY], b"")
        ticket = obtain_ticket(tpm, tpm_object.name(tpm, entity), entity, 60)
        with tpm_object.loaded(tpm, tpm.storage_root(), copy.keys[0x9E].blob) as key:
            saved = workbench.save(key)
        refused(Reason.POLICY_FAIL, lambda: workbench.sign(saved, ticket, DIGEST))


def test_a_genesis_that_was_kept_dies_with_a_restart(bench, software_tpm):
    """Even a host that knows a genesis object's authValue and data can't make it again after a restart."""
    names = []
    for _unused in range(2):
        with bench.tpm.taken() as tpm:
            again = []
            for _unused in range(2):
                with tpm_object.passing(tpm, Template.genesis(), b"kept", b"kept too") as genesis:
                    again.append(tpm_object.name(tpm, genesis.entity))
            assert again[0] == again[1]
            names.append(again[0])
        software_tpm.restart()
    assert names[0] != names[1]


def test_ten_power_cuts_after_ten_signatures(bench, software_tpm, record):
    """A TPM that finds no orderly end counts a failure if something under its own protection was used. Nothing is."""
    before = bench.lockout_counter()
    for _unused in range(10):
        card = bench.open(record, PIN)
        card.sign(0x9A, DIGEST)
        card.close()
        bench.tpm.release()
        software_tpm.cut_power()
    assert bench.lockout_counter() == before
    bench.open(record, PIN).sign(0x9A, DIGEST)
    assert bench.open(record).tries(Reference.PIN).left == 3


def test_a_key_is_certified_with_the_pin_alone(bench, record):
    """TPM2_Certify is what verifiers of WebAuthn and ACME know. It takes the PIN, and gives no signature."""
    card = bench.open(record, PIN)
    public = Public.parse(unsized(record.keys[0x9A].blob.public, "TPM2B_PUBLIC", 1024))
    statement = card.certify(0x9A, b"what a relying party asks")
    attest = Attest.parse(statement.attest)
    assert attest.attested.name == public.name and attest.extra_data == b"what a relying party asks"
    ak = Public.parse(unsized(record.ak.public, "TPM2B_PUBLIC", 1024))
    assert Signature.parse(statement.signature).verify(ak.public_key(), statement.attest)
    card.sign(0x9A, DIGEST)
    card.close()
    with pytest.raises(NotVerified):
        bench.open(record).certify(0x9A, b"without the PIN")


def test_consent_to_certify_is_for_nothing_else(tpm, record):
    gates, model = Gates(tpm, record), record.model
    opened = gates.open(Reference.PIN, PIN)
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (each.to_bytes(32, "big") for each in (point.x, point.y))
    given, pin = Given.ticket(opened.ticket), record.keys[0x9A].pin
    with (
        tpm_object.loaded(tpm, tpm.storage_root(), record.parent, opened.contents().parent_auth) as parent,
        tpm_object.loaded(tpm, parent, record.keys[0x9A].blob) as key,
    ):
        assert tpm_object.ecdh(tpm, key, x, y, model.key_policy(pin), given)
        with pytest.raises(TpmError) as caught:
            tpm_object.ecdh(tpm, key, x, y, model.certify_policy(pin), given)
    assert caught.value.code & 0xBF == 0xA4  # TPM_RC_POLICY_CC
