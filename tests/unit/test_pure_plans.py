# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spine's promise: whatever a noun manages, its plan is made of what was read, and of nothing else."""

from __future__ import annotations

import ast
import os
import time
import typing as t
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import HostPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._card.plan import CurrentCards
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference, Tries
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Presentation, Presented
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import ReaderFiles
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.himmelblau import Himmelblau
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.plugins.module_utils._hello.place import FilePlace, NoPlace
from ansible_collections.hardbound.identity.plugins.module_utils._hello.policy import (
    CurrentDocument,
    HelloPolicy,
    HimmelblauPolicy,
    ReturnedPolicy,
)
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._task.card import FoundSmartcard, Smartcard
from ansible_collections.hardbound.identity.plugins.module_utils._task.certificate import (
    SmartcardCertificate,
    WantedCertificate,
)
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import EvidenceVisit, FoundCards
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import ExistingCard
from ansible_collections.hardbound.identity.plugins.module_utils._task.hello_linux import FoundPolicy, LinuxPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._task.key import SmartcardKey
from ansible_collections.hardbound.identity.plugins.module_utils._task.passkey import SmartcardPasskeys, WantedPasskeys
from ansible_collections.hardbound.identity.plugins.module_utils._task.pin import FoundSecrets, SmartcardPin
from ansible_collections.hardbound.identity.plugins.module_utils._task.request import FoundRequest, SmartcardRequest
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_card import FoundCard, TpmCard
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_lockout import TpmLockout
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import Lockout
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import enrollment_ca
from ansible_collections.hardbound.identity.tests.support.no_io import WentOut, no_io
from ansible_collections.hardbound.identity.tests.support.task_cards import TCTI, key_record, record
from ansible_collections.hardbound.identity.tests.support.tasks import card_task, visit_task
from ansible_collections.hardbound.identity.tests.support.whole_record import RECORD

PLUGINS = Path(__file__).parents[2] / "plugins"
NO_READERS = Presented(ReaderFiles(), "", "digest of the driver")
CARD = {"store": "/nonexistent", "name": "card", "instance_id": None}
POLICY = CurrentDocument(b"", {})


def existing() -> ExistingCard:
    return ExistingCard(Store("/nonexistent"), "card", None)


def found_card(*records: t.Any) -> FoundCard:
    return FoundCard(CurrentCards(records), records[0] if records else None, HostPolicy(everyone_sees_readers=True))


def lockout() -> t.Tuple[t.Any, t.Any]:
    arguments = dict.fromkeys(("max_tries", "recovery", "lockout_recovery", "value", "reset", "tpm_owner_auth"))
    noun = TpmLockout.from_task({**arguments, "max_tries": 9, "discard": True, "tpm": TCTI, "store": "/nonexistent"})
    return noun, Lockout(0, 10, 1, 1, False, False)


def secrets() -> t.Tuple[t.Any, t.Any]:
    given = {"pin": "pin-0815", "new_pin": "pin-4711", "puk": "puk-0815", "new_puk": "puk-4711"}
    unsaid = dict.fromkeys(("pin_escrow_key", "admin_key"))
    noun = SmartcardPin.from_task({**CARD, **given, **unsaid, "must_change": True, "compromised": True})
    return noun, FoundSecrets(record(has_puk=True), HostPolicy(), Tries(5, 5), Tries(5, 5), Reference.PIN, b"pin-0815")


def request() -> t.Tuple[t.Any, t.Any]:
    arguments = {**CARD, "slot": "signature", "subject": {"CN": "a"}, "subject_alt_name": [], "pin": "pin-0815"}
    return SmartcardRequest.from_task({**arguments, "path": "/a.csr"}), FoundRequest(record(), None, True)


def key() -> t.Tuple[t.Any, t.Any]:
    arguments = {**CARD, "slot": "signature", "algorithm": "ecc_p256", "self_signed": True, "pin": None}
    return SmartcardKey.from_task({**arguments, "state": "present"}), record()


def ca() -> t.Tuple[t.Any, t.Any]:
    values = {name: argument.get("default") for name, argument in enrollment_ca.ARGUMENTS.items()}
    values.update(path="/nonexistent", name="Test CA", passphrase="long enough for anybody")
    noun = enrollment_ca.EnrollmentCa(enrollment_ca.Desired.parse(values))
    return noun, enrollment_ca.CurrentCa(at=datetime.now(timezone.utc))


def hello(kind: t.Callable[..., t.Any], writer: t.Any, place: t.Any) -> t.Any:
    return kind(parse_settings({"pin_min_length": 8, "allow_all_user_card_enumeration": "enabled"}), writer, place)


NOUNS: t.Dict[str, t.Callable[[], t.Tuple[t.Any, t.Any]]] = {
    "TpmCard": lambda: (TpmCard.from_task(card_task(keys=[{"slot": "signature"}])), found_card()),
    "Smartcard": lambda: (Smartcard.from_task(card_task(owner="alice")), FoundSmartcard(found_card(), NO_READERS)),
    "Smartcard, there": lambda: (
        Smartcard.from_task(card_task(owner="alice")),
        FoundSmartcard(found_card(record()), NO_READERS),
    ),
    "Smartcard, absent": lambda: (
        Smartcard.from_task(card_task(state="absent")),
        FoundSmartcard(found_card(record()), NO_READERS),
    ),
    "EvidenceVisit": lambda: (
        EvidenceVisit(visit_task("/nonexistent", "one", "two")),
        FoundCards((found_card(), found_card()), NO_READERS),
    ),
    "SmartcardKey": key,
    "SmartcardCertificate": lambda: (
        SmartcardCertificate(WantedCertificate(0x9C, None), existing()),
        record(keys={0x9C: key_record()}, certificates={0x9C: b"no certificate"}),
    ),
    "SmartcardPasskeys": lambda: (
        SmartcardPasskeys(WantedPasskeys("corp.example", "alice"), existing()),
        RECORD,
    ),
    "SmartcardRequest": request,
    "SmartcardPin": secrets,
    "TpmLockout": lockout,
    "LinuxPolicy": lambda: (
        LinuxPolicy(hello(HelloPolicy, Linux(), FilePlace("/nonexistent"))),
        FoundPolicy(POLICY, rules="", held=[], asks_polkit=False),
    ),
    "HelloPolicy": lambda: (hello(HelloPolicy, Linux(), FilePlace("/nonexistent")), POLICY),
    "ReturnedPolicy": lambda: (hello(ReturnedPolicy, Linux(), NoPlace()), POLICY),
    "HimmelblauPolicy": lambda: (
        HimmelblauPolicy(parse_settings({"use_hello": "enabled"}), Himmelblau(3), FilePlace("/nonexistent")),
        POLICY,
    ),
    "EnrollmentCa": ca,
}


@pytest.mark.parametrize("name", NOUNS)
def test_a_plan_is_pure(name: str) -> None:
    noun, found = NOUNS[name]()
    plan = noun.plan(found)  # What measures coverage looks at a file when its code runs for the first time.
    with no_io():
        assert noun.plan(found) == plan
    assert isinstance(plan, Plan)
    assert plan.changed or name == "ReturnedPolicy"


def nouns() -> t.Set[str]:
    """All classes that plan and apply, but the protocol of a noun, and what nouns plan readers and their files with."""
    return {
        node.name
        for file in PLUGINS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and {"plan", "apply"} <= {each.name for each in methods(node)}
    } - {"Noun", "Readers", "Presentation", "HostFile"}


def methods(node: ast.ClassDef) -> t.List[ast.FunctionDef]:
    return [each for each in node.body if isinstance(each, ast.FunctionDef)]


def test_no_noun_is_forgotten() -> None:
    assert nouns() <= {name.partition(",")[0] for name in NOUNS}


def test_readers_are_planned_purely_where_a_card_changes_its_holder() -> None:
    presentation, found = Presentation("/var/lib/hardbound"), replace(NO_READERS, rules="old")
    planned = presentation.plan([], found, holders_changed=True, everyone=False)
    with no_io():
        assert presentation.plan([], found, holders_changed=True, everyone=False) == planned


@pytest.mark.parametrize(
    "way_out", [Path(__file__).read_text, lambda: os.path.exists("/"), lambda: time.time() + 1, lambda: os.urandom(1)]
)
def test_the_wall_holds(way_out: t.Callable[[], object]) -> None:
    with no_io(), pytest.raises(WentOut):
        way_out()
