# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A challenge is answered once, in time, and by whom it was made for. That a TPM opens it is in tests/integration."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import challenge as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import Challenge, unseal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code, Report
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.pending import PendingChallenge
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CHALLENGE_LIFETIME
from ansible_collections.hardbound.identity.tests.support.forge import (
    CARD,
    HOST,
    NOW,
    ForgedHost,
)

PAYLOAD = b"certificates"


@pytest.fixture
def secret(monkeypatch):
    """The secret as the TPM would give it to the host."""
    value = os.urandom(32)
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda size: value if size == 32 else real(size))
    return value


@pytest.fixture
def pending(secret):
    host = ForgedHost()
    return PendingChallenge(host.ek, host.card.ak, HOST, CARD, PAYLOAD, NOW)


def answer(pending, secret):
    return wire.answer(secret, pending.challenge.card, pending.challenge.sealed)


def codes(report):
    return {finding.code for finding in report.findings}


def test_the_right_answer_is_accepted(pending, secret):
    report = Report()
    assert pending.accept(HOST, CARD, answer(pending, secret), NOW + CHALLENGE_LIFETIME, report)
    assert codes(report) == set()


def test_the_host_gets_the_payload(pending, secret):
    received = Challenge.parse(pending.challenge.document())
    assert received == pending.challenge
    assert unseal(secret, received.card, received.sealed) == PAYLOAD


@pytest.mark.parametrize("wrong", [b"", bytes(32), os.urandom(32)], ids=["empty", "zeros", "random"])
def test_a_wrong_answer_is_refused_and_burns_the_challenge(pending, secret, wrong):
    report = Report()
    assert not pending.accept(HOST, CARD, wrong, NOW, report)
    assert codes(report) == {Code.CHALLENGE_ANSWER}
    second = Report()
    assert not pending.accept(HOST, CARD, answer(pending, secret), NOW, second)
    assert codes(second) == {Code.CHALLENGE_SPENT}


def test_a_second_answer_is_refused(pending, secret):
    assert pending.accept(HOST, CARD, answer(pending, secret), NOW, Report())
    report = Report()
    assert not pending.accept(HOST, CARD, answer(pending, secret), NOW, report)
    assert codes(report) == {Code.CHALLENGE_SPENT}


def test_a_late_answer_is_refused(pending, secret):
    report = Report()
    assert not pending.accept(HOST, CARD, answer(pending, secret), NOW + 2 * CHALLENGE_LIFETIME, report)
    assert codes(report) == {Code.CHALLENGE_EXPIRED}


@pytest.mark.parametrize("host, card", [("ws-666", CARD), (HOST, "another card")])
def test_an_answer_from_elsewhere_is_refused(pending, secret, host, card):
    report = Report()
    assert not pending.accept(host, card, answer(pending, secret), NOW, report)
    assert codes(report) == {Code.CHALLENGE_OTHER_REQUESTER}


def test_an_answer_for_one_challenge_does_not_serve_another(pending, secret):
    other = PendingChallenge(ForgedHost().ek, ForgedHost().card.ak, HOST, CARD, PAYLOAD, NOW)
    report = Report()
    assert not other.accept(HOST, CARD, answer(pending, secret), NOW, report)
    assert codes(report) == {Code.CHALLENGE_ANSWER}


@pytest.mark.parametrize(
    "damage", [lambda sealed: sealed[:-1], lambda sealed: b"\0" + sealed, lambda sealed: sealed[:5]]
)
def test_a_changed_payload_is_refused_by_the_host(pending, secret, damage):
    with pytest.raises(WireError):
        unseal(secret, CARD, damage(pending.challenge.sealed))


def test_a_payload_for_another_card_is_refused_by_the_host(pending, secret):
    with pytest.raises(WireError, match="another card"):
        unseal(secret, "another card", pending.challenge.sealed)


def test_the_secret_is_in_no_representation(pending, secret):
    assert secret.hex() not in repr(pending) and repr(secret) not in repr(vars(pending.challenge))
