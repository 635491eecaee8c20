# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role smartcard_login costs on a host where nothing is to be changed, over a play that gathers facts alone.

Both plays run in turn, on this computer, with an /etc of its own and no systemd.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.fresh_tpm import require_swtpm, short_path, software_tpm
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host, host
from ansible_collections.hardbound.identity.tests.support.sign_in_host import OWNERS, SignInHost

__all__ = ["host", "require_swtpm", "short_path", "software_tpm"]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")
ROUNDS = 5
LIMIT = 5.0
"""Seconds."""
_SYSTEMCTL = "#!/bin/sh\necho LoadState=loaded; echo ActiveState=active; echo UnitFileState=enabled\n"


class Desk(SignInHost):
    """A host where SSSD is to be told of two people, and PAM nothing."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        (self.folder / "systemctl").write_text(_SYSTEMCTL)
        host.machine.run("mount", "-t", "tmpfs", "tmpfs", "/run")
        host.machine.run("mkdir", "-p", "/run/systemd/system")
        ca = self.folder / "ca.pem"
        ca.write_text("-----BEGIN CERTIFICATE-----\n")
        self.wanted = {
            "smartcard_login_ca": [str(ca)],
            "smartcard_login_users": [{"name": name, "upn": f"{name}@corp.example"} for name in OWNERS],
            "smartcard_login_first_card": True,
            "smartcard_login_pam": False,
        }

    def timed(self, role: bool) -> t.Tuple[float, float]:
        """Returns seconds by the clock, and of the processor."""
        began, worked = time.perf_counter(), _worked()
        said = self.play("main", facts=True, role=role, **self.wanted)
        taken = time.perf_counter() - began, _worked() - worked
        assert "changed=0" in said, said
        return taken


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_host_that_is_as_it_shall_be(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(host)
    desk.play("main", facts=True, **desk.wanted)
    rounds = [(desk.timed(True), desk.timed(False)) for _unused in range(ROUNDS)]
    for at, kind in enumerate((f"by the clock (at most {LIMIT} over it)", "of the processor")):
        role, facts = (statistics.median(each[which][at] for each in rounds) for which in (0, 1))
        over = statistics.median(both[0][at] - both[1][at] for both in rounds)
        with capsys.disabled():
            print(f"{role:5.2f} s with the role, {facts:5.2f} s for facts, {over:5.2f} s over it {kind}")
