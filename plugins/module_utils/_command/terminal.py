# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the command writes, and where it reads secrets: never from its arguments, never from its environment."""

from __future__ import annotations

import getpass
import json
import sys
import typing as t

from .exit_code import CommandError, ExitCode


class Terminal:
    """:param as_json: whether programs read what is written"""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, answer: t.Mapping[str, t.Any], lines: t.Iterable[str]) -> None:
        """Writes an answer: the one for programs, or the other for people."""
        whole = json.dumps(answer, indent=2) if self._as_json else "\n".join(lines)
        sys.stdout.write(whole + "\n" if whole else "")
        sys.stdout.flush()

    def complain(self, error: CommandError) -> None:
        """Writes why the command ends."""
        if self._as_json:
            told = {"error": {"code": int(error.code), "layer": error.code.layer, "message": str(error)}}
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
        else:
            sys.stderr.write(f"hardbound-card: {error}\n")

    def ask(self, what: str) -> str:
        """Returns a secret that is typed without echo, or the next line where no terminal is the standard input.

        :raises CommandError: if there is none
        """
        try:
            secret = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        except (EOFError, KeyboardInterrupt):
            secret = ""
        if not secret:
            raise CommandError(ExitCode.USAGE, f"Nothing was given for the {what}.")
        return secret

    def ask_new(self, what: str) -> str:
        """Returns a new secret, typed twice.

        :raises CommandError: if there is none, or it was typed in two ways
        """
        first = self.ask(f"new {what}")
        if sys.stdin.isatty() and self.ask(f"new {what} again") != first:
            raise CommandError(ExitCode.USAGE, f"The new {what} was typed in two ways: nothing was changed.")
        return first
