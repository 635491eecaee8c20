# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs packages, and writes down which came along that were not there before.

Arguments: the file of these names, and the packages in a row.
"""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

_GET = ["apt-get", "--quiet", "--yes", "--option", "DPkg::Lock::Timeout=300"]


def installed() -> t.Set[str]:
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the role's own words
    lines = done.stdout.splitlines()
    return {line.split()[1] for line in lines if line.startswith("installed ")}


def main(path: str, wanted: t.Sequence[str]) -> int:
    before = installed()
    for command in (["update"], ["install", "--no-install-recommends", *wanted]):
        done = subprocess.run([*_GET, *command], check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - the role's own words
    came = installed() - before
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            came |= set(file.read().split())
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in sorted(came)))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2].split()))
