# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine starts again, with another kernel and newer packages. Whoever had a card has it, and nobody else."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

pytestmark = pytest.mark.extended

PATIENCE = 3600.0  # seconds, for downloads and for an initial RAM disk, on an emulated processor

# What security updates bring, and the kernel of the backports, which is always another. Then what an upgrade of the
# packages below the cards does while they are in use.
UPGRADE = """
set -eu
. /etc/os-release
cat >/etc/apt/sources.list.d/newer.list <<TEXT
deb http://deb.debian.org/debian-security $VERSION_CODENAME-security main
deb http://deb.debian.org/debian $VERSION_CODENAME-backports main
TEXT
export DEBIAN_FRONTEND=noninteractive
apt-get --quiet --quiet update
apt-get --quiet --quiet --yes full-upgrade
apt-get --quiet --quiet --yes --no-install-recommends --target-release "$VERSION_CODENAME-backports" \\
    install linux-image-amd64
dpkg-reconfigure libpcsclite1 pcscd python3-tpm2-pytss
"""


def test_cards_of_two_owners_come_back_after_an_upgrade(lab: Lab) -> None:
    machine = lab.machine
    making = [{steps.MAKE: steps.card(owner)} for owner in ("alice", "bob")]
    # The readers are named after all of the cards, so the first has another name once the second is made.
    found = lab.controller.tasks(*making, {steps.LIST: {}})[-1]
    readers = {card["name"].split()[-1]: card["reader"] for card in found["cards"]}
    sign_each_with_their_own(machine, readers)
    before = machine.run("uname --kernel-release").stdout
    machine.root(UPGRADE, patience=PATIENCE)
    sign_each_with_their_own(machine, readers)

    machine.take_kernel()
    machine.switch_off()
    machine.start()
    assert machine.run("uname --kernel-release").stdout != before
    sign_each_with_their_own(machine, readers)
    again = lab.controller.tasks(*making)
    assert [card["changed"] for card in again] == [False, False]
    assert steps.lockout_counter(machine) == 0


def sign_each_with_their_own(machine: Machine, readers: t.Dict[str, str]) -> None:
    """And where pcscd asks polkit, which that of Debian 12 can't, neither reaches the card of the other."""
    for owner, reader in readers.items():
        steps.sign(machine, reader, user=owner)
    if machine.image.suite == "bookworm":
        return
    for owner, other in (("alice", "bob"), ("bob", "alice")):
        tried = machine.run(f"opensc-tool --reader '{readers[other]}' --name", user=owner, check=False)
        assert tried.returncode, f"{owner} reaches the card of {other}: {tried.stdout}"
