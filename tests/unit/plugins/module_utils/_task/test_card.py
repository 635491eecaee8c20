# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card of a task through the spine, over a TPM that remembers what it was asked to do."""

from __future__ import annotations

import base64
import contextlib
import os
import pwd
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import certificate, evidence, readiness
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardLost, WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import HostPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._card.outlasting import AFTER_END
from ansible_collections.hardbound.identity.plugins.module_utils._card.plan import Destroy, Tidy
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record, State
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Presentation
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._errors import (
    HardboundError,
    InputError,
    Interrupted,
    StateError,
)
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._task import card_steps, tpm_card
from ansible_collections.hardbound.identity.plugins.module_utils._task import card_task as task_of_card
from ansible_collections.hardbound.identity.plugins.module_utils._task.card import Smartcard
from ansible_collections.hardbound.identity.plugins.module_utils._task.readers import KEPT_OUT, NOT_SET_UP, Readers
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_card import FoundCard, TpmCard
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError
from ansible_collections.hardbound.identity.tests.support.task_cards import TaskCard, Tpm, key_record, record
from ansible_collections.hardbound.identity.tests.support.tasks import card_task, key_pair, pin_rules

SIGNATURE = [{"slot": "signature", "algorithm": "ecc_p256"}]
BAD_AUTH = 0x9A2
"""TPM_RC_BAD_AUTH of session 1: TPM 2.0 part 2, clause 6.6."""


class Host:
    """A store, and what was done in the TPM for it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.done: t.List[t.Any] = []
        self.fails: t.Dict[str, Exception] = {}
        self.whole = True
        self.secrets: t.Any = None
        self.card = TaskCard(store)

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what in self.fails:
            raise self.fails[what]

    def create(self, store: Store, tpm: t.Any, wanted: t.Any, secrets: t.Any) -> Record:
        self._do("create")
        self.secrets = secrets
        self.card.secrets[Reference.PIN] = secrets.pin.encode()
        fields = {"owner": wanted.owner, "group": wanted.group, "has_puk": wanted.has_puk}
        ak = Blob(b"private", b"public") if wanted.attestation.rank else None
        made = record(0, wanted.name, tcti=str(wanted.tcti), pin_policy=wanted.pin_policy, ak=ak, **fields)
        store.write(made)
        return made

    def destroy(self, store: Store, tpm: t.Any, number: int) -> None:
        self._do("destroy")
        store.remove(number)

    def recover(self, store: Store, tpms: t.Any) -> None:
        self._do("recover")
        for each in store.records():
            if each.state is not State.READY:
                store.remove(each.number)

    def make_key(self, card: TaskCard, wanted: t.Any) -> None:
        self._do("make key")
        card.store.write(card.record.with_key(wanted.slot, key_record()))

    def equip(self, store: Store, tpm: t.Any, number: int) -> Record:
        self._do("equip")
        store.write(replace(store.read(number), ak=Blob(b"private", b"public")))
        return store.read(number)

    def collect(self, _store: Store, _tpm: t.Any, questions: t.Any) -> t.Any:
        self._do("prove")
        self.questions = questions

        class Evidence:
            def document(self) -> t.Dict[str, t.Any]:
                return {"version": 1}

        return Evidence()

    def run(self, check: bool = False, **changes: t.Any) -> t.Tuple[t.Any, t.Any]:
        self.done = []
        arguments = card_task(store=self.store.folder, pin="s3cr3t-1", **changes)
        noun = Smartcard(TpmCard.from_task(arguments), self.readers)
        found = noun.read()
        plan = noun.plan(found)
        return plan, noun.apply(plan, found) if plan.changed and not check else noun.report(plan, found)

    readers = Readers(Presentation("/nonexistent"))


@pytest.fixture
def host(store: Store, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(store)

    @contextlib.contextmanager
    def opened(_store: Store, _tpm: t.Any, number: int) -> t.Iterator[TaskCard]:
        made.card.number = number
        yield made.card

    lifecycle = card_steps.lifecycle
    for name in ("create", "destroy", "recover"):
        monkeypatch.setattr(lifecycle, name, getattr(made, name))
    monkeypatch.setattr(tpm_card, "is_whole", lambda *_unused: made.whole)
    for name in ("check_tpm", "check_algorithms", "check_host_policy"):
        monkeypatch.setattr(readiness, name, lambda *_unused: None)
    monkeypatch.setattr(task_of_card, "Tpm", lambda *_unused, **_auths: Tpm())
    monkeypatch.setattr(card_steps, "opened", opened)
    monkeypatch.setattr(card_steps, "equip", made.equip)
    monkeypatch.setattr(certificate, "make_shown_key", made.make_key)
    monkeypatch.setattr(evidence, "collect", made.collect)
    return made


def test_a_card_is_made_once_and_destroyed_once(host: Host) -> None:
    plan, told = host.run(check=True, keys=SIGNATURE)
    assert plan.changed and host.done == [] and told["card"] is None and told["instance_id"] is None
    plan, told = host.run(keys=SIGNATURE)
    assert host.done == ["create", "make key"] and host.card.tried == [b"s3cr3t-1"]
    assert told["instance_id"].endswith("0000") and told["reader"] == "card 00 00"
    assert NOT_SET_UP in plan.warnings and [each["slot"] for each in told["card"]["slots"]] == ["signature"]
    plan, told = host.run(keys=SIGNATURE)
    assert not plan.changed and host.done == [] and told["card"]["name"] == "card"
    plan, told = host.run(state="absent")
    assert host.done == ["destroy"] and told["card"] is None and plan.warnings == (AFTER_END,)
    assert told["tickets_until_restart"] is True
    assert not host.run(state="absent")[0].changed


def test_a_run_that_was_cut_off_is_tidied_up(host: Host) -> None:
    host.store.write(record(5, "half", state=State.CREATING))
    plan, _told = host.run()
    assert plan.steps[0] == Tidy(5) and host.done == ["recover", "create"]


def test_keys_are_added_to_a_card_that_is_there(host: Host) -> None:
    host.run()
    host.run(keys=SIGNATURE)
    assert host.done == ["make key"]


def test_what_a_task_leaves_out_a_card_keeps(host: Host) -> None:
    """Owner, group and rules; the empty string takes a card from its owner."""
    host.run(owner="alice", group="staff", pin_policy=pin_rules(minlen=6, maxlen=8))
    plan, told = host.run()
    assert not plan.changed and plan.before == plan.after
    assert (told["card"]["owner"], told["card"]["group"]) == ("alice", "staff")
    plan, told = host.run(owner="bob")
    kept = host.store.read(0)
    assert (kept.owner, kept.group, kept.pin_policy) == ("bob", "staff", PinPolicy(minlen=6, maxlen=8))
    plan, told = host.run(owner="", pin_policy=pin_rules(maxlen=8))
    kept = host.store.read(0)
    assert (kept.owner, kept.group, kept.pin_policy.minlen) == ("", "staff", 8)


def test_owners_that_the_host_does_not_know_are_warned_of(host: Host) -> None:
    plan, _told = host.run(check=True, owner="nobody-of-this-name", group="no-group-either")
    assert [each.partition(",")[0] for each in plan.warnings[:2]] == [
        "owner is 'nobody-of-this-name'",
        "group is 'no-group-either'",
    ]
    plan, _told = host.run(check=True, owner=pwd.getpwuid(os.getuid()).pw_name)
    assert plan.warnings == (NOT_SET_UP,)


def test_a_card_that_fails_is_taken_away_again(host: Host) -> None:
    host.fails["make key"] = StateError("the TPM is full", "make room")
    with pytest.raises(StateError, match="the TPM is full"):
        host.run(keys=SIGNATURE)
    assert host.done == ["create", "make key", "destroy"] and host.store.records() == []


def test_a_card_that_was_there_is_left_as_it_is_when_a_key_fails(host: Host) -> None:
    host.run()
    host.fails["make key"] = StateError("the TPM is full", "make room")
    with pytest.raises(StateError):
        host.run(keys=SIGNATURE)
    assert host.done == ["make key"] and len(host.store.records()) == 1


def test_a_wrong_pin_and_a_wrong_owner_authorisation_are_named(host: Host) -> None:
    host.fails["create"] = TpmError(BAD_AUTH)
    with pytest.raises(InputError, match=r"^tpm_owner_auth is missing, and there is one of the TPM's owner hierarchy"):
        host.run()
    with pytest.raises(InputError, match=r"^tpm_owner_auth is not that of the TPM's owner hierarchy: give it"):
        host.run(tpm_owner_auth="guess")
    host.fails["create"] = TpmError(0x14B)
    with pytest.raises(TpmError, match="NV memory is full"):
        host.run()
    host.fails.clear()
    host.run()
    host.card.secrets[Reference.PIN] = b"changed-"
    with pytest.raises(InputError, match=r"^pin is wrong, and has 4 tries left"):
        host.run(keys=SIGNATURE)


def test_a_card_that_the_tpm_does_not_hold(host: Host) -> None:
    host.run()
    host.whole = False
    with pytest.raises(CardLost):
        host.run()


def test_a_card_proves_what_it_can_when_it_gets_its_attestation_key(host: Host) -> None:
    _plan, told = host.run(attestation="aik_only", keys=SIGNATURE)
    assert host.done == ["create", "make key", "prove"] and told["evidence"] == {"version": 1}
    assert host.questions[0].slots == {0x9C} and len(base64.b64decode(told["attestation_nonce"])) == 32
    _plan, told = host.run(attestation="aik_only", keys=SIGNATURE)
    assert host.done == [] and told["evidence"] is None


def test_an_older_card_gets_one_as_a_step_and_a_verifier_an_answer_each_time(host: Host) -> None:
    host.run()
    nonce = base64.b64encode(bytes(32)).decode()
    given = {"attestation": "aik_only", "attestation_nonce": nonce}
    plan, told = host.run(check=True, **given)
    assert plan.changed and host.done == ["prove"] and host.store.read(0).ak is None
    host.run(**given)
    assert host.done == ["equip", "prove"]
    plan, told = host.run(**given)
    assert not plan.changed and host.done == ["prove"] and told["attestation_nonce"] == nonce
    host.run(attestation="aik_and_cert", attestation_nonce=nonce)
    assert host.questions[0].slots == frozenset()  # the CA asks for the attestation key,
    host.run(attestation="aik_and_cert", attestation_nonce=nonce, keys=SIGNATURE)
    assert host.questions[0].slots == {0x9C}  # and for those keys of the task that it shall attest


def test_secrets_that_only_their_recipients_read(host: Host) -> None:
    private, public = key_pair()
    given = {"pin_escrow_key": public, "admin_key": "ESCROW", "escrow_key": public}
    arguments = card_task(store=host.store.folder, **{**given, "pin": "RANDOM"})
    noun = TpmCard.from_task(arguments)
    found = noun.read()
    noun.apply(noun.plan(found).steps, found)
    assert unseal(noun.told["pin_escrow"], private).decode() == noun.pin == host.secrets.pin
    assert unseal(noun.told["admin_key_escrow"], private).decode() == host.secrets.admin_key.value.hex()
    with pytest.raises(InputError, match="pin is random, which only a new card gets, and the card 'card' lacks keys"):
        TpmCard.from_task(card_task(store=host.store.folder, **{**given, "pin": "random", "keys": SIGNATURE})).read()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pin": None}, "pin is missing, and new keys need one: give the first PIN from a vaulted variable"),
        ({"has_puk": True}, "puk is missing, has_puk is true, and the card is yet to be made: give it"),
        ({"has_admin_key": True}, "admin_key is missing, has_admin_key is true, and the card is yet to be made"),
        ({"pin": "short"}, "pin is shorter than the 8 characters"),
        ({"puk_retries": 3}, "puk_retries is 3, but the card has no PUK: give puk too, or leave puk_retries out"),
    ],
)
def test_what_is_refused_before_anything_is_done(host: Host, changes: t.Dict[str, t.Any], message: str) -> None:
    arguments = card_task(**{"store": host.store.folder, "pin": "s3cr3t-1", **changes})
    with pytest.raises(HardboundError, match=message):
        TpmCard.from_task(arguments).read()
    assert host.done == []


def test_a_step_is_for_a_card_that_is_there_and_of_a_kind_that_is_known(host: Host) -> None:
    steps = TpmCard.from_task(card_task(store=host.store.folder))
    with pytest.raises(LookupError, match="is for a card, and there is none"):
        steps.apply([Destroy(0)], steps.read())
    there = FoundCard(steps.read().current, record())
    with pytest.raises(TypeError, match="no way is known to take the step 'dance'"):
        steps.apply([t.cast(t.Any, "dance")], there)


# Readers.


class Door(Presentation):
    """Readers that stand in a dictionary."""

    is_set_up = True  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__("/nonexistent")
        self.comes = True
        self.waited: t.List[t.Tuple[int, float]] = []
        self.applied = 0
        self.rules = ""

    def read(self) -> t.Any:
        return replace_rules(self.rules)

    def apply(self, step: t.Any) -> None:
        self.applied += 1
        self.rules = step.rules.after["access"]

    def await_card(self, number: int, since: float) -> bool:
        self.waited.append((number, since))
        return self.comes


def replace_rules(rules: str) -> t.Any:
    from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Presented
    from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import ReaderFiles as There

    return Presented(There(), rules, "digest")


def test_a_new_card_comes_into_its_reader(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    monkeypatch.setattr(Host, "readers", Readers(door))
    plan, told = host.run(owner="alice")
    assert door.applied == 1 and [number for number, _since in door.waited] == [0] and "alice" in door.rules
    assert NOT_SET_UP not in plan.warnings and told["reader"] == "card 00 00"


def test_a_card_that_does_not_come_is_told_of_with_what_is_told_once(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door()
    door.comes = False
    monkeypatch.setattr(Host, "readers", Readers(door))
    with pytest.raises(
        Interrupted, match="was made, but the card service does not put it into its reader: look"
    ) as got:
        host.run()
    assert got.value.facts["instance_id"].endswith("0000")


def test_a_policy_that_keeps_cards_out_of_readers_is_told_of(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "readers", Readers(Door()))
    monkeypatch.setattr(Store, "host_policy", lambda _store: HostPolicy(present_new_cards=False))
    assert KEPT_OUT in host.run(check=True)[0].warnings


def test_a_host_without_card_service_has_no_readers(tmp_path: Path) -> None:
    readers = Readers(Presentation(str(tmp_path)))
    assert readers.read() is None and readers.plan([], [], HostPolicy(), None) == ()


def test_a_secret_that_is_wrong_says_how_many_tries_are_left() -> None:
    from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import naming

    with pytest.raises(InputError, match=r"^new_pin is wrong, and has 1 try left: give the right one"):
        with naming("new_pin"):
            raise WrongSecret(Reference.PIN, 1)
