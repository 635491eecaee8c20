# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of a PIN recovery: which half it keeps, whom it sends a half to, and what a lying host gets."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import answer, unseal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.recovery_order import RecoveryOrder
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.recovery import PinRecovery
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.recovery_key import RecoveryKey
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace, EventKind
from ansible_collections.hardbound.identity.tests.support import forge
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PASSPHRASE = "who keeps the safe"
KEY = ec.generate_private_key(ec.SECP256R1())
FORM = (Encoding.PEM, PrivateFormat.PKCS8)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PRIVATE = KEY.private_bytes(*FORM, BestAvailableEncryption(PASSPHRASE.encode())).decode()
PLACE = CertificatePlace(forge.HOST, forge.CARD)
RETRIES = forge.RETRIES


class Desk:
    """A host with a card of two halves, and what the controller does with it."""

    def __init__(self, site):
        self.site = site
        self.ledger = site.ledger
        site.host = forge.ForgedHost(puk=True)
        site.host.ek_certificate.not_after = forge.NOW + 300 * forge.DAY

    def enrollment(self, **changes):
        return self.site.enrollment(recovery_key=PUBLIC, card_puk_retries=RETRIES, **changes)

    def enrol(self, *identifiers, take=True):
        """The host makes its card with the half that it is offered, or has one with others."""
        enrollment = self.enrollment()
        shown = self.site.shown(enrollment)
        offered = [each.identifier for each in self.halves() if not each.kept][-1:]
        shown["cards"][0]["recovery"] = list(identifiers) or (offered if take else [])
        enrollment.judge(shown)
        if enrollment.challenges():
            enrollment.accept(self.site.answered(enrollment))
        enrollment.close()
        return enrollment

    def halves(self):
        return self.ledger.halves(PLACE.host, PLACE.card)

    def recovery(self, place=PLACE, passphrase=PASSPHRASE):
        key = RecoveryKey.parse(PRIVATE, passphrase)
        return PinRecovery(place, self.ledger, key, KEY.public_key(), "lost")

    def visit(self, recovery, *identifiers, **changes):
        """The host shows its card, as the TPM states it."""
        card = self.site.host.card
        card.nonce, card.keys = base64.b64decode(recovery.question()["nonce"]), []
        evidence = json.loads(json.dumps(self.site.host.evidence().document()))
        return {"evidence": evidence, "recovery": list(identifiers), "answer": "", **changes}

    def begin(self, recovery):
        [half] = self.halves()
        shown, halves = recovery.examine(self.visit(recovery, half.identifier))
        recovery.order(shown, halves)
        pending = recovery._pending
        order = RecoveryOrder.parse(unseal(pending._secret, forge.CARD, pending.challenge.sealed))
        right = answer(pending._secret, forge.CARD, pending.challenge.sealed)
        return order, base64.b64encode(right).decode()

    def spend(self, role, count):
        self.site.host.card.indices[role].contents = struct.pack(">II", count, RETRIES)

    def last(self):
        return self.ledger.events(forge.HOST)[-1].kind


@pytest.fixture
def desk(site):
    return Desk(site)


def test_the_half_that_the_card_took_is_kept_and_opens(desk):
    desk.enrol()
    [half] = desk.halves()
    assert half.kept and len(RecoveryKey.parse(PRIVATE, PASSPHRASE).open(half)) == 32
    desk.enrol(half.identifier)
    assert desk.halves() == [half]


def test_a_half_that_no_card_took_is_taken_back_with_a_warning(desk):
    enrollment = desk.enrol(take=False)
    assert desk.halves() == []
    assert any("can't be recovered" in each for each in enrollment.warnings)


def test_a_half_outlives_a_run_that_was_killed(desk):
    """Nobody knows whether the host has made the card, so the half stays until the host says so."""
    desk.site.shown(desk.enrollment())
    [first] = desk.halves()
    desk.enrol(first.identifier)
    assert [(each.identifier, each.kept) for each in desk.halves()] == [(first.identifier, True)]


def test_a_recovery_leaves_one_half_another_one(desk):
    desk.enrol()
    [before] = desk.halves()
    recovery = desk.recovery()
    order, given = desk.begin(recovery)
    assert set(order.halves) == {before.identifier} and order.coming not in order.halves.values()
    assert len(desk.halves()) == 2
    recovery.accept(desk.visit(recovery, order.identifier, answer=given))
    [after] = desk.halves()
    assert after.identifier == order.identifier and RecoveryKey.parse(PRIVATE, PASSPHRASE).open(after) == order.coming
    assert desk.last() is EventKind.PIN_RECOVERED


LIES = {
    "no_answer": (lambda desk, order, given: {"answer": "AAAA"}, "does not show that its TPM opened the challenge"),
    "not_set": (lambda desk, order, given: desk.spend(Role.PIN, 2), "so it was not set"),
    "puk_spent": (lambda desk, order, given: desk.spend(Role.PUK, 1), "so it was not set"),
    "old_half": (lambda desk, order, given: {"recovery": list(order.halves)}, "has not set another PUK"),
    "no_evidence": (lambda desk, order, given: {"evidence": None}, "is malformed"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_host_that_lies_about_what_it_did_is_found_out(desk, name):
    """The halves of before stay, and the ledger calls nothing recovered."""
    desk.enrol()
    before = desk.halves()
    recovery = desk.recovery()
    order, given = desk.begin(recovery)
    lie, message = LIES[name]
    changes = lie(desk, order, given) or {}
    said = {"answer": given, "recovery": [order.identifier], **changes}
    identifiers = said.pop("recovery")
    with pytest.raises(StateError, match=message):
        recovery.accept(desk.visit(recovery, *identifiers, **said))
    assert before[0] in desk.halves() and desk.last() is not EventKind.PIN_RECOVERED


def test_another_card_under_the_name_gets_no_half(desk):
    """Root made a card of its own whose PUK it knows, and shows that."""
    desk.enrol()
    [half] = desk.halves()
    desk.site.host.cards = [forge.ForgedCard(desk.site.host.root, puk=True)]
    recovery = desk.recovery()
    with pytest.raises(StateError, match="another card"):
        recovery.examine(desk.visit(recovery, half.identifier))


def test_another_tpm_under_the_hosts_name_gets_no_half(desk):
    desk.enrol()
    [half] = desk.halves()
    impostor = forge.ForgedHost(puk=True)
    impostor.cards = desk.site.host.cards
    desk.site.host = impostor
    recovery = desk.recovery()
    with pytest.raises(StateError, match="another TPM"):
        recovery.examine(desk.visit(recovery, half.identifier))


def test_evidence_of_before_gets_no_half(desk):
    desk.enrol()
    [half] = desk.halves()
    old = desk.visit(desk.recovery(), half.identifier)
    recovery = desk.recovery()
    recovery.question()
    with pytest.raises(StateError, match="made for another request"):
        recovery.examine(old)


def test_what_is_not_there_is_said(desk):
    desk.enrol()
    for place in (CertificatePlace("ws-404", forge.CARD), CertificatePlace(forge.HOST, "other")):
        with pytest.raises(StateError, match="the ledger holds no half for the card"):
            desk.recovery(place)
    recovery = desk.recovery()
    with pytest.raises(StateError, match="has a half for"):
        recovery.examine(desk.visit(recovery, "0" * 32))
    with pytest.raises(StateError, match="does not open the half"):
        wrong = desk.recovery(passphrase="wrong")
        wrong.examine(desk.visit(wrong, desk.halves()[0].identifier))
    desk.spend(Role.PUK, RETRIES)
    with pytest.raises(StateError, match=r"PUK of the card .* is blocked"):
        recovery.examine(desk.visit(recovery, desk.halves()[0].identifier))


@pytest.mark.parametrize("pem", [PUBLIC, KEY.private_bytes(*FORM, NoEncryption()).decode(), "", "x"])
def test_a_key_that_is_not_encrypted_is_refused(pem):
    with pytest.raises(InputError, match=r"recovery_private_key is (no private key|not encrypted)"):
        RecoveryKey.parse(pem, PASSPHRASE)


def test_a_retired_card_leaves_no_half(desk):
    desk.enrol()
    desk.ledger.release(forge.HOST, forge.CARD)
    assert desk.halves() == []


def test_a_card_with_a_puk_of_its_own_gets_no_half(desk):
    for puk in ({"card_puk": "12345678"}, {"card_has_puk": False}):
        [question] = desk.site.enrollment(recovery_key=PUBLIC, **puk).questions()
        assert "recovery" not in question
    assert desk.halves() == []


def test_check_mode_writes_no_half(desk):
    [question] = desk.site.enrollment(check=True, recovery_key=PUBLIC).questions()
    assert question["recovery"]["half"] and desk.halves() == []
