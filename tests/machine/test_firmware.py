# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where QEMU or the firmware gave the TPM up, a machine is switched on again. No kernel is waited for here."""

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
TOO_LATE = {"QEMU": {"ReadClock": 2.0}, "SeaBIOS": {"Startup": 2.0}}
"""QEMU waits for 1 s, and SeaBIOS for 0.75 s."""


class Firmware(Machine):
    """A machine that counts as up as soon as its firmware has readied the TPM."""

    def __init__(self, image: Image, before: Snapshot, late: t.Sequence[str]) -> None:
        """Takes, for each start, whom the TPM answers too late. After these, it answers everybody in time."""
        super().__init__(image, before)
        self.starts = 0
        self._late = late
        self.between = self._channel

    def _channel(self, tpm: pathlib.Path, relay: pathlib.Path) -> None:
        channel = SlowChannel(tpm, relay, command_log.kind)
        for whom in self._late[self.starts :][:1]:
            channel.delays = TOO_LATE[whom]
        self.starts += 1

    def answers(self) -> bool:
        return HIERARCHY_CHANGE_AUTH in self.tpm_commands()


@pytest.fixture
def firmware(debian: Image, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., Firmware]]:
    """Makes machines with a new TPM."""
    (tmp_path / "tpm").mkdir()
    with contextlib.ExitStack() as made:

        def make(*late: str) -> Firmware:
            machine = Firmware(debian, Snapshot(tmp_path), late)
            made.callback(machine.discard)
            return machine

        yield make


@pytest.mark.parametrize("whom", TOO_LATE)
def test_where_the_tpm_is_given_up_the_machine_is_switched_on_again(
    firmware: t.Callable[..., Firmware], whom: str
) -> None:
    machine = firmware(whom)
    machine.start()
    assert machine.starts > 1
    assert machine.is_up()


def test_where_the_tpm_is_always_given_up_there_is_no_machine(firmware: t.Callable[..., Firmware]) -> None:
    machine = firmware(*["SeaBIOS"] * STARTS)
    with pytest.raises(Unavailable, match=rf"^the TPM did not answer in time, in {STARTS} starts: .*$"):
        machine.start()
    assert machine.starts == STARTS
