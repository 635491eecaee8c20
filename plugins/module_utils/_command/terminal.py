# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the command writes, and where it reads secrets: never from its arguments, never from its environment."""

from __future__ import annotations

import getpass
import json
import os
import sys
import termios
import typing as t

from .exit_code import CommandError, ExitCode


class NothingGiven(CommandError):
    """Somebody was asked for a secret, and typed none."""

    def __init__(self, what: str) -> None:
        super().__init__(ExitCode.USAGE, f"Nothing was given for the {what}.")


class Terminal:
    """:param as_json: whether programs read what is written"""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def tell(self, answer: t.Mapping[str, t.Any], lines: t.Iterable[str]) -> None:
        """Writes an answer: the one for programs, or the other for people."""
        whole = json.dumps(answer, indent=2) if self._as_json else "\n".join(map(_shown, lines))
        self._write(whole + "\n" if whole else "")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def complain(self, error: CommandError) -> None:
        """Writes why the command ends."""
        if self._as_json:
            told = {"error": {"code": int(error.code), "layer": error.code.layer, "message": str(error)}}
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
        else:
            sys.stderr.write(f"hardbound-card: {_shown(str(error))}\n")

    def ask(self, what: str) -> str:
        """Returns a secret that is typed without echo, or the next line where no terminal is the standard input.

        :raises NothingGiven:
        """
        secret = self._secret(f"{_shown(what)}: ")
        if not secret:
            raise NothingGiven(what)
        return secret

    def _secret(self, prompt: str) -> str:
        """Returns nothing where somebody leaves."""
        try:
            return getpass.getpass(prompt) if self._is_typed else sys.stdin.readline().rstrip("\n")
        except (EOFError, KeyboardInterrupt):
            return ""

    @property
    def _is_typed(self) -> bool:
        return sys.stdin.isatty()

    def ask_new(self, what: str) -> str:
        """Returns a new secret, typed twice.

        :raises NothingGiven:
        :raises CommandError: if it was typed in two ways
        """
        first = self.ask(f"new {what}")
        if self._is_typed and self.ask(f"new {what} again") != first:
            raise CommandError(ExitCode.USAGE, f"The new {what} was typed in two ways: nothing was changed.")
        return first


def _shown(line: str) -> str:
    """Websites and CAs choose names, and no name shall say something to the terminal."""
    return "".join(each if each.isprintable() else "?" for each in line)


class BorrowedTerminal(Terminal):
    """The terminal of a program that waits for this one. Signals of its keys go there, so Ctrl-C is a key like others.

    :param descriptor: of the terminal
    """

    _is_typed = True

    def __init__(self, descriptor: int) -> None:
        super().__init__(as_json=False)
        self._descriptor = descriptor

    def _secret(self, prompt: str) -> str:
        before = termios.tcgetattr(self._descriptor)
        quiet = list(before)
        quiet[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        try:
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, quiet)
            self._write(prompt)
            return self._line()
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, before)
            self._write("\n")

    def _write(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def _line(self) -> str:
        """Returns what was typed until Enter; nothing, where somebody leaves."""
        typed = b""
        while True:
            key = os.read(self._descriptor, 1)
            if not key or key in _LEAVE:
                return ""
            if key in _ENTER:
                return typed.decode(errors="replace")
            typed = b"" if key == _CLEAR else typed[:-1] if key in _ERASE else typed + key


_LOCAL_MODES = 3
"""Where tcgetattr() has them: termios(3), c_lflag."""
_ENTER, _ERASE, _CLEAR = b"\r\n", b"\b\x7f", b"\x15"
_LEAVE = b"\x03\x04\x1a\x1c"
"""Ctrl-C, Ctrl-D, Ctrl-Z and Ctrl-\\."""
