# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Purges packages that were written down, if nothing else would go with them, and lets SSSD go on with what is left.

Argument: the file of their names, which goes, too. Prints what it does; those that stay are on the error output.
"""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

_SYSTEMCTL = "/usr/bin/systemctl"
_GET = ["/usr/bin/apt-get", "--quiet", "--yes", "--option", "DPkg::Lock::Timeout=300"]


def names(path: str) -> t.List[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split()


def would_go(packages: t.Sequence[str]) -> t.Set[str]:
    command = [*_GET, "--simulate", "purge", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the role's own words
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith(("Remv ", "Purg "))}


def main(path: str) -> None:
    packages = names(path)
    subprocess.run([_SYSTEMCTL, "daemon-reload"], check=True)  # noqa: S603 - the role's own words
    if packages and would_go(packages) <= set(packages):
        command = [*_GET, "purge", *packages]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the role's own words
        sys.stdout.write(f"purged {' '.join(packages)}\n")
    else:
        sys.stderr.write(" ".join(packages))
        # With nothing to serve it stays down.
        command = [_SYSTEMCTL, "try-restart", "sssd.service"]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603 - the role's own words
    if os.path.exists(path):
        os.unlink(path)
        os.rmdir(os.path.dirname(path))


if __name__ == "__main__":
    main(sys.argv[1])
