# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with people, their cards, and this Debian's own PAM with the profile that the role writes.

SSSD does not run there, so that nobody gets in but by password.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pexpect
import pytest
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.owner_command import lay_command
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.sign_in_host import PAM
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["PASSWORD", "PromptHost", "answer", "lay_profile", "profile", "sign_in", "write_profile", "write_templates"]

PEOPLE = ("alice", "bob")
PASSWORD = "correct horse"
PIN_ASKED, PASSWORD_ASKED = "PIN for .*: ", "assword.*: "
"""What SSSD asks for, and what PAM does."""
_ROLE = COLLECTION / "roles/smartcard_login"
_PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: /usr/bin/python3}
  vars_files: [ROLE/defaults/main.yml, ROLE/vars/main.yml]
  tasks:
    - ansible.builtin.template: {src: "ROLE/templates/{{ item }}.j2", dest: "{{ target }}/{{ item }}", mode: "0644"}
      loop: "{{ templates }}"
"""
PATIENCE = 15
"""Seconds. On a busy machine the service takes long."""


class PromptHost:
    """:param host: of the cards; in its mount namespace people have accounts, and PAM the role's profile
    :param profile: its text, where FOLDER stands for this host's own
    """

    def __init__(self, host: Host, profile: str) -> None:
        self.host = host
        self.machine = host.machine
        self.folder = host.machine.folder
        self.folder.chmod(0o711)
        (self.folder / "home").mkdir()
        lay_command(self.folder / "lib")
        for program in ("change_due_pin.py", "fetch_crls.py", "get_ticket.py", "signals.py"):
            shutil.copy(_ROLE / "files" / program, self.folder / "lib")
        self._lay_over("/etc")
        self._lay_over("/var/log")  # A directory's users have high numbers, and make lastlog gigabytes of nothing.
        self.machine.cover(*PAM, "/var/cache/debconf")
        self._open_accounts()
        self.machine.run("tee", "/etc/sudoers.d/people", stdin=f"{','.join(PEOPLE)} ALL=(ALL:ALL) ALL\n")
        lay_profile(self.machine, profile.replace("FOLDER", str(self.folder)))
        assert "change_due_pin" in self.machine.run("cat", "/etc/pam.d/common-auth")

    def _lay_over(self, folder: str) -> None:
        """Has a folder be this host's own. A file mounted over alone is lost when somebody outside renames it."""
        layers = str(self.folder / f"over{folder.replace('/', '-')}")
        os.mkdir(layers)
        self.machine.run("mount", "-t", "tmpfs", "tmpfs", layers)
        self.machine.run("mkdir", f"{layers}/upper", f"{layers}/work")
        options = f"lowerdir={folder},upperdir={layers}/upper,workdir={layers}/work"
        self.machine.run("mount", "-t", "overlay", "overlay", "-o", options, folder)

    def _open_accounts(self) -> None:
        hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True)
        lines: t.Dict[str, t.List[str]] = {"passwd": [], "shadow": [], "group": []}
        for number, name in enumerate(PEOPLE, 61000):
            lines["passwd"].append(f"{name}:x:{number}:{number}::{self.folder}/home:/bin/bash\n")
            lines["shadow"].append(f"{name}:{hashed.stdout.strip()}:19000:0:99999:7:::\n")
            lines["group"].append(f"{name}:x:{number}:\n")
        for file, more in lines.items():
            self.machine.run("tee", "--append", f"/etc/{file}", stdin="".join(more))

    def start(self, *options: str) -> None:
        self.host.start("--owners", str(self.folder / "owners"), *options)
        until((self.folder / "owners").exists)

    def sudo(self, user: str = "alice") -> t.Any:
        """Has somebody become root, who then says so."""
        return self.spawn("sudo", "-k", "sh", "-c", "echo in as $(id -un)", user=user)

    def spawn(self, *command: str, user: str = "") -> t.Any:
        """Runs a program at a terminal of its own, as root or as somebody else."""
        inside = self.machine._inside(*(["runuser", "-u", user, "--"] if user else []), *command)
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        return Terminal(inside[0], inside[1:], encoding="utf-8", timeout=3 * PATIENCE, cwd="/", env=environment)


def lay_profile(machine: CardMachine, profile: str) -> None:
    """Has pam-auth-update enable a profile."""
    machine.run("tee", "/usr/share/pam-configs/hardbound", stdin=profile)
    machine.run("env", "DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package", "--enable", "hardbound")


class Terminal(pexpect.spawn):
    """A terminal that may be hung up and opened again, as Debian 13's login does: vhangup(2)."""

    def read_nonblocking(self, *arguments: t.Any, **options: t.Any) -> t.Any:
        while True:
            try:
                return super().read_nonblocking(*arguments, **options)
            except pexpect.EOF:
                self.flag_eof = False
                if not self.isalive():
                    raise
                time.sleep(0.05)


def answer(terminal: t.Any, *prompts: t.Tuple[str, str], known: t.Sequence[str]) -> str:
    """Answers prompts, which have to come in this order, and returns what was shown.

    :param known: what may come instead: then something is wrong, and nobody waits for the prompt
    """
    shown = ""
    for prompt, text in prompts:
        found = terminal.expect([prompt, *known, pexpect.EOF])
        shown += terminal.before + str(terminal.after)
        assert found == 0, f"expected {prompt}, got {shown}"
        terminal.sendline(text)
    return shown


def is_asked_for_a_pin(terminal: t.Any, password: str = PASSWORD_ASKED) -> bool:
    """Whether that is asked for first at a terminal, which is closed then.

    SSSD asks for none at once after its start, or after what it knows of somebody has changed.
    """
    found = terminal.expect([PIN_ASKED, password])
    terminal.close(force=True)
    return int(found) == 0


def write_profile(folder: Path, **variables: t.Any) -> str:
    """Returns the profile as Ansible writes it, but for FOLDER in the place of a host's folders."""
    return write_templates(folder, "profile", **variables)[0]


def write_templates(folder: Path, *names: str, **variables: t.Any) -> t.List[str]:
    """Returns files as Ansible writes them by the role's templates, but for FOLDER in the place of a host's folders."""
    play = folder / "play.yml"
    play.write_text(_PLAY.replace("ROLE", str(_ROLE)))
    values = {
        "target": str(folder),
        "templates": names,
        "__smartcard_login_lib": "FOLDER/lib",
        "__smartcard_login_program_files": "FOLDER/lib",
        "__smartcard_login_owners": "FOLDER/owners",
        "__smartcard_login_patience": PATIENCE,
        "__smartcard_login_policy": "FOLDER/hello_policy.json",
        **variables,
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.skip("needs ansible-playbook beside this Python")
    command = [str(program), "--inventory", "localhost,", "--extra-vars", json.dumps(values), str(play)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return [(folder / name).read_text() for name in names]


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def sign_in(host: Host, profile: str) -> PromptHost:
    needs("sudo", "login", "pam-auth-update")
    return PromptHost(host, profile)
