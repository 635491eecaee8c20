# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a card: pure, complete, and nothing once it is carried out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardLost
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.outlasting import AFTER_END
from ansible_collections.hardbound.identity.plugins.module_utils._card.plan import (
    Adjust,
    Create,
    CurrentCards,
    Destroy,
    Holding,
    MakeKeys,
    Tidy,
    after,
    plan_absent,
    plan_present,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Administration, State, presented
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import (
    KeySpecification,
    Specification,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.support.whole_record import RECORD

CARD = replace(RECORD, pending={})
SIGNATURE = KeySpecification(0x9C, KeyAlgorithm.RSA_2048)
DESIRED = Specification(
    CARD.name,
    Tcti.parse(CARD.tcti),
    owner=CARD.owner,
    pin_policy=CARD.pin_policy,
    pin_retries=CARD.pin_retries,
    puk_retries=CARD.puk_retries,
    has_puk=True,
    keys=(SIGNATURE,),
)
REMAINS = replace(CARD, number=0, name="half", state=State.CREATING)


def test_a_new_card():
    plan = plan_present(DESIRED, CurrentCards(()))
    assert plan.steps == (Create(DESIRED), MakeKeys((SIGNATURE,)))
    assert plan.before == {} and plan.after["keys"] == {"signature": "rsa_2048"}


def test_a_card_as_it_should_be():
    plan = plan_present(DESIRED, CurrentCards((CARD,)))
    assert not plan.changed and plan.before == plan.after


def test_a_missing_key():
    more = KeySpecification(0x9A, KeyAlgorithm.ECC_P256)
    plan = plan_present(replace(DESIRED, keys=(SIGNATURE, more)), CurrentCards((CARD,)))
    assert plan.steps == (MakeKeys((more,)),)
    assert plan.before["keys"] == {"signature": "rsa_2048"}
    assert plan.after["keys"] == {"signature": "rsa_2048", "authentication": "ecc_p256"}


def test_a_key_that_is_not_asked_for_is_left_alone():
    plan = plan_present(replace(DESIRED, keys=()), CurrentCards((CARD,)))
    assert not plan.changed and plan.before == plan.after


def test_another_owner():
    wanted = replace(DESIRED, owner="bob")
    plan = plan_present(wanted, CurrentCards((CARD,)))
    assert plan.steps == (Adjust(wanted),)
    assert (plan.before["owner"], plan.after["owner"]) == ("alice", "bob")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pin_retries": 9}, "pin_retries"),
        ({"puk_retries": 9}, "puk_retries"),
        ({"has_puk": False}, "puk"),
        ({"tcti": Tcti.parse("tabrmd:")}, "tpm"),
        ({"edge": Edge.GIDS}, "card_edge"),
        ({"keys": (KeySpecification(0x9C, KeyAlgorithm.ECC_P256),)}, "keys"),
    ],
)
def test_what_can_not_be_changed(change, field):
    with pytest.raises(InputError) as caught:
        plan_present(replace(DESIRED, **change), CurrentCards((CARD,)))
    assert caught.value.field == field


def test_a_secret_that_was_left_out_may_be_said_to_be_there():
    card = replace(CARD, administration=Administration(None))
    for left_out, field in (({"has_puk": False}, "puk"), ({"has_puk": True}, "admin_key")):
        with pytest.raises(InputError, match=f"say has_{field}: true"):
            plan_present(replace(DESIRED, **left_out), CurrentCards((card,)))


def test_a_file_system_can_come_later_and_stays():
    card = replace(CARD, edge=Edge.GIDS, keys={})
    wanted = replace(DESIRED, edge=Edge.GIDS, generate=True, keys=())
    plan = plan_present(wanted, CurrentCards((card,)))
    assert plan.steps == (Adjust(wanted),) and (plan.before["generated"], plan.after["generated"]) == (False, True)
    for generate in (True, False):
        plan = plan_present(replace(wanted, generate=generate), CurrentCards((replace(card, generated=True),)))
        assert not plan.changed and plan.before == plan.after


def test_faces_change():
    wanted = replace(DESIRED, faces=(Face.PKCS11,))
    plan = plan_present(wanted, CurrentCards((CARD,)))
    assert plan.steps == (Adjust(wanted),)
    assert (plan.before["faces"], plan.after["faces"]) == (["pcsc"], ["pkcs11"])
    assert [each.has_reader for each in after(plan, (CARD,))] == [False]
    back = plan_present(DESIRED, CurrentCards((replace(CARD, faces=(Face.PKCS11,)),)))
    assert [each.has_reader for each in after(back, (replace(CARD, faces=(Face.PKCS11,)),))] == [True]
    assert presented([CARD, replace(CARD, number=4, faces=(Face.PKCS11,))]) == {3: "card"}


def test_a_card_that_the_tpm_lost():
    with pytest.raises(CardLost, match="'card'"):
        plan_present(DESIRED, CurrentCards((CARD,), whole=False))


def test_remains_are_removed_first():
    plan = plan_present(DESIRED, CurrentCards((REMAINS,)))
    assert plan.steps[0] == Tidy(0)
    assert plan_absent(None, CurrentCards((REMAINS,)), "half").steps == (Tidy(0),)


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("card", 4, r"0004, which is the card 'other', but the card 'card' has ROOT\\SMARTCARDREADER\\0003: give one"),
        ("other", 3, r"0003, which is the card 'card', but the card 'other' has ROOT\\SMARTCARDREADER\\0004"),
        ("gone", 3, r"0003, which is the card 'card', but the card 'gone' does not exist"),
        ("card", 7, r"0007, which no card has, but the card 'card' has ROOT"),
    ],
)
def test_a_name_and_a_number_of_two_cards_are_refused(name, number, message):
    current = CurrentCards((CARD, replace(CARD, number=4, name="other")))
    with pytest.raises(InputError, match=message):
        current.find(name, number)
    assert current.find("gone", 7) is None


def test_removal_by_name_and_by_number():
    current = CurrentCards((CARD,))
    assert current.find("card") == current.find(None, 3) == current.find("card", 3) == CARD
    assert current.find("other") is None and current.find("", 4) is None
    gone = plan_absent(CARD, current, "card")
    assert gone.steps == (Destroy(3),) and gone.warnings == (AFTER_END,)
    assert plan_absent(None, current, "other").warnings == ()
    assert not plan_absent(None, current, "other").changed


def test_what_the_host_presents_afterwards():
    other = replace(CARD, number=0, name="other", owner="")
    plan = plan_present(replace(DESIRED, name="new", keys=()), CurrentCards((other, CARD)))
    assert after(plan, (other, CARD)) == [
        Holding(0, "other", "", ""),
        Holding(3, "card", "alice", ""),
        Holding(1, "new", "alice", ""),
    ]
    hidden = after(plan, (replace(other, presented=False), CARD), present_new=False)
    assert [holding.has_reader for holding in hidden] == [False, True, False]
    gone = plan_absent(CARD, CurrentCards((other, CARD)), "card")
    assert after(gone, (other, CARD)) == [Holding(0, "other", "", "")]
    moved = plan_present(replace(DESIRED, owner="bob"), CurrentCards((CARD,)))
    assert after(moved, (CARD,), present_new=False) == [Holding(3, "card", "bob", "")]
    kept_out = replace(CARD, presented=False)
    assert after(moved, (kept_out,)) == [Holding(3, "card", "bob", "", False)]


def test_which_cards_p11_kit_shows_afterwards():
    both = plan_present(replace(DESIRED, faces=(Face.PCSC, Face.PKCS11)), CurrentCards((CARD,)))
    assert after(both, (CARD,)) == [Holding(3, "card", "alice", "", True, True)]
    assert after(both, (replace(CARD, presented=False),)) == [Holding(3, "card", "alice", "", False, False)]
    without_reader = replace(CARD, faces=(Face.PKCS11,))
    assert after(both, (without_reader,)) == after(both, (CARD,))
    assert after(Plan(), (without_reader,)) == [Holding(3, "card", "alice", "", False, True)]
