# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys at the sign-in, in a copy of this host's files that goes with the test: Debian's pam-auth-update and apt.

There is no systemd in the copy, so that a program of its name stands in for what tells it to look at its units.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a file system in layers"),
    pytest.mark.skipif(shutil.which("pam-auth-update") is None, reason="needs Debian's pam-auth-update"),
]

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: /usr/bin/python3
    __smartcard_login_quiet: {DEBIAN_FRONTEND: noninteractive, LC_ALL: C.UTF-8}
  tasks:
    - ansible.builtin.include_role: {name: hardbound.identity.smartcard_login, tasks_from: passkeys}
"""
LAYERS = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cd "$1/root"
cat >script; cp "$2" play.yml
exec chroot . /bin/bash /script
"""
SCRIPT = """
set -e
export LC_ALL=C.UTF-8 HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/systemctl
dpkg-query --show libpam-u2f >/dev/null 2>&1 && echo "there already" && exit 0
seen() {
    { cd /; find etc usr/share/pam-configs var/lib/pam var/lib/hardbound* -xdev -type f ! -name ld.so.cache -print0 |
        sort -z | xargs -0 sha256sum
      dpkg-query --show --showformat '${db:Status-Status} ${Package}\\n' | grep ^installed; } >"$1" 2>/dev/null
}
play() { PLAYBOOK -i localhost, /play.yml -e "$1" "${@:2}" >/log 2>&1 || { cat /log; exit 1; }; tail -n 2 /log; }
seen /before
play USERS --check; seen /checked; cmp /before /checked
echo on; play USERS
grep pam_u2f /etc/pam.d/common-auth; cat /etc/hardbound-login/passkeys
echo again; play USERS
echo off; play OFF
seen /after; cmp /before /after && echo "as it was"
"""
USERS = {
    "smartcard_login_passkeys": True,
    "smartcard_login_passkey_users": [
        {"name": "alice", "passkeys": ["one,key,es256,+presence+pin", "two,key,es256,+pin"]}
    ],
}


@pytest.mark.parametrize("off", [{"smartcard_login_passkeys": False}, {"smartcard_login_state": "absent"}])
def test_pam_u2f_comes_and_goes_without_a_trace(tmp_path: pathlib.Path, off: t.Mapping[str, t.Any]) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    (tmp_path / "layers").mkdir()
    playbook = pathlib.Path(sys.executable).with_name("ansible-playbook")
    script = SCRIPT.replace("PLAYBOOK", str(playbook))
    for name, variables in (("USERS", USERS), ("OFF", {**USERS, "smartcard_login_state": "present", **off})):
        script = script.replace(name, f"'{json.dumps(variables)}'")
    collections = next(each for each in sys.path if (pathlib.Path(each) / "ansible_collections/hardbound").exists())
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", LAYERS, "layers", str(tmp_path / "layers"), str(play)],
        input=script,
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
        check=False,
    )
    if "there already" in done.stdout:
        pytest.skip("this host has libpam-u2f")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pam_u2f.so pinverification=1 authfile=/etc/hardbound-login/passkeys" in done.stdout
    assert "alice:one,key,es256,+presence+pin:two,key,es256,+pin" in done.stdout
    again = done.stdout.split("again\n")[1].split("off\n")[0]
    assert "changed=0" in again and done.stdout.endswith("as it was\n"), done.stdout
