# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium on a display, by its DevTools protocol, and its own dialogs, which that leaves out, by the keyboard.

Run as a program, it starts the browser that its arguments name, visits the address that standard input holds as JSON,
gives the PIN to whatever card Chromium asks for, takes the certificate that is offered first, and prints what it saw::

    {"address": ..., "pin": ...} -> {"asked": how often for a PIN, "page": ..., "certificates": the names of all}

With ``"meet"``, a folder, it keeps appointments there: ``open``, before it visits anything, ``asked``, before it types
a PIN, and ``in``, when it sees the page.
"""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import sys
import time
import typing as t

OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--password-store=basic")
_PIPES = ("sh", "-c", 'exec "$@" 3<&0 4<&0 0</dev/null', "sh")
"""Chromium reads commands from file descriptor 3, and answers on 4; each ends with a zero byte."""
_UNLOCK = "Unlock Security Device"
_MANAGER = "chrome://certificate-manager/clientcerts/platformclientcerts"
_NAMES = """
(() => {
    const names = [];
    const read = node => {
        if (typeof node.displayName === "string" && node.checkVisibility()) names.push(node.displayName);
        for (const each of [...(node.shadowRoot?.children ?? []), ...node.children]) read(each);
    };
    read(document);
    return names;
})()
"""
"""The entries of that page that are shown: its other lists, such as of roots, are there and hidden."""
_PATIENCE = 120.0  # seconds
_INTERVAL = 0.1  # seconds


class Chromium:
    """Chromium on the display that DISPLAY names.

    :param command: that starts it; its profile is not the user's own, where it would take no commands
    :param patience: seconds for all that it is asked
    """

    def __init__(self, command: t.Sequence[str], patience: float = _PATIENCE) -> None:
        self._end = time.monotonic() + patience
        self._socket, theirs = socket.socketpair()
        whole = [*_PIPES, *command, *OPTIONS, "--remote-debugging-pipe"]
        self._process = subprocess.Popen(whole, stdin=theirs.fileno())
        theirs.close()
        self._socket.settimeout(_INTERVAL)
        self._buffer = b""
        self._answers: t.Dict[int, t.Any] = {}
        self._number = 0
        self._session = ""
        page = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]

    def send(self, method: str, **parameters: t.Any) -> int:
        """Returns the number of the command, which its answer has, too."""
        self._number += 1
        message: t.Dict[str, t.Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.sendall(json.dumps(message).encode() + b"\0")
        return self._number

    def answer(self, number: int) -> t.Any:
        """Returns the answer to a command, or None while there is none."""
        try:
            self._buffer += self._socket.recv(1 << 16)
        except socket.timeout:
            assert time.monotonic() < self._end, "Chromium does not answer"
        *messages, self._buffer = self._buffer.split(b"\0")
        self._answers.update((each["id"], each) for each in map(json.loads, messages) if "id" in each)
        found = self._answers.pop(number, None)
        assert found is None or "error" not in found, found
        return found and found["result"]

    def ask(self, method: str, **parameters: t.Any) -> t.Any:
        number = self.send(method, **parameters)
        while True:
            answer = self.answer(number)
            if answer is not None:
                return answer

    def run(self, script: str) -> t.Any:
        """Returns what a script of the page gives."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def visit(self, address: str, pin: str, before: t.Callable[[], None] = lambda: None) -> int:
        """Visits an address and does what Chromium asks its user for. Returns how often it asked for a PIN.

        :param before: what is done before a PIN is typed
        """
        number, asked = self.send("Page.navigate", url=address), 0
        while self.answer(number) is None:
            dialogs = _windows()
            for window in (each for each, title in dialogs.items() if title == _UNLOCK):
                before()
                xdotool("windowfocus", window, "type", pin)
                xdotool("key", "Return")
                asked += 1
                while window in _windows():
                    time.sleep(_INTERVAL)
            if "" in dialogs.values():  # the certificates, to choose from
                xdotool("key", "Return")
        return asked

    def certificates(self) -> t.List[str]:
        """Returns the names of its user's certificates, as its own page lists them, once there are any."""
        self.ask("Page.navigate", url=_MANAGER)
        names: t.List[str] = []
        while not names:
            names = self.run(_NAMES) or []
        return names

    def close(self) -> None:
        self.send("Browser.close")
        self._process.wait()


def _windows() -> t.Dict[str, str]:
    """The browser's windows that are shown, and their titles. The whole display is nobody's window."""
    found = xdotool("search", "--onlyvisible", "--name", ".*").split()
    return {each: xdotool("getwindowname", each).strip() for each in found if xdotool("getwindowpid", each)}


def xdotool(*arguments: str) -> str:
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    # Beside a machine's programs, where it is no program, this file stands alone.
    from ansible_collections.hardbound.identity.tests.support import appointment

    wanted = json.load(sys.stdin)

    def meet(name: str) -> None:
        if "meet" in wanted:
            appointment.keep(pathlib.Path(wanted["meet"]) / name)

    chromium = Chromium(sys.argv[1:])
    meet("open")
    asked_for_pin = chromium.visit(wanted["address"], wanted["pin"], lambda: meet("asked"))
    page = chromium.run("document.documentElement.outerText")
    meet("in")
    print(json.dumps({"asked": asked_for_pin, "page": page, "certificates": chromium.certificates()}))
    chromium.close()
