# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys that a task removes: planned, shown, and gone; again, and nothing is left to do."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import (
    Passkey,
    PasskeyStore,
    PasskeyUser,
    Protection,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task.passkey import SmartcardPasskeys
from ansible_collections.hardbound.identity.tests.support.task_cards import record

KEY = Blob(b"private", b"public")


def passkey(identifier, rp, name):
    user = PasskeyUser(identifier, name, name.title())
    return Passkey(identifier, rp, KeyAlgorithm.ECC_P256, Protection.OPTIONAL, KEY, user=user, made_at=1700000000)


PASSKEYS = (
    passkey(b"\xfb\xff", "corp.example", "alice"),
    passkey(b"2", "corp.example", "bob"),
    passkey(b"3", "other.example", "alice"),
)


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path))
    store.prepare()
    store.write(record(passkey_store=PasskeyStore(KEY, PASSKEYS, b"large", ("corp.example",))))
    store.write(record(1, "bare"))
    return store


def run(store, check=False, name="card", **given):
    task = {"name": name, "instance_id": None, "store": store.folder, "user_name": None, "state": "absent", **given}
    noun = SmartcardPasskeys.from_task(task)
    found = noun.read()
    plan = noun.plan(found)
    return plan, noun.apply(plan, found) if plan.changed and not check else noun.report(plan, found)


def names(view):
    return [(each["relying_party"], each["user_name"]) for each in view["discoverable_passkeys"]]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"relying_party": "corp.example"}, [("other.example", "alice")]),
        (
            {"relying_party": "corp.example", "user_name": "alice"},
            [("corp.example", "bob"), ("other.example", "alice")],
        ),
    ],
)
def test_four_steps(store, given, left):
    before = store.read(0)
    plan, view = run(store, check=True, **given)
    assert plan.changed and len(names(view)) == 3 and store.read(0) == before
    assert names(plan.after) == left and len(names(plan.before)) == 3
    plan, view = run(store, **given)
    assert plan.changed and names(view) == left
    kept = store.read(0).passkey_store
    assert [(each.rp, each.user.name) for each in kept.passkeys] == left
    assert (kept.large_blobs, kept.pin_length_readers, kept.wrapping) == (b"large", ("corp.example",), KEY)
    for check in (False, True):
        plan, view = run(store, check, **given)
        assert not plan.changed and names(view) == left


def test_what_is_told_of_a_passkey(store):
    _plan, view = run(store, check=True, relying_party="corp.example")
    assert view["discoverable_passkeys"][0] == {
        "relying_party": "corp.example",
        "user_name": "alice",
        "user_display_name": "Alice",
        "user_id": "-_8",
        "credential_id": "-_8",
        "algorithm": "ecc_p256",
        "made_at": "2023-11-14T22:13:20Z",
    }


@pytest.mark.parametrize("given", [{"relying_party": "no.example"}, {"relying_party": "corp.example", "name": "bare"}])
def test_what_is_not_there_is_gone_already(store, given):
    assert not run(store, **given)[0].changed
    assert not run(store, **{**given, "user_name": "nobody"})[0].changed


@pytest.mark.parametrize("party", ["", " corp.example", "https://corp.example"])
def test_what_is_no_relying_party(store, party):
    with pytest.raises(InputError, match=r"relying_party is .*, which is no relying party id: give it as"):
        run(store, relying_party=party)
