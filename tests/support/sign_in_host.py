# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with accounts of two people, a card each, and parts of the role smartcard_login that Ansible runs there.

The folder /etc is a copy of this computer's, mounted over it in the host's namespaces, and goes with them.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import types
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host

OWNERS = {"alice": "Card of Alice", "bob": "Card of Bob"}
"""People and their cards. Bob's PIN is another than alice's."""
PINS = {"alice": "123456", "bob": "654321"}
PAM = ("/usr/share/pam-configs", "/var/lib/pam")
"""Where pam-auth-update reads, and what it remembers, beside /etc."""
_FIRST = 41000
"""User number of the first of them."""
_PLAY = {
    "hosts": "localhost",
    "connection": "local",
    "gather_facts": False,
    "vars": {"ansible_python_interpreter": "/usr/bin/python3", "ansible_managed": "Ansible"},
}


class SignInHost:
    """A host of two people."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.folder = host.machine.folder
        self.folder.chmod(0o711)
        self.etc = self.folder / "etc"
        subprocess.run(["cp", "--archive", "/etc", str(self.etc)], check=True)
        (self.etc / "pkcs11/modules").mkdir(parents=True, exist_ok=True)
        host.machine.run("mount", "--bind", str(self.etc), "/etc")
        self._accounts()
        self.log = self.folder / "systemctl.log"
        """What systemd was told, which does not run in here."""
        stand_in = self.folder / "systemctl"
        shown = "LoadState=loaded\nActiveState=active"
        stand_in.write_text(f'#!/bin/sh\necho "$@" >> {self.log}\n[ "$1" != show ] || echo "{shown}"\n')
        stand_in.chmod(0o755)
        host.machine.run("mount", "--bind", str(stand_in), "/usr/bin/systemctl")

    def _accounts(self) -> None:
        for number, name in enumerate(OWNERS, _FIRST):
            home = self.home(name)
            home.mkdir(mode=0o700)
            shutil.chown(home, number, 65534)
            for file, line in (
                ("passwd", f"{name}:x:{number}:65534::{home}:/bin/sh\n"),
                ("shadow", f"{name}:*:19000:0:99999:7:::\n"),
            ):
                with (self.etc / file).open("a") as opened:
                    opened.write(line)

    def home(self, name: str) -> pathlib.Path:
        return self.folder / f"home-{name}"

    def give_cards(self, keys: t.Sequence[t.Any], certify: t.Callable[[], None] = lambda: None) -> None:
        """Makes each owner's card, and has p11-kit show it.

        :param certify: gives the cards other certificates before
        """
        for owner, name in OWNERS.items():
            self.host.make(name, owner=owner, keys=keys, pin=PINS[owner])
        certify()
        self.host.register()
        self.host.start()

    def own(self, owner: str, *command: str, **options: t.Any) -> str:
        """Runs a program as one of them, and returns what it prints."""
        home = f"HOME={self.home(owner)}"
        return self.host.run("runuser", "-u", owner, "--", "env", "-C", "/", home, *command, **options)

    def asker(self, owner: str) -> pathlib.Path:
        """Returns a program that gives an owner's PIN to whoever asks, and writes down what was asked."""
        path = self.home(owner) / "asker"
        path.write_text(f'#!/bin/sh\necho "$1" >> {self.home(owner)}/asked\necho {PINS[owner]}\n')
        path.chmod(0o755)
        return path

    def asked(self, owner: str) -> t.List[str]:
        path = self.home(owner) / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def tries(self) -> t.Dict[str, int]:
        records = {record.owner: record for record in self.host.machine.store.records()}
        return {owner: self.host.machine.tries(records[owner])[0] for owner in OWNERS}

    # The role.

    def play(
        self,
        part: str,
        *options: str,
        ok: t.Optional[bool] = True,
        environment: t.Mapping[str, str] = types.MappingProxyType({}),
        facts: bool = False,
        role: bool = True,
        **variables: t.Any,
    ) -> str:
        """Has Ansible run a part of the role, and returns what it says.

        :param facts: whether facts are gathered first
        :param role: whether the role runs at all
        """
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        if not program.exists():
            pytest.skip("needs ansible-playbook beside this Python")
        include = {"name": "hardbound.identity.smartcard_login", "tasks_from": part}
        play = self.folder / "play.yml"
        tasks = [{"ansible.builtin.include_role": include}] if role else []
        whole = {**_PLAY, "gather_facts": facts, "environment": dict(environment), "tasks": tasks}
        play.write_text(json.dumps([whole]))
        collections = next(each for each in sys.path if (pathlib.Path(each) / "ansible_collections/hardbound").exists())
        settings = [
            f"ANSIBLE_COLLECTIONS_PATH={collections}",
            "ANSIBLE_LOCALHOST_WARNING=false",
            "ANSIBLE_NOCOLOR=true",
        ]
        command = [str(program), "-i", "localhost,", str(play), "-e", json.dumps(variables), *options]
        return self.host.machine.run("env", *settings, *command, ok=ok, timeout=300)


def contents(folder: str, host: SignInHost) -> str:
    """Returns names, modes and owners of all in a folder, and the sums of its files."""
    script = (
        'cd "$0" && find . -printf "%p %m %U %G %l\\n" | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum'
    )
    return host.host.machine.run("sh", "-c", script, folder)


def ssh_keygen(*options: t.Any) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, options)], check=True, capture_output=True)


def public_keys(host: SignInHost, owner: str) -> t.List[str]:
    """Returns the keys that ssh finds for an owner."""
    return [line for line in host.own(owner, "ssh-keygen", "-D", PROXY).splitlines() if line.startswith("ecdsa-")]
