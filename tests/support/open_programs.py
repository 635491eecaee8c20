# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that stay open while something is done to the card service, and what becomes of them.

Each is ``pkcs11_module.py``, which lies beside. They sign, wait until standard input ends, and sign twice more::

    PIN=... open_programs.py NUMBER MODULE

Prints ``open``, and in the end the answers that came to each of the two questions, and the exit codes.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

PROGRAM = pathlib.Path(__file__).with_name("pkcs11_module.py")


class OpenProgram:
    def __init__(self, module: str) -> None:
        pipe, command = subprocess.PIPE, [sys.executable, str(PROGRAM), module]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def sign(self) -> str:
        """Returns what comes of it; nothing comes of a program that was killed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("sign\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.answer()

    def end(self) -> int:
        self._process.communicate()
        return self._process.returncode


def main(number: int, module: str) -> None:
    programs = [OpenProgram(module) for _each in range(number)]
    if {each.answer() for each in programs} != {"ready"} or _signs(programs) != ["signed"]:
        sys.exit("not all programs can sign")
    print("open", flush=True)
    sys.stdin.read()
    print(_signs(programs), _signs(programs), sorted({each.end() for each in programs}), flush=True)


def _signs(programs: t.Sequence[OpenProgram]) -> t.List[str]:
    return sorted({each.sign() for each in programs})


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
