# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two owners on one host, and root: each program sees what is its user's, and nobody uses another's card."""

from __future__ import annotations

import re
import shutil

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import CLIENT, Host

ALICE, BOB, MALLORY = "daemon", "games", "nobody"
"""Users that every Debian has."""
KEYS = [KeySpecification(0x9A, KeyAlgorithm.ECC_P256)]


@pytest.fixture
def two_owners(host: Host) -> Host:
    if shutil.which("runuser") is None:
        pytest.skip("needs runuser")
    host.machine.folder.chmod(0o711)
    host.make("Card of Alice", owner=ALICE, keys=KEYS)
    host.make("Card of Bob", owner=BOB, keys=KEYS)
    return host


def seen(host: Host, user: str) -> list[str]:
    said = as_user(host, user, "-L", ok=None)
    return re.findall(r"token label +: (.*)", said)


def as_user(host: Host, user: str, *options: str, ok: bool | None = True) -> str:
    return host.run("runuser", "-u", user, "--", "pkcs11-tool", "--module", CLIENT, *options, ok=ok)


def test_each_owner_sees_one_card(two_owners: Host) -> None:
    two_owners.start()
    assert seen(two_owners, ALICE) == ["Card of Alice"]
    assert seen(two_owners, BOB) == ["Card of Bob"]
    assert seen(two_owners, MALLORY) == []
    assert seen(two_owners, "root") == ["Card of Alice", "Card of Bob"]


def test_nobody_spends_another_s_tries(two_owners: Host) -> None:
    two_owners.start()
    first, second = two_owners.machine.store.records()
    for user in (MALLORY, BOB):
        as_user(two_owners, user, "--slot", "0", "--login", "--pin", "000000", "-O", ok=False)
    assert two_owners.machine.tries(first)[0] == 3
    said = as_user(two_owners, ALICE, "--login", "--pin", PIN, "-O")
    assert "PIV AUTH key" in said
    assert second.owner == BOB


def test_root_is_kept_out_where_the_inventory_says_so(two_owners: Host) -> None:
    two_owners.start("--keep-root-out")
    assert seen(two_owners, "root") == []
    assert seen(two_owners, ALICE) == ["Card of Alice"]
