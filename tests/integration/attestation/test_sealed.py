# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever makes a card may keep its genesis, and whoever had the PIN a ticket: until the TPM restarts, which shows."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role, counter_data
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Creation
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import nv
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import object as tpm_object
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.pytss import load
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.session import Given, obtain_ticket
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.template import Template
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.tests.integration.attestation.bench import NAME, RETRIES, Bench

pytestmark = pytest.mark.tpm

PIN, NEW = b"123456", b"345678"
DIGEST = hashlib.sha256(b"a contract").digest()
FOR_EVER = 2**31 - 1
"""Seconds: the longest that TPM2_PolicySecret gives a ticket for."""


class Hostile(Bench):
    """A host whose root makes its card with a genesis object of his own choice, that he can make again."""

    hierarchy = "NULL"

    @contextlib.contextmanager
    def genesis(self, tpm, *_unused):
        pytss = load()
        with tpm.doing("making genesis") as esapi:
            entity, public, creation, hashed, ticket = esapi.create_primary(
                in_sensitive=tpm_object._sensitive(b"kept", b"kept too"),
                in_public=Template.genesis(),
                primary_handle=getattr(pytss.ESYS_TR, self.hierarchy),
            )
            esapi.tr_set_auth(entity, b"kept")
        yield tpm_object.Passing(
            entity, public.marshal(), Creation(creation.marshal(), hashed.marshal(), ticket.marshal())
        )
        tpm.esapi().flush_context(entity)

    def gives_tries_back(self):
        """Whether root sets the count of failures to zero, which takes no PIN."""
        self.card.close()
        record = self.record
        index = record.model.indices[Role.PIN]
        with self.tpm.taken() as tpm, self.genesis(tpm) as genesis:
            if tpm_object.name(tpm, genesis.entity) != record.genesis:
                return False
            given = Given.entity(record.genesis, genesis.entity)
            steps = index.authorise(record.model.first_write)
            nv.write(tpm, tpm.entity(index.handle), counter_data(RETRIES), steps, given)
        return self.card.tries(Reference.PIN).left == RETRIES

    def restart(self, how="restart"):
        self.card.close()
        self.tpm.release()
        getattr(self.software_tpm, how)()


@pytest.fixture
def make(tmp_path, maker, monkeypatch):
    """Makes a host with a card and a TPM of its own, honest or not."""
    with contextlib.ExitStack() as stack:

        def make(hierarchy=None):
            tpm = maker.make(tmp_path / "tpm")
            stack.callback(tpm.stop)
            (tmp_path / "store").mkdir()
            with monkeypatch.context() as patch:
                if hierarchy is not None:
                    patch.setattr(Hostile, "hierarchy", hierarchy)
                    patch.setattr(tpm_object, "passing", lambda tpm, *given: Hostile.genesis(Hostile, tpm))
                host = Hostile(tmp_path / "store", tpm, maker)
            host.software_tpm, host.hierarchy = tpm, hierarchy
            stack.callback(host.tpm.close)
            return host

        yield make


def sealed(host):
    verdict = host.judge(host.show())
    assert verdict.accepted, verdict.message
    return verdict.cards[NAME].sealed


@pytest.mark.parametrize("how", ["restart", "cut_power"])
def test_a_card_is_sealed_by_a_restart(make, how):
    host = make()
    assert not sealed(host)
    assert host.codes(host.show(), host.request(sealed=True)) == {Code.NOT_SEALED}
    host.restart(how)
    assert sealed(host)
    assert host.judge(host.show(), host.request(sealed=True)).accepted


def test_a_genesis_that_was_kept_ends_with_the_restart_that_seals(make):
    host = make("NULL")
    wrong(host)
    assert host.gives_tries_back() and not sealed(host)
    host.restart()
    wrong(host)
    assert not host.gives_tries_back() and sealed(host)


def test_a_genesis_of_the_owner_outlives_a_restart_and_is_refused(make):
    """Names do not tell the hierarchy. The statement of the AK does."""
    host = make("OWNER")
    host.restart()
    wrong(host)
    assert host.gives_tries_back()
    assert host.codes(host.show()) == {Code.GENESIS_HIERARCHY}
    hidden = host.show(record=replace(host.record, genesis_proof=None))
    assert host.codes(hidden, host.request(sealed=True)) == {Code.GENESIS_UNPROVEN}
    assert not host.judge(hidden).cards[NAME].sealed


def wrong(host):
    before = host.card.tries(Reference.PIN).left
    with pytest.raises(Exception, match="Wrong PIN"):
        host.card.verify(b"000000")
    assert host.card.tries(Reference.PIN).left == before - 1


def test_evidence_from_before_and_after_a_restart_is_no_evidence(make):
    """What genesis did in between would be in none of it."""
    host = make()
    before = host.show()
    host.restart()
    after = host.show()
    indices = {**after.cards[0].indices, "policy": before.cards[0].indices["policy"]}
    mixed = replace(after, cards=(replace(after.cards[0], indices=indices),))
    assert host.codes(mixed, host.request(sealed=True)) == {Code.TPM_RESTARTED, Code.NOT_SEALED}


def test_a_ticket_outlives_all_but_a_restart(make):
    """Who had the PIN once signs after it was changed and after the card was destroyed. A restart ends that."""
    host = make()
    record = host.record
    with host.tpm.taken() as tpm:
        gates = Gates(tpm, record)
        opened = gates.open(Reference.PIN, PIN)
        name = record.model.name(Role.PIN)
        ticket = obtain_ticket(tpm, name, gates.entity(Role.PIN, gates.auth(Role.PIN, PIN)), FOR_EVER)

    def signs():
        key = record.keys[0x9A]
        host.tpm.release()
        bench = Workbench(host.tpm)
        with host.tpm.taken() as tpm:
            try:
                with (
                    tpm_object.loaded(tpm, tpm.storage_root(), record.parent, opened.contents().parent_auth) as parent,
                    tpm_object.loaded(tpm, parent, key.blob) as entity,
                ):
                    saved = bench.save(entity, record.model.key_policy(key.pin)[1:])
                bench.sign(saved, ticket, DIGEST)
            except TpmError:
                return False
        return True

    host.card.close()
    assert signs()
    Card(host.store, Workbench(host.tpm), record.number).change(Reference.PIN, PIN, NEW)
    assert signs()
    lifecycle.destroy(host.store, host.tpm, record.number)
    assert signs()
    host.restart()
    assert not signs()
