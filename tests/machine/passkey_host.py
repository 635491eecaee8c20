# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose cards are FIDO2 authenticators, with Debian's programs that use them."""

from __future__ import annotations

import pathlib
import re
import typing as t

from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

_PROGRAMS = ("fido2-tools", "libfido2-1", "libpam-u2f", "pamu2fcfg", "python3-cbor2")
_BROWSERS = ("chromium", "firefox-esr", "nginx-light", "scrot", "xdotool", "xvfb")
OUTFIT = Outfit((*_PROGRAMS, *_BROWSERS), {"tpm_host_passkeys": True})

_TYPIST = pathlib.Path(__file__).with_name("typist.py")
_FIND = "for try in $(seq 240); do fido2-token -L | grep -m1 hidraw && exit; sleep 0.5; done; exit 1"


class Desk:
    """alice at a machine: what she runs, and what she types."""

    def __init__(self, lab: Lab) -> None:
        """Expects a card of hers with passkeys."""
        self.machine: Machine = lab.machine
        self.machine.run("cat >typist.py", user="alice", given=_TYPIST.read_text())
        self.device = self.machine.run(_FIND, user="alice").stdout.split(":")[0]

    def typed(self, lines: str, command: str) -> str:
        """Returns what was on the screen of a command that has to succeed; these lines are typed when it asks."""
        return t.cast(str, self.machine.run(f"python3 typist.py '{lines}' {command}", user="alice").stdout)

    def refused(self, lines: str, command: str) -> str:
        """The same for a command that has to fail."""
        done = self.machine.run(f"python3 typist.py '{lines}' {command}", user="alice", check=False)
        assert done.returncode, done.stdout
        return t.cast(str, done.stdout)

    def tries(self, reader: str) -> t.Tuple[int, int]:
        """Returns how many tries of the PIN are left, by CTAP and by PIV."""
        info = self.machine.run(f"fido2-token -I {self.device}", user="alice").stdout
        status = self.machine.run(f"yubico-piv-tool --reader '{reader}' --action status", user="alice")
        [by_ctap] = re.findall(r"^pin retries: (\d+)", info, re.MULTILINE)
        [by_piv] = re.findall(r"^PIN tries left:\s+(\d+)", status.stdout + status.stderr, re.MULTILINE)
        return int(by_ctap), int(by_piv)

    def script(self, text: str) -> str:
        """Returns what a script prints, in which ``$DEVICE`` is the card's."""
        whole = f"set -eu\nDEVICE={self.device}\n{text}"
        return t.cast(str, self.machine.run("bash -s", user="alice", given=whole).stdout)


def with_card(lab: Lab, **more: t.Any) -> Desk:
    """Makes alice a card with passkeys."""
    lab.controller.tasks({steps.MAKE: {**steps.card("alice", **more), "passkeys": True}})
    return Desk(lab)
