# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of the cards of a host, whatever their TPMs say."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import State
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._task import card_info
from ansible_collections.hardbound.identity.plugins.module_utils._task.card_info import list_cards
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmUnreachable
from ansible_collections.hardbound.identity.tests.support.task_cards import Tpm, record


class InfoTpm(Tpm):
    def __init__(self, *_unused: t.Any) -> None:
        super().__init__()


@pytest.fixture
def tpm(monkeypatch: pytest.MonkeyPatch) -> t.Dict[str, t.Any]:
    """What the TPM says."""
    says: t.Dict[str, t.Any] = {"whole": True, "tries": {Role.PIN: 3, Role.PUK: 5}, "objects": False}

    def gates(*_unused: t.Any) -> t.Any:
        return types.SimpleNamespace(tries=lambda role: types.SimpleNamespace(left=says["tries"][role]))

    def check(*_unused: t.Any) -> None:
        if says["objects"]:
            raise StateError("the TPM is a program", "use a hardware TPM")

    monkeypatch.setattr(card_info, "Tpm", InfoTpm)
    monkeypatch.setattr(card_info, "Gates", gates)
    monkeypatch.setattr(card_info, "check_host_policy", check)
    monkeypatch.setattr(card_info, "is_whole", lambda *_unused: says["whole"])
    return says


def cards(store: Store, name: t.Optional[str] = None) -> t.List[t.Dict[str, t.Any]]:
    found: t.List[t.Dict[str, t.Any]] = list_cards({"store": store.folder, "name": name})["cards"]
    return found


def test_cards_and_their_tries(store: Store, tpm: t.Dict[str, t.Any]) -> None:
    store.write(record(0, "one", has_puk=True))
    store.write(record(1, "two"))
    one, two = cards(store)
    assert (one["state"], one["pin_tries_left"], one["puk_tries_left"]) == ("ready", 3, 5)
    assert (two["puk_tries_left"], two["reader"]) == (None, "one, two 00 01")
    assert [each["name"] for each in cards(store, "two")] == ["two"] and cards(store, "three") == []


@pytest.mark.parametrize(
    ("says", "state", "left"),
    [({"tries": {Role.PIN: 0}}, "blocked", 0), ({"whole": False}, "lost", None), ({}, "ready", 3)],
)
def test_states_of_a_card(
    store: Store, tpm: t.Dict[str, t.Any], says: t.Dict[str, t.Any], state: str, left: t.Optional[int]
) -> None:
    store.write(record())
    tpm.update(says)
    [card] = cards(store)
    assert (card["state"], card["pin_tries_left"]) == (state, left)


def test_what_the_host_objects_to(store: Store, tpm: t.Dict[str, t.Any]) -> None:
    store.write(record())
    tpm["objects"] = True
    [card] = cards(store)
    assert card["objections"][-1] == "the TPM is a program: use a hardware TPM."


def test_a_card_that_was_left_unfinished(store: Store, tpm: t.Dict[str, t.Any]) -> None:
    store.write(record(state=State.DESTROYING))
    [card] = cards(store)
    assert (card["state"], card["reader"], card["objections"]) == ("unfinished", None, [])


def test_a_tpm_that_does_not_answer(store: Store, tpm: t.Dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_unused: t.Any) -> t.NoReturn:
        raise TpmUnreachable("no TPM", "start it")

    store.write(record())
    monkeypatch.setattr(card_info, "Tpm", gone)
    [card] = cards(store)
    assert (card["state"], card["pin_tries_left"]) == ("unreachable", None)
