# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first visit of an enrolment: cards are made one after the other, and what was told once is not lost."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import evidence
from ansible_collections.hardbound.identity.plugins.module_utils._card.attestation import Attestation
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import HostPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._card.plan import (
    Create,
    CurrentCards,
    MakeAttestationKey,
    MakeKeys,
    Tidy,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record, State
from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Present, Presented
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import ReaderFiles
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, Interrupted, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._task import external_request
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import (
    EnrolledCard,
    EvidenceVisit,
    ForCard,
    FoundCards,
)
from ansible_collections.hardbound.identity.plugins.module_utils._task.external_request import Sign
from ansible_collections.hardbound.identity.plugins.module_utils._task.readers import Readers
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_card import FoundCard
from ansible_collections.hardbound.identity.tests.support.task_cards import key_record, record
from ansible_collections.hardbound.identity.tests.support.tasks import visit_task, visited_card

SUBJECT, ATTRIBUTES = "MAA=", "oAA="
TOLD = {"pin_escrow": "sealed", "admin_key_escrow": None}


def request(slot: str, needed: bool = True) -> t.Dict[str, t.Any]:
    return {"slot": slot, "subject": SUBJECT, "attributes": ATTRIBUTES, "needed": needed}


class DoorReaders(Readers):
    """Plans a step that names the cards that get a reader."""

    def __init__(self, set_up: bool = True) -> None:
        super().__init__(t.cast(t.Any, None))
        self.there = Presented(ReaderFiles(), "", "driver") if set_up else None
        self.applied: t.List[t.Tuple[t.Any, t.List[str]]] = []

    def read(self) -> t.Optional[Presented]:
        return self.there

    def plan(self, steps: t.Any, records: t.Any, policy: t.Any, found: t.Any) -> t.Any:
        return (t.cast(Present, DoorStep(len(steps), [each.name for each in records])),)

    def apply(self, step: t.Any, cards: t.Iterable[Record], began: float) -> None:
        self.applied.append((step, [each.name for each in cards]))


class DoorStep(Present):
    def __init__(self, after: int, names: t.List[str]) -> None:
        object.__setattr__(self, "after", after)
        object.__setattr__(self, "names", names)


class Making:
    """Stands for what a card of the visit does in the TPM."""

    def __init__(self, visit: EvidenceVisit, outcomes: t.Mapping[str, t.Any]) -> None:
        self.steps: t.Dict[str, t.List[t.Any]] = {}
        for each in visit._cards:
            outcome = outcomes.get(each.name, {})
            each.apply = self._apply(each, outcome)  # type: ignore[method-assign]

    def _apply(self, card: EnrolledCard, outcome: t.Any) -> t.Callable[..., t.Any]:
        def apply(steps: t.Any, found: t.Any) -> t.Any:
            self.steps[card.name] = list(steps)
            if isinstance(outcome, Exception):
                raise outcome
            card._task.told.update(outcome)
            made = replace(record(len(self.steps), card.name), keys={0x9A: key_record()})
            card.store.write(made)
            return made

        return apply


@pytest.fixture
def no_evidence(monkeypatch: pytest.MonkeyPatch) -> t.List[t.Any]:
    """What was asked of the TPM."""
    asked: t.List[t.Any] = []

    class Evidence:
        def document(self) -> t.Dict[str, t.Any]:
            return {"cards": len(asked[-1])}

    def collect(_store: t.Any, _tpm: t.Any, questions: t.Any) -> Evidence:
        asked.append(list(questions))
        return Evidence()

    monkeypatch.setattr(evidence, "collect", collect)
    return asked


def visit(store: Path, *cards: t.Any, set_up: bool = True) -> t.Tuple[EvidenceVisit, DoorReaders]:
    readers = DoorReaders(set_up)
    made = EvidenceVisit(visit_task(str(store), *cards), readers)
    made._store.prepare()
    return made, readers


def nothing(count: int = 2, *records: Record) -> FoundCards:
    return FoundCards((FoundCard(CurrentCards(tuple(records))),) * count, Presented(ReaderFiles(), "", "driver"))


def test_cards_are_planned_in_turn_and_the_readers_of_all_once(tmp_path: Path) -> None:
    made, _readers = visit(tmp_path, visited_card("one", keys=[{"slot": "signature"}]), "two")
    plan = made.plan(nothing(2, record(7, "half", state=State.CREATING)))
    kinds = [(each.name, type(each.step)) for each in plan.steps if isinstance(each, ForCard)]
    assert kinds == [("one", Tidy), ("one", Create), ("one", MakeKeys), ("two", Create)]
    assert [each.after for each in plan.steps if isinstance(each, DoorStep)] == [4]
    assert set(plan.after) == {"one", "two"} and plan.after["two"]["attestation"] == "aik_only"  # type: ignore[index]


def test_a_card_that_has_no_attestation_key_yet_gets_it_as_a_step_of_the_plan(tmp_path: Path) -> None:
    made, _readers = visit(tmp_path, "one")
    there = record(name="one")
    found = FoundCards((FoundCard(CurrentCards((there,)), there, HostPolicy()),))
    steps = [each.step for each in made.plan(found).steps if isinstance(each, ForCard)]
    assert MakeAttestationKey() in steps
    has_one = replace(there, ak=Blob(b"private", b"public"))
    assert has_one.attestation is Attestation.AIK_ONLY
    again = FoundCards((FoundCard(CurrentCards((has_one,)), has_one, HostPolicy()),))
    assert [each for each in made.plan(again).steps if isinstance(each, ForCard)] == [
        each for each in made.plan(found).steps if isinstance(each, ForCard) and each.step != MakeAttestationKey()
    ]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (StateError("the TPM is full", "make room"), [{"name": "first", **TOLD}]),
        (
            Interrupted(StateError("no reader comes", "look"), {"pin_escrow": "other", "reader": "x"}),
            [{"name": "first", **TOLD}, {"name": "second", "pin_escrow": "other", "admin_key_escrow": None}],
        ),
    ],
)
def test_a_card_that_fails_takes_no_other_cards_random_pin_with_it(
    tmp_path: Path, second: Exception, told: t.List[t.Any]
) -> None:
    made, readers = visit(tmp_path, "first", "second")
    Making(made, {"first": TOLD, "second": second})
    with pytest.raises(Interrupted) as caught:
        made.apply(made.plan(nothing()), nothing())
    assert caught.value.facts == {"cards": told} and str(second) in str(caught.value)
    assert [step.names for step, _cards in readers.applied] == [["first"]]  # which gets its reader nevertheless


def test_what_was_told_to_nobody_is_not_repeated(tmp_path: Path) -> None:
    made, _readers = visit(tmp_path, "first", "second")
    Making(made, {"second": StateError("x", "y")})
    with pytest.raises(Interrupted) as caught:
        made.apply(made.plan(nothing()), nothing())
    assert caught.value.facts == {"cards": []}


def test_what_is_reported_of_cards_and_what_is_asked_of_the_tpm(tmp_path: Path, no_evidence: t.List[t.Any]) -> None:
    made, readers = visit(tmp_path, visited_card("first", keys=[{"slot": "authentication"}]), "second")
    Making(made, {"first": TOLD})
    told = made.apply(made.plan(nothing()), nothing())
    first, second = told["cards"]  # type: ignore[misc]
    assert first["changed"] and first["pin_escrow"] == "sealed" and first["instance_id"].endswith("0001")
    assert second["pin_escrow"] is None and second["signatures"] == {} and second["ak_certificate"] == ""
    assert [(each.number, each.slots) for each in no_evidence[0]] == [(1, {0x9A}), (2, frozenset())]
    assert [cards for _step, cards in readers.applied] == [["first", "second"]]


def test_check_mode_proves_the_cards_that_are_there_and_makes_none(tmp_path: Path, no_evidence: t.List[t.Any]) -> None:
    made, readers = visit(tmp_path, "there", "new")
    there = record(name="there")
    made._store.write(there)
    found = FoundCards((FoundCard(CurrentCards((there,)), there), FoundCard(CurrentCards((there,)))), readers.read())
    told = made.report(made.plan(found), found)
    assert [each["instance_id"] for each in told["cards"]] == [there.instance_id, None]  # type: ignore[attr-defined]
    assert [len(each) for each in no_evidence] == [1] and not readers.applied
    assert [each.name for each in made._store.records()] == ["there"]


def test_a_host_without_card_service_is_warned_of(tmp_path: Path) -> None:
    made, _readers = visit(tmp_path, visited_card("one", pin="s3cr3t-1"), set_up=False)
    [warning] = made.plan(FoundCards((FoundCard(CurrentCards(())),), None)).warnings
    assert "No program reaches the card yet" in warning


class Signatures(external_request.RequestSigner):
    steps: t.ClassVar[t.List[t.Tuple[str, str, Sign]]] = []

    def sign(self, step: Sign) -> t.Dict[str, str]:
        self.steps.append((self.record.name, self.pin, step))
        return {"authentication": "c2ln"}


def test_requests_are_signed_by_a_step_once_the_keys_are_there(
    tmp_path: Path, no_evidence: t.List[t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Signatures, "steps", [])
    monkeypatch.setitem(EvidenceVisit._sign.__globals__, "RequestSigner", Signatures)
    asked = [request("authentication"), request("signature", needed=False)]
    made, _readers = visit(tmp_path, visited_card("one", keys=[{"slot": "authentication"}], requests=asked))
    Making(made, {})
    found = nothing(1)
    told = made.apply(made.plan(found), found)
    [(name, pin, step)] = Signatures.steps
    assert (name, pin, [each.slot for each in step.new], step.old) == ("one", "12345678", [0x9A], ())
    assert told["cards"][0]["signatures"] == {"authentication": "c2ln"}  # type: ignore[index]


def test_what_is_not_needed_or_can_not_be_signed_is_no_step(tmp_path: Path) -> None:
    asked = [request("signature", needed=False)]
    there = record(name="one", keys={0x9C: key_record()})
    made, _readers = visit(
        tmp_path, visited_card("one", requests=asked), visited_card("two", pin=None, requests=[request("signature")])
    )
    one, two = made._cards
    assert one.to_sign(there) == () and one.to_sign(None) == ()
    assert two.to_sign(there) == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nonce": "?"}, r"cards\[0\].nonce is no base64 of 32 bytes"),
        ({"requests": [{**request("signature"), "subject": "AA=="}]}, r"cards\[0\].requests\[0\].subject is no base64"),
        ({"requests": [request("nowhere")]}, r"cards\[0\].requests\[0\].slot is 'nowhere'"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EvidenceVisit(visit_task(str(tmp_path), visited_card("one", **changes)))


def test_a_card_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cards names a card twice"):
        EvidenceVisit(visit_task(str(tmp_path), "one", "one"))


def test_no_import_that_a_visit_without_changes_does_not_need() -> None:
    """What collects evidence is imported on such a visit too, and none of what is dear."""
    room = EvidenceVisit.__module__.rpartition("._task.")[0]
    dear = ["cryptography", "tpm2_pytss", f"{room}._card.lifecycle", f"{room}._card.gate", f"{room}._task.pin"]
    imports = f"import sys, {room}._task.enrollment, {room}._card.evidence"
    code = f"{imports}; print([each for each in {dear} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
