# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command on a terminal, and types a line each time that it asks for something; prints what was on the screen.

typist.py LINE,LINE,... COMMAND...
"""

from __future__ import annotations

import os
import pty
import re
import sys
import termios
import typing as t

ASKS = re.compile(rb"(:|\(press TAB for no echo\))( |\x1b\[[0-9;?]*[a-zA-Z])*$")
"""Programs end a question with a colon, systemd with words about its echo, and either may change colours after that."""


def main(answers: t.List[str], command: t.List[str]) -> int:
    child, terminal = pty.fork()
    if not child:
        os.execvp(command[0], command)
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    asked = b""
    while True:
        try:
            seen = os.read(terminal, 1024)
        except OSError:  # the last program has closed it
            seen = b""
        if not seen:
            break
        sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
        sys.stdout.flush()
        asked = (asked + seen)[-80:]
        if ASKS.search(asked) and answers:
            os.write(terminal, answers.pop(0).encode() + b"\n")
            asked = b""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2:]))
