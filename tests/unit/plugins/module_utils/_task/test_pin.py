# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PIN and PUK of a card, as a task sets them: what is tried, what is done, and what is refused before either."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminChallenge, AdminKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardFull
from ansible_collections.hardbound.identity.plugins.module_utils._card.outlasting import AFTER_CHANGE
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Administration
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError, InputError, Interrupted
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._task.pin import ARGUMENTS, SmartcardPin
from ansible_collections.hardbound.identity.tests.support.task_cards import LIMIT, PIN, PUK, TaskCard, record
from ansible_collections.hardbound.identity.tests.support.tasks import ADMIN_KEY, key_pair

OLD, NEW = PIN.decode(), "pin-4711"


def noun(card: TaskCard, **arguments: t.Any) -> SmartcardPin:
    unsaid = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
    return SmartcardPin.from_task({**unsaid, "name": "card", "store": card.store.folder, **arguments})


def run(card: TaskCard, check: bool = False, **arguments: t.Any) -> t.Tuple[Plan[t.Any], t.Mapping[str, t.Any]]:
    made = noun(card, **arguments)
    found = made.probe(made.read())
    plan = made.plan(found)
    return plan, made.apply(plan, found) if plan.changed and not check else made.report(plan, found)


def work(card: TaskCard) -> t.List[str]:
    """What was done to the card, beside closing it."""
    return [each for each in card.done if each != "close"]


def test_reading_costs_no_try(card: TaskCard) -> None:
    noun(card, pin="wrong-00", new_pin=NEW).read()
    assert card.tried == [] and card.left[Reference.PIN] == LIMIT


def test_a_new_pin_is_set_with_the_present_one_and_once(card: TaskCard) -> None:
    plan, told = run(card, pin=OLD, new_pin=NEW, check=True)
    assert plan.changed and work(card) == [] and told["pin_escrow"] is None
    assert (plan.before["pin"], plan.after["pin"]) == ("the present one", "the new one")
    plan, told = run(card, pin=OLD, new_pin=NEW)
    assert work(card) == ["change pin"] and told["pin_tries_left"] == LIMIT and not plan.warnings
    card.by_task.add(Reference.PIN)
    plan, _told = run(card, pin=OLD, new_pin=NEW)
    assert not plan.changed and card.left[Reference.PIN] == LIMIT


def test_what_outlasts_a_change_is_told(card: TaskCard) -> None:
    """A ticket that the former PIN has brought ends with the restart of the TPM alone."""
    check, _told = run(card, pin=OLD, new_pin=NEW, compromised=True, check=True)
    plan, told = run(card, pin=OLD, new_pin=NEW, compromised=True)
    assert check.warnings == plan.warnings == (AFTER_CHANGE,) and told["tickets_until_restart"] is True
    card.by_task.add(Reference.PIN)
    plan, told = run(card, pin=OLD, new_pin=NEW, compromised=True)
    assert plan.warnings == () and told["tickets_until_restart"] is False
    plan, told = run(card, puk=PUK.decode(), new_puk="puk-4711")
    assert plan.warnings == () and told["tickets_until_restart"] is True


def test_a_puk_is_set_with_the_present_one(card: TaskCard) -> None:
    run(card, puk=PUK.decode(), new_puk="puk-4711")
    assert card.secrets[Reference.PUK] == b"puk-4711" and work(card) == ["change puk"]


def test_a_lost_pin_is_replaced_with_the_puk(card: TaskCard) -> None:
    _plan, told = run(card, pin="wrong-00", puk=PUK.decode(), new_pin=NEW, must_change=True)
    assert work(card) == ["unblock"] and card.secrets[Reference.PIN] == NEW.encode()
    assert told["pin_must_change"] and card.store.read(0).pin.must_change


def test_the_host_may_forbid_that(card: TaskCard) -> None:
    made = noun(card, puk=PUK.decode(), new_pin=NEW)
    found = made.read()
    with pytest.raises(InputError, match="puk may not set a new PIN, by the host's Hello policy: give the present PIN"):
        made.probe(replace(found, policy=replace(found.policy, puk_may_reset_pin=False)))


def with_admin_key(card: TaskCard) -> None:
    challenge, _answer = AdminChallenge.make(AdminKey.well_known())
    card.store.write(record(administration=Administration(challenge)))


def test_a_lost_pin_is_replaced_with_the_admin_key(card: TaskCard) -> None:
    with_admin_key(card)
    plan, _told = run(card, admin_key="DEFAULT", new_pin=NEW)
    assert work(card) == ["reset"] and card.admin_key == AdminKey.well_known()
    assert "admin_key is default, which everybody knows" in plan.warnings[0]


def test_a_random_pin_is_told_to_its_recipient_alone(card: TaskCard) -> None:
    private, public = key_pair()
    _plan, told = run(card, pin=OLD, new_pin="random", pin_escrow_key=public)
    assert unseal(told["pin_escrow"], private) == card.secrets[Reference.PIN] != PIN


def test_a_random_pin_is_not_lost_with_what_fails_after_it(card: TaskCard, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = key_pair()
    change = TaskCard.change

    def fail(self: TaskCard, reference: Reference, *rest: t.Any, **more: t.Any) -> None:
        if reference is Reference.PUK:
            raise CardFull("no room")
        change(self, reference, *rest, **more)

    monkeypatch.setattr(TaskCard, "change", fail)
    given = {"pin": OLD, "new_pin": "random", "pin_escrow_key": public}
    with pytest.raises(Interrupted) as caught:
        run(card, **given, puk=PUK.decode(), new_puk="puk-4711")
    assert unseal(caught.value.facts["pin_escrow"], private) == card.secrets[Reference.PIN]
    with pytest.raises(CardFull):
        run(card, puk=PUK.decode(), new_puk="puk-4711")


@pytest.mark.parametrize(
    ("way", "given"),
    [("change", {"pin": OLD}), ("unblock", {"puk": PUK.decode()}), ("reset_pin", {"admin_key": "DEFAULT"})],
)
def test_a_new_pin_that_the_card_refuses_is_named_as_the_task_calls_it(
    card: TaskCard, monkeypatch: pytest.MonkeyPatch, way: str, given: dict[str, str]
) -> None:
    """The card alone knows which PINs it has had."""

    def refuse(*_unused: t.Any, **_also_unused: t.Any) -> t.NoReturn:
        raise InputError("pin", "is among the last 3 that the card has had", "choose another")

    if "admin_key" in given:
        with_admin_key(card)
    monkeypatch.setattr(TaskCard, way, refuse)
    with pytest.raises(InputError, match=r"^new_pin is among the last 3 that the card has had: choose another"):
        run(card, **given, new_pin=NEW)


def test_a_pin_that_is_right_can_be_marked(card: TaskCard) -> None:
    plan, told = run(card, pin=OLD, new_pin=OLD, must_change=True)
    assert plan.after["pin_must_change"] and work(card) == ["mark"] and told["pin_must_change"]


def test_secrets_that_everybody_knows_are_warned_of(card: TaskCard) -> None:
    plan, _told = run(card, pin=OLD, new_pin="DEFAULT", puk=PUK.decode(), new_puk="Default")
    assert [each.partition(",")[0] for each in plan.warnings] == ["new_pin is default", "new_puk is default"]
    assert card.secrets == {Reference.PIN: b"12345678", Reference.PUK: b"12345678"}


def test_wrong_secrets_are_named_by_their_options(card: TaskCard) -> None:
    with pytest.raises(InputError, match=r"^pin is wrong, and has 3 tries left: give the right one"):
        run(card, pin="wrong-00", new_pin=NEW)
    with pytest.raises(InputError, match=r"^puk is wrong, and has 3 tries left"):
        run(card, puk="wrong-00", new_puk="puk-4711")
    assert work(card) == []


def test_the_last_of_several_tries_is_left_to_people(card: TaskCard) -> None:
    card.left[Reference.PIN] = 1
    with pytest.raises(HardboundError, match="pin may be wrong, and the card's PIN has one try left: enter the right"):
        run(card, pin="wrong-00", new_pin=NEW)
    card.left[Reference.PIN] = 2
    with pytest.raises(HardboundError, match="has one try left"):
        run(card, pin="wrong-00", new_pin=NEW)
    assert card.left[Reference.PIN] == 1
    card.by_task.add(Reference.PIN)
    run(card, pin=OLD, new_pin=NEW)  # which is certain
    assert card.secrets[Reference.PIN] == NEW.encode()


def test_no_try_is_left(card: TaskCard) -> None:
    card.left[Reference.PIN] = 0
    with pytest.raises(
        InputError, match="pin was not looked at, for the card's PIN is blocked: unblock it with the PUK"
    ):
        run(card, pin=OLD, new_pin=NEW)
    run(card, pin=OLD, new_pin=NEW, puk=PUK.decode())
    assert work(card) == ["unblock"]


def test_what_the_disk_knows_to_be_wrong_costs_no_try(card: TaskCard) -> None:
    card.by_task.add(Reference.PIN)
    with pytest.raises(InputError, match="pin is not the card's, which a task has set to another PIN: give the right"):
        run(card, pin="wrong-00", new_pin=NEW)
    assert card.tried == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"new_pin": NEW}, "new_pin comes without pin, puk and admin_key: give the present PIN, the PUK"),
        ({"pin": OLD, "new_puk": "puk-4711"}, "new_puk comes without puk: give the present PUK"),
        ({"puk": OLD, "new_puk": "short"}, "new_puk does not have 8 printable ASCII characters"),
        ({"puk": OLD, "new_puk": "puk-4711", "must_change": True}, "must_change is given without new_pin: give"),
        ({"puk": OLD, "new_puk": "puk-4711", "admin_key": ADMIN_KEY}, "admin_key is given without new_pin"),
        ({"pin": OLD, "new_pin": "short"}, "new_pin is shorter than the 8 characters"),
        ({"admin_key": ADMIN_KEY, "new_pin": NEW}, "admin_key is given, but nobody knows one of the card 'card': give"),
        ({"pin": OLD, "new_pin": NEW, "name": "other"}, "there is no card named 'other' in .*: make it with"),
    ],
)
def test_what_is_refused(card: TaskCard, arguments: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(HardboundError, match=message):
        run(card, **arguments)
    assert card.tried == [] and work(card) == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (ADMIN_KEY, "admin_key is not that of the card 'card': give the right one; no try was spent"),
        ("abc", "admin_key has 3 characters that are no key for .*, which the card wants: give 48 hexadecimal digits"),
        ("g" * 48, "admin_key has 48 characters that are no key"),
    ],
)
def test_an_admin_key_that_is_not_the_cards(card: TaskCard, key: str, message: str) -> None:
    with_admin_key(card)
    with pytest.raises(InputError, match=message):
        run(card, admin_key=key, new_pin=NEW)


def test_a_puk_or_admin_key_that_the_card_has_no_use_for(card: TaskCard) -> None:
    challenge, _answer = AdminChallenge.make(AdminKey.well_known())
    card.store.write(record(administration=Administration(challenge), has_puk=True))
    with pytest.raises(InputError, match="admin_key sets no PIN on the card 'card', which has a PUK: give the PUK"):
        run(card, admin_key="default", new_pin=NEW)
    card.store.write(record())
    with pytest.raises(InputError, match="puk is given, but the card 'card' has none: leave it out"):
        run(card, puk=PUK.decode(), new_pin=NEW)
