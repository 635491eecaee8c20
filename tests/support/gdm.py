# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GDM's services of PAM, as Debian's package has them, and a program that goes through one as GDM does.

GDM's greeter wants a seat with a screen of its own, and runs on none that a test could give.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.prompt_host import PromptHost

CHOICES = ("sssd-exclusive", "sssd-or-password")
"""Of what /etc/pam.d/gdm-smartcard is by update-alternatives: Debian 12's own, and Debian 13's."""
IN, OUT = "account management done", "pamtester: (?!successfully authenticated|account management done).*"


class Gdm:
    """:param host: gets the services"""

    def __init__(self, host: PromptHost) -> None:
        needs("pamtester")
        self._host = host
        for name, text in _services().items():
            host.machine.run("tee", f"/etc/pam.d/{name}", stdin=text)

    def choose(self, smartcard: str) -> None:
        link = "/etc/pam.d/gdm-smartcard"
        self._host.machine.run("ln", "--symbolic", "--force", f"{link}-{smartcard}", link)

    def sign_in(self, service: str, user: str) -> t.Any:
        """Begins to sign somebody in. Without a name, the card tells who it is."""
        return self._host.spawn("pamtester", service, user, "authenticate", "acct_mgmt")


@functools.lru_cache
def _services() -> t.Mapping[str, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The package is public, and apt's own user can't write here.
        fetch = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "gdm3"]
        if subprocess.run(fetch, cwd=folder, capture_output=True, check=False).returncode:
            pytest.skip("needs Debian's archive, for the package gdm3")
        (package,) = folder.glob("gdm3_*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(package), str(folder)], check=True)
        return {each.name: each.read_text() for each in (folder / "etc/pam.d").iterdir()}
