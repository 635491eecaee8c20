# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card service meets a card's file that a newer release has written."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.migration import VERSION
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]


def test_a_card_of_a_newer_release_stays_out_and_the_others_go_on(machine):
    first, second = (machine.make(name, keys=()) for name in ("first", "second"))
    path = pathlib.Path(machine.store.path(second.number))
    known = path.read_text()
    newer = known.replace(f'"version": {VERSION}', f'"version": {VERSION + 1}')
    machine.start_pcscd()
    path.write_text(newer)
    machine.start_service()

    def presents(*cards):
        expected = {f"{card.number:04d}.present" for card in cards}
        return lambda: {path.name for path in machine.run_folder.iterdir()} == expected

    until(presents(first))
    until(lambda: f"has version {VERSION + 1}, and this release knows up to {VERSION}" in machine.log())
    path.write_text(known)
    until(presents(first, second))
    path.write_text(newer)
    until(presents(first))
    assert path.read_text() == newer and machine.service.poll() is None
