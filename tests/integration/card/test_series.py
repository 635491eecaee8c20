# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures in a series, for which the TPM takes the PIN's ticket ahead."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import NotVerified
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Slot
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.signature import sign_message
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError, TpmUnreachable
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

pytestmark = pytest.mark.tpm

PIN = b"123456"
MESSAGE = b"what is signed"
DIGEST = hashlib.sha256(MESSAGE).digest()
SLOT = Slot.AUTHENTICATION


@pytest.fixture
def card(bench):
    card = bench.open(bench.make(), PIN)
    card.make_key(KeySpecification(int(SLOT), KeyAlgorithm.ECC_P256))
    yield card
    card.close()


def series(bench, card, length=4):
    """Signs as the card service does, and leaves the TPM ready for one more signature."""
    public = load_der_public_key(card.keys()[SLOT].public)
    for _unused in range(length):
        public.verify(card.sign(SLOT, DIGEST), MESSAGE, ec.ECDSA(hashes.SHA256()))
        bench.workbench.prepare()


def sessions(bench):
    return bench.tpm.handles(wire.LOADED_SESSIONS)


@pytest.fixture
def commands(bench, monkeypatch):
    """Codes of the commands that the TPM gets, TPM 2.0 part 2, clause 6.5.2."""
    codes = []
    begin = bench.tpm.begin

    def noted(command):
        codes.append(int.from_bytes(command[6:10], "big"))
        begin(command)

    monkeypatch.setattr(bench.tpm, "begin", noted)
    return codes


def test_a_signature_finds_its_ticket_taken(bench, card, commands):
    series(bench, card)
    commands.clear()
    card.sign(SLOT, DIGEST)
    assert commands == [0x15D]  # TPM2_Sign alone


def test_the_first_signatures_take_nothing_ahead(bench, card, commands):
    card.sign(SLOT, DIGEST)
    commands.clear()
    bench.workbench.prepare()
    assert commands == []


def test_the_ticket_may_be_taken_in_steps(bench, card, commands):
    """As for programs that ask for a signature in two calls: the TPM gets a command with either."""
    series(bench, card, 3)
    card.sign(SLOT, DIGEST)
    commands.clear()
    steps = []
    for _call in range(4):
        bench.workbench.prepare(whole=False)
        steps.append(len(commands))
    whole = list(commands)
    assert steps[0] == 1
    assert steps == sorted(steps)
    assert len(whole) > 1, "a policy of one command can't be taken in steps"
    for taken_ahead in range(1, len(whole) + 1):
        card.sign(SLOT, DIGEST)
        commands.clear()
        for _call in range(taken_ahead):
            bench.workbench.prepare(whole=False)
        assert commands == whole[:taken_ahead]
        card.sign(SLOT, DIGEST)
        assert commands == [*whole, 0x15D]
        commands.clear()


def test_a_ticket_that_is_refused_between_two_steps_leaves_no_session(bench, card, commands):
    series(bench, card, 3)
    card.sign(SLOT, DIGEST)
    bench.workbench.prepare(whole=False)
    refused, session = wire.policy_ticket(bench.workbench._session, bytes(8), bytes(34), bytes(36)), sessions(bench)
    bench.tpm.begin(refused)
    bench.workbench.prepare(whole=False)
    assert sessions(bench) == session[:-1]
    card.sign(SLOT, DIGEST)


def test_nobody_waits_for_what_is_dropped(bench, card, monkeypatch):
    card.sign(SLOT, DIGEST)
    with bench.tpm.taken():
        transport, answers = bench.tpm._transport, []
        receive = transport.receive
        monkeypatch.setattr(transport, "receive", lambda: answers.append(receive()) or answers[-1])
        bench.tpm.drop(bench.workbench._handle)
        assert answers == []
        assert bench.tpm.handles(wire.TRANSIENT) == []
        assert wire.response_code(answers[0]) == 0


def test_at_rest_no_response_is_left_in_the_driver(bench, card):
    card.sign(SLOT, DIGEST)
    with bench.tpm.taken():
        assert bench.tpm._transport is not None
        bench.workbench.rest()
        assert bench.tpm.is_settled


@pytest.mark.parametrize("by_esapi", [False, True], ids=["bare", "ESAPI"])
def test_what_is_gone_may_be_dropped(bench, card, by_esapi):
    with bench.tpm.taken():
        if by_esapi:
            bench.tpm.esapi()
        context = bench.tpm._esapi
        for _unused in range(2):
            bench.tpm.drop(wire.TRANSIENT)
        if context is not None:  # It may be in the hands of who would not ask for it again.
            assert len(bytes(context.get_random(8))) == 8
        assert bench.tpm.handles(wire.TRANSIENT) == []
    card.verify(PIN)
    card.sign(SLOT, DIGEST)


def test_rsa_in_a_series(bench):
    card = bench.open(bench.make(), PIN)
    key = card.make_key(KeySpecification(int(SLOT), KeyAlgorithm.RSA_2048))
    for _unused in range(4):
        signature = sign_message(card, SLOT, MESSAGE)
        load_der_public_key(key.public).verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        bench.workbench.prepare()


def test_no_session_stays_open_after_logout(bench, card):
    series(bench, card)
    session = bench.workbench._session
    assert session in sessions(bench)
    card.logout()
    assert session not in sessions(bench)
    with pytest.raises(NotVerified):
        card.sign(SLOT, DIGEST)


def test_the_session_serves_no_other_card(bench, card):
    """What one card's PIN has opened opens no key of another, neither by mistake nor for an attacker at the TPM."""
    other = bench.open(bench.make("other"), PIN)
    other.make_key(KeySpecification(int(SLOT), KeyAlgorithm.ECC_P256))
    other.sign(SLOT, DIGEST)
    series(bench, card)
    ready = bench.workbench._session
    with bench.tpm.taken():
        bench.workbench.tpm.flush(bench.workbench._handle)
        stolen = wire.first_handle(bench.tpm.run(wire.context_load(other._session.saved_keys[SLOT].context)))
        with pytest.raises(TpmError):
            bench.tpm.run(wire.sign_ecdsa(stolen, ready, DIGEST, Algorithm.SHA256))
        bench.tpm.flush(stolen)
    bench.tpm.release()
    series(bench, card)
    series(bench, other)
    series(bench, card)


def test_a_new_pin_ends_the_series(bench, card):
    series(bench, card)
    bench.open(card.record).change(Reference.PIN, PIN, b"other1")
    with pytest.raises(NotVerified):
        card.sign(SLOT, DIGEST)


def test_a_restart_of_the_tpm_ends_it(bench, software_tpm, card):
    series(bench, card)
    software_tpm.restart()
    with pytest.raises((NotVerified, TpmUnreachable)):
        card.sign(SLOT, DIGEST)
    card.verify(PIN)
    series(bench, card)


def test_a_tpm_that_has_forgotten_the_session_is_asked_anew(bench, card):
    series(bench, card)
    bench.tpm.flush(bench.workbench._session)
    with pytest.raises(TpmError):
        card.sign(SLOT, DIGEST)
    series(bench, card)


def test_another_program_does_not_wait_for_what_is_ahead(bench, card):
    """Between two signatures it gets the TPM; the series goes on afterwards."""
    series(bench, card)
    bench.tpm.release()
    assert bench.loaded() == []
    series(bench, card)


def test_deciphering_in_between(bench, card):
    """Commands that go another way wait for what was begun."""
    card.make_key(KeySpecification(int(Slot.KEY_MANAGEMENT), KeyAlgorithm.ECC_P256))
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    theirs = load_der_public_key(card.keys()[Slot.KEY_MANAGEMENT].public)
    for _unused in range(2):
        series(bench, card)
        assert card.ecdh(Slot.KEY_MANAGEMENT, point) == private.exchange(ec.ECDH(), theirs)
