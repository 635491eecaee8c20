# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store with a card, and no TPM behind it."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._task import existing_card, external_request
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import ExistingCard
from ansible_collections.hardbound.identity.tests.support.task_cards import TaskCard, Tpm, record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path), str(tmp_path / "hello_policy.json"))
    store.prepare()
    return store


@pytest.fixture
def card(store: Store, monkeypatch: pytest.MonkeyPatch) -> TaskCard:
    """A card that tasks find by its name, ``card``. It has a PUK."""
    store.write(record(has_puk=True))
    made = TaskCard(store)

    @contextlib.contextmanager
    def opened(*_unused: t.Any) -> t.Iterator[TaskCard]:
        yield made
        made.close()

    @contextlib.contextmanager
    def tpm(_chosen: ExistingCard) -> t.Iterator[Tpm]:
        yield Tpm()

    monkeypatch.setattr(existing_card, "opened", opened)
    monkeypatch.setattr(external_request, "opened", opened)
    monkeypatch.setattr(ExistingCard, "tpm", tpm)
    return made
