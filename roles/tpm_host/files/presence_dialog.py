# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the user of a desktop session whether they are there, when one of their cards wants to know.

It waits at the card service's socket, and shows each question with zenity, one after the other. It ends with the
session: a display that is gone is one that nobody sees.

    presence_dialog.py SOCKET
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from typing import Any, Optional

PAUSE = 5.0  # seconds between two tries to reach the card service, which may be starting
TEXTS = {
    "make": "{relying_party} wants to make a passkey in the card {card}.",
    "use": "{relying_party} wants a passkey of the card {card}.",
    "choose": "A program asks which device you mean. Is it the card {card}?",
    "reset": "A program wants to make the card {card} anew. All that it holds will be gone.",
}


def command(question: dict[str, Any]) -> list[str]:
    """The dialog. What a relying party is called is text, and no markup; Enter says no."""
    text = TEXTS[question["purpose"]].format(**question)
    look = ["--title=Passkey", "--no-markup", "--default-cancel", "--ok-label=_Allow", "--cancel-label=_Refuse"]
    return ["zenity", "--question", "--width=400", *look, f"--text={text}"]


class Dialog:
    """A dialog on the screen. What select(2) waits for is its end."""

    def __init__(self, question: dict[str, Any]) -> None:
        self._process = subprocess.Popen(command(question))  # noqa: S603
        self._descriptor = os.pidfd_open(self._process.pid)

    def fileno(self) -> int:
        return self._descriptor

    def end(self) -> None:
        self._process.terminate()

    def result(self) -> bool:
        """Whether the user allowed it, once the dialog has ended."""
        status = self._process.wait()
        os.close(self._descriptor)
        return status == 0


class Session:
    """:param connection: to the card service"""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ, self._hear)
        self._read = b""
        self._waiting: list[dict[str, Any]] = []
        self._dialog: Optional[Dialog] = None

    def run(self) -> None:
        """Shows questions until the card service has gone.

        :raises ConnectionError: then
        """
        try:
            while True:
                for key, _events in self._selector.select():
                    key.data()
        finally:
            if self._dialog:
                self._dialog.end()
                self._dialog.result()

    def _hear(self) -> None:
        data = self._connection.recv(4096)
        if not data:
            raise ConnectionError("the card service has gone")
        *lines, self._read = (self._read + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, said: dict[str, Any]) -> None:
        if "ask" in said:
            self._waiting.append(said)
        elif self._waiting and self._waiting[0]["ask"] == said["end"] and self._dialog:
            self._dialog.end()
        else:
            self._waiting = [each for each in self._waiting if each["ask"] != said["end"]]
        self._show()

    def _show(self) -> None:
        if self._dialog or not self._waiting:
            return
        self._dialog = dialog = Dialog(self._waiting[0])
        self._selector.register(dialog, selectors.EVENT_READ, lambda: self._finish(dialog))

    def _finish(self, dialog: Dialog) -> None:
        self._selector.unregister(dialog)
        yes, number = dialog.result(), self._waiting.pop(0)["ask"]
        self._dialog = None
        self._connection.sendall(json.dumps({"answer": number, "yes": yes}).encode() + b"\n")
        self._show()


def main(path: str) -> int:
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.connect(path)
                Session(connection).run()
            except OSError:  # the service has gone, or is not there yet
                pass
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
