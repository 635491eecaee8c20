# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/signin_programs.md has people type, typed at a terminal."""

from __future__ import annotations

import re
import subprocess
import typing as t

import pexpect
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.owner_command import lay_command
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host
from ansible_collections.hardbound.identity.tests.support.waiting import until

_PAGE = (COLLECTION / "docs/signin_programs.md").read_text()
_SERVER = {
    "https://server": "https://localhost:44330",
    "server:443": "localhost:44330",
    "443 server": "44330 localhost",
}
"""What the page calls a server, and where this one is."""
_PATIENCE = 30
"""Seconds."""


def blocks(section: str, language: str = "console") -> t.List[str]:
    """Returns the fenced blocks of a section, where PROXY is this computer's."""
    part = _PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [each.replace("PROXY", PROXY) for each in re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)]


def typed(section: str, which: int = 0) -> str:
    """Returns the commands of one of a section's consoles, as a script."""
    return "\n".join(re.findall(r"^\$ ((?:.*\\\n)*.*)$", blocks(section)[which], re.MULTILINE))


def prompt(section: str, which: int, card: str) -> str:
    """Returns what the page says that a program asks, as a pattern: slots have any number."""
    asked = re.escape(blocks(section)[which].splitlines()[-1].replace("Alice", card))
    return re.sub(r"Slot\\ \d+", r"Slot \\d+", asked)


class Owner:
    """Somebody at a terminal, whose card is at hand, with a web server that wants to see its certificate.

    :param inside: what goes before each command, such as a chroot
    """

    def __init__(self, host: Host, *inside: str) -> None:
        self._host, self._inside = host, inside
        self._folder = host.machine.folder
        lay_command(self._folder / "lib")
        log = (self._folder / "server.log").open("ab")
        self._server = subprocess.Popen(host.machine._inside(*host.web_server().split()), stdout=log, stderr=log)
        until(lambda: ":44330 " in host.machine.run("ss", "-tln"), (self._folder / "server.log").read_text)
        for file in blocks("curl", "ini"):
            (self._folder / "card.cnf").write_text(file)

    def leave(self) -> None:
        self._server.terminate()
        self._server.wait()

    def _told(self) -> str:
        """Returns what the real command says of the card."""
        places = ["--socket", str(self._folder / "owners"), "--p11-kit", str(self._host.machine.socket)]
        program = ["/usr/bin/python3", "-IB", str(self._folder / "lib/hardbound_card.py")]
        return self._host.machine.run(*program, "uri", *places)

    def _script(self, section: str, which: int) -> str:
        said = f"hardbound-card() {{ echo '{self._told()}'; }}"
        script = [f"cd {self._folder}", "export HOME=$PWD", "cp server.pem ca.pem", said]
        whole = "\n".join([*script, typed("The names of a key"), typed(section, which)])
        for name, here in _SERVER.items():
            whole = whole.replace(name, here)
        return whole

    def visit(self, section: str, which: int = 0) -> str:
        """Does what a section says, the PIN included where it says who asks, and returns what the server said."""
        address = f"P11_KIT_SERVER_ADDRESS=unix:path={self._host.machine.socket}"
        bash = ["env", address, *self._inside, "bash", "-c", self._script(section, which)]
        command = self._host.machine._inside(*bash)
        terminal = pexpect.spawn(command[0], command[1:], encoding="utf-8", timeout=_PATIENCE)
        [card] = self._host.machine.store.records()
        terminal.expect(prompt(section, which, card.name))
        terminal.waitnoecho()
        terminal.sendline(PIN)
        terminal.send("GET / HTTP/1.0\n\n")
        terminal.expect(r"logged on as ([^\r\n]*)[\r\n]")
        terminal.close(force=True)
        return str(terminal.match[1])
