# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card and its place in a reader."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._edge import seat as seat_module
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard


def test_every_edge_has_an_interpreter_in_a_room_of_its_name():
    applications = seat_module._APPLICATIONS
    assert {edge.value: each.__module__.split(".")[-2] for edge, each in applications.items()} == {
        edge.value: edge.value for edge in Edge
    }


def test_a_card_whose_reader_is_made_to_wait_stays_away_for_longer_each_time(tmp_path: Path) -> None:
    seat = seat_module.Seat(0, 1, t.cast(t.Any, SoftCard()), ("127.0.0.1", 1), tmp_path / "0000.present")
    bans = []
    now = 1000.0
    for _unused in range(8):
        seat.ban(now)
        bans.append(seat.connects_at - now)
        now = seat.connects_at + 1
    assert bans == [1, 2, 4, 8, 16, 32, 64, 64]
    now += 3600
    seat.ban(now)
    assert seat.connects_at - now == 1
