# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python of a host in foreign hands: it runs modules, and changes what they say."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys


def main() -> int:
    done = subprocess.run(["/usr/bin/python3", *sys.argv[1:]], stdin=sys.stdin, capture_output=True, check=False)
    output = done.stdout
    if os.environ["ABOUT"].encode() in output:
        path = pathlib.Path(os.environ["LIE"])
        spec = importlib.util.spec_from_file_location("lie", path)
        assert spec and spec.loader
        lie = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(lie)
        start = output.index(b"{")
        answer = json.loads(output[start:])
        lie.tell(answer)
        output = output[:start] + json.dumps(answer).encode() + b"\n"
    sys.stdout.buffer.write(output)
    sys.stderr.buffer.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
