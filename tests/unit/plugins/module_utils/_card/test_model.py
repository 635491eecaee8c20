# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card as a model: which indices it has, and who may do what with each."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import (
    Model,
    NvAttribute,
    Role,
    counter_data,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import (
    Command,
    PolicyCommandCode,
    PolicySecret,
    policy_digest,
)

KINDS = list(itertools.product((False, True), repeat=2))


def make(puk=True, admin=False, handle=0x01815000, genesis=bytes(34)):
    return Model(handle, genesis, puk, admin)


@pytest.mark.parametrize(("puk", "admin"), KINDS)
def test_every_policy_fits_into_a_tpm(puk, admin):
    model = make(puk, admin)
    for index in model.indices.values():
        assert 1 <= len(index.branches) <= 8 and len(index.policy) == 32 and len(index.name) == 34
    assert len(model.policy_data) == 34


@pytest.mark.parametrize(("puk", "admin"), KINDS)
def test_nobody_writes_a_counter_but_who_may(puk, admin):
    """The genesis object and, by the PUK or else the admin key, recovery: no other branch writes the PIN's counter."""
    model = make(puk, admin)
    branches = model.indices[Role.PIN].branches
    writers = {branch[0].name for branch in branches if branch[-1:] == model.open_to_all(Command.NV_WRITE)}
    expected = {model.genesis} | ({model.name(model.recovery)} if model.recovery is not None else set())
    assert writers == expected


def test_a_card_with_puk_is_not_reset_by_the_admin_key():
    assert make(puk=True, admin=True).recovery is Role.PUK
    assert make(puk=False, admin=True).recovery is Role.ADMIN
    assert make(puk=False, admin=False).recovery is None


def test_no_index_is_the_owners_to_write():
    owner_write, auth_write = 1 << 1, 1 << 2
    for index in make(True, True).indices.values():
        assert not index.attributes & (owner_write | auth_write)
        assert index.attributes & NvAttribute.NO_DA


def test_another_genesis_handle_or_kind_gives_other_names():
    models = [make(), make(handle=0x01815008), make(genesis=b"\x01" * 34), make(puk=False)]
    assert len({model.name(Role.PIN) for model in models}) == len(models)


def test_a_key_asks_for_the_pin_unless_it_never_does():
    model = make()
    assert model.key_policy(PinUse.ONCE) == model.key_policy(PinUse.ALWAYS)
    assert model.key_policy(PinUse.ONCE)[0] == PolicySecret(model.name(Role.PIN))
    assert model.key_policy(PinUse.NEVER)[0] == PolicySecret(model.name(Role.POLICY))
    assert model.key_policy(PinUse.ONCE, certifiable=False) == (PolicySecret(model.name(Role.PIN)),)


@pytest.mark.parametrize("pin", PinUse)
def test_a_key_has_one_policy_for_its_use_and_for_being_certified(pin):
    """Either way ends at the same digest, and the way to be certified names that command alone."""
    model = make()
    use, certify = model.key_policy(pin), model.certify_policy(pin)
    assert policy_digest(use) == policy_digest(certify) != policy_digest(model.key_policy(pin, certifiable=False))
    assert certify[1] == PolicyCommandCode(Command.CERTIFY) and len(use) == 2
    assert model.key_digests(pin) == {policy_digest(use), policy_digest(model.key_policy(pin, certifiable=False))}


def test_what_a_ticket_for_the_keys_says_opens_no_seal():
    model = make(admin=True)
    keys = model.key_policy(PinUse.ONCE)[0]
    assert model.seal_policy(Role.PIN)[0] != keys and model.seal_policy(Role.PIN, guarded=True)[0] == keys
    assert model.seal_policy(Role.ADMIN) == (PolicySecret(model.name(Role.ADMIN)),)


def test_a_branch_that_an_index_lacks():
    model = make(puk=False)
    with pytest.raises(ValueError, match="no such branch"):
        model.indices[Role.POLICY].authorise(model.open_to_all(Command.NV_READ))


def test_counter_data():
    assert counter_data(5).hex() == "0000000000000005"
