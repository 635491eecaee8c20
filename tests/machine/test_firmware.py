# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the firmware gave the TPM up, a machine is switched on again. No kernel is waited for here."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support import command_log
from ansible_collections.hardbound.identity.tests.support.machine_image import Image, Unavailable
from ansible_collections.hardbound.identity.tests.support.slow_channel import SlowChannel
from ansible_collections.hardbound.identity.tests.support.virtual_machine import STARTS, Machine, Snapshot

HIERARCHY_CHANGE_AUTH = 0x129
"""The last thing that SeaBIOS asks of a TPM that works: a command code (TPM 2.0 Part 2, 6.5.2)."""
TOO_LONG = command_log.delays(1.0, 1.0)
"""SeaBIOS waits for 0.75 s."""


class Firmware(Machine):
    """A machine that counts as up as soon as its firmware has readied the TPM."""

    def __init__(self, image: Image, before: Snapshot, slow: int) -> None:
        """Takes in how many starts the TPM answers too late."""
        super().__init__(image, before)
        self.starts = 0
        self._slow = slow
        self.between = self._channel

    def _channel(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        channel = SlowChannel(tpm, relay, command_log.kind)
        self.starts += 1
        channel.delays = TOO_LONG if self.starts <= self._slow else {}

    def is_up(self) -> bool:
        return HIERARCHY_CHANGE_AUTH in self.tpm_commands()


@pytest.fixture
def firmware(debian: Image, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[int], Firmware]]:
    """Makes machines with a new TPM, which is slow in so many starts."""
    (tmp_path / "tpm").mkdir()
    with contextlib.ExitStack() as made:

        def make(slow: int) -> Firmware:
            machine = Firmware(debian, Snapshot(tmp_path), slow)
            made.callback(machine.discard)
            return machine

        yield make


def test_where_it_gave_the_tpm_up_the_machine_is_switched_on_again(firmware: t.Callable[[int], Firmware]) -> None:
    machine = firmware(2)
    machine.start()
    assert machine.starts > 2
    assert machine.is_up()


def test_where_it_always_gives_the_tpm_up_there_is_no_machine(firmware: t.Callable[[int], Firmware]) -> None:
    machine = firmware(STARTS)
    with pytest.raises(Unavailable, match=rf"^the firmware got no answer of the TPM in time, in {STARTS} starts: .*$"):
        machine.start()
    assert machine.starts == STARTS
