# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may see a reader and use the card in it, asked of a real polkitd as pcscd of Debian 13 asks it."""

from __future__ import annotations

import os
import pathlib
import pwd
import shutil
import signal
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.access import Holder, render
from ansible_collections.hardbound.identity.tests.support.waiting import until

OWNER, OTHER, MALLORY = "games", "news", "www-data"  # accounts of every Debian; the last one holds no card
SEE, USE = "org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card"
HOLDERS = [Holder(0, "Work", OWNER), Holder(1, "Door", "", OTHER)]
READERS = {OWNER: "Work, Door 00 00", OTHER: "Work, Door 00 01"}
ACTIONS = f"""<?xml version="1.0"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD polkit Policy Configuration 1.0//EN"
  "http://www.freedesktop.org/software/polkit/policyconfig-1.dtd">
<policyconfig>
  <action id="{SEE}"><defaults><allow_any>%s</allow_any></defaults></action>
  <action id="{USE}"><defaults><allow_any>no</allow_any></defaults></action>
</policyconfig>
"""
START = """
set -e
for folder in /etc/polkit-1/rules.d /usr/share/polkit-1/rules.d /usr/share/polkit-1/actions; do
    mkdir -p $folder
    mount -t tmpfs -o mode=755 tmpfs $folder
done
cp {folder}/pcsc.policy /usr/share/polkit-1/actions/
cp {folder}/50-hardbound.rules /etc/polkit-1/rules.d/
dbus-daemon --config-file=/usr/share/dbus-1/system.conf --address=unix:path={folder}/bus \\
    --nofork --nopidfile --nosyslog &
while [ ! -S {folder}/bus ]; do sleep 0.05; done
exec /usr/lib/polkit-1/polkitd --no-debug
"""


class Polkit:
    """polkitd with these rules, on a bus and with folders of its own.

    :param default: what the system says of who may talk to pcscd, yes or no, where no rule does
    """

    def __init__(self, folder: pathlib.Path, rules: str, default: str) -> None:
        folder.chmod(0o711)  # polkitd has an account of its own
        (folder / "50-hardbound.rules").write_text(rules)
        (folder / "pcsc.policy").write_text(ACTIONS % default)
        self._environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus"}
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", START.format(folder=folder)],
            env=self._environment,
            start_new_session=True,
        )
        until(lambda: self.lets("root", SEE), "polkitd does not answer")

    def lets(self, user: str, action: str, reader: str = "") -> bool:
        """Whether a process of the user may do it. The reader comes along as pcscd tells it."""
        account = pwd.getpwnam(user)
        process = subprocess.Popen(
            ["sleep", "60"], user=account.pw_uid, group=account.pw_gid, extra_groups=[account.pw_gid]
        )
        details = ["--detail", "reader", reader] if reader else []
        command = ["pkcheck", "--action-id", action, "--process", str(process.pid), *details]
        try:
            return subprocess.run(command, env=self._environment, capture_output=True, check=False).returncode == 0
        finally:
            process.kill()
            process.wait()

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def polkit(short_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and other users' processes")
    for program in ("/usr/lib/polkit-1/polkitd", "pkcheck", "dbus-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, as in Debian's packages polkitd and dbus-daemon")
    started = []

    def start(everyone, default):
        started.append(Polkit(short_path, render(HOLDERS, everyone), default))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.mark.parametrize(
    ("everyone", "default", "strangers"),
    [(None, "no", False), (None, "yes", True), (False, "yes", False), (True, "no", True)],
)
def test_who_sees_readers_and_who_uses_cards(polkit, everyone, default, strangers):
    polkit = polkit(everyone, default)
    users = (OWNER, OTHER, MALLORY)
    assert [polkit.lets(user, SEE) for user in users] == [True, True, strangers]
    for holder, reader in READERS.items():
        assert [user for user in users if polkit.lets(user, USE, reader)] == [holder]
    assert polkit.lets("root", USE, READERS[OWNER])
    # A reader that is none of ours is left to the system's own rules, which let nobody in here.
    assert not polkit.lets(OWNER, USE, "Token 00 00")
