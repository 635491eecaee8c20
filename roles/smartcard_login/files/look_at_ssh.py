# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what ssh and sshd of this host make of their files: one connection before the role lays its own, one after.

Arguments: a folder of the role's own, and its other files. Prints JSON: whether there are a client and a server,
"proxy", which is p11-kit's module of all modules, "provider", which is the module that ssh asks for a user other than
root, those of the files that are there, and what sshd does where nothing of a connection is known, by keyword in small
letters; or "fault", if sshd would not start with these files.
"""

from __future__ import annotations

import glob
import json
import os
import pwd
import subprocess
import sys
import typing as t

_SSH, _SSHD = "/usr/bin/ssh", "/usr/sbin/sshd"
_SHUT_IN = "/run/sshd"
"""Where sshd shuts its unprivileged half in. The unit makes it, and a test of the configuration asks for it."""


def keywords(said: str) -> t.Dict[str, str]:
    """Of a keyword that is there more than once the last value counts, and none of those that are looked at is."""
    return {name: value for name, _space, value in (line.partition(" ") for line in said.splitlines())}


def provider() -> str:
    nobody = pwd.getpwnam("nobody")
    alone = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    command = [*alone, _SSH, "-G", "-F", "/etc/ssh/ssh_config", "localhost"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603 - the role's own words
    return keywords(done.stdout).get("pkcs11provider", "")


def server() -> t.Dict[str, t.Any]:
    there = os.path.isdir(_SHUT_IN)
    if not there:
        os.mkdir(_SHUT_IN, 0o755)
    done = subprocess.run([_SSHD, "-T"], capture_output=True, text=True, check=False)  # noqa: S603 - the role's own words
    if not there:
        os.rmdir(_SHUT_IN)
    return {"said": keywords(done.stdout)} if done.returncode == 0 else {"said": {}, "fault": done.stderr.strip()}


def files(folder: str, others: t.Sequence[str]) -> t.List[str]:
    own = [os.path.join(place, name) for place, _folders, names in os.walk(folder) for name in names]
    return [*(path for path in others if os.path.exists(path)), *sorted(own)]


def look(folder: str, others: t.Sequence[str]) -> t.Dict[str, t.Any]:
    client, there = os.path.exists(_SSH), os.path.exists(_SSHD)
    return {
        "client": client,
        "server": there,
        "proxy": next(iter(sorted(glob.glob("/usr/lib/*/p11-kit-proxy.so"))), ""),
        "provider": provider() if client else "",
        "files": files(folder, others),
        "fault": "",
        **(server() if there else {"said": {}}),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(sys.argv[1], sys.argv[2:])) + "\n")
