# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firefox as its own remote control has it: Marionette, protocol 3, a JSON array after its length.

Run as a program beside a Firefox that listens, it carries out the scripts that standard input holds, and prints what
each returns: a JSON array of pairs, a context (``chrome``, ``content``) and a script. A script that is an address is
visited. With the context ``meet`` the script is the path of an appointment, which is kept.
"""

from __future__ import annotations

import json
import pathlib
import socket
import sys
import time
import typing as t

PORT = 2828
_PATIENCE = 120.0  # seconds for Firefox to start


class _DialogOpen(Exception):
    """Firefox asks its user something."""


class _NoDialog(Exception):
    """It does not."""


_REFUSALS = {"unexpected alert open": _DialogOpen, "no such alert": _NoDialog}


class Firefox:
    """A Firefox that listens, or will do so soon.

    :param patience: seconds for its start, and for each answer
    """

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._socket = _connect(patience)
        self._read()
        self._number = 0
        self.ask("WebDriver:NewSession", acceptInsecureCerts=True, unhandledPromptBehavior="ignore")

    def run(self, context: str, script: str) -> t.Any:
        """Returns what a script returns, or the source of the page that it is the address of."""
        self.ask("Marionette:SetContext", value=context)
        if script.startswith("https:"):
            self.ask("WebDriver:Navigate", url=script)
            return self.ask("WebDriver:GetPageSource")
        return self.ask("WebDriver:ExecuteScript", script=script, args=[])

    def look(self, context: str, script: str, *arguments: t.Any) -> t.Any:
        """Returns what a script returns, or None while a dialog is open, or if one opens meanwhile."""
        try:
            self._ask("Marionette:SetContext", {"value": context})
            return self._ask("WebDriver:ExecuteScript", {"script": script, "args": arguments})
        except _DialogOpen:
            return None

    def type(self, identifier: str, text: str) -> None:
        """Types into a field of the page."""
        found = self.ask("WebDriver:FindElement", using="css selector", value=f"#{identifier}")
        self.ask("WebDriver:ElementSendKeys", id=next(iter(found.values())), text=text)

    def dialog(self) -> t.Optional[str]:
        """Returns what the dialog says that is open, or None."""
        try:
            return t.cast(str, self._ask("WebDriver:GetAlertText", {}))
        except _NoDialog:
            return None

    def ask(self, name: str, **parameters: t.Any) -> t.Any:
        """Returns what a command is answered; one that a dialog has come in between of is given again."""
        while True:
            try:
                return self._ask(name, parameters)
            except _DialogOpen:
                time.sleep(0.1)

    def _ask(self, name: str, parameters: t.Dict[str, t.Any]) -> t.Any:
        self._number += 1
        message = json.dumps([0, self._number, name, parameters])
        self._socket.sendall(f"{len(message)}:{message}".encode())
        _kind, _number, error, result = self._read()
        if error:
            kind = _REFUSALS.get(error["error"], RuntimeError)
            raise kind(f"{name}: {error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def _read(self) -> t.Any:
        size = b""
        while not size.endswith(b":"):
            size += self._socket.recv(1)
        data = b""
        while len(data) < int(size[:-1]):
            data += self._socket.recv(1 << 16)
        return json.loads(data)


def _connect(patience: float) -> socket.socket:
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", PORT), patience)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    # Beside a machine's programs, where it is no program, this file stands alone.
    from ansible_collections.hardbound.identity.tests.support import appointment

    firefox = Firefox()
    for context, script in json.load(sys.stdin):
        returned = None
        if context == "meet":
            appointment.keep(pathlib.Path(script))
        else:
            returned = firefox.run(context, script)
        print(json.dumps(returned), flush=True)
    firefox.ask("Marionette:Quit")
