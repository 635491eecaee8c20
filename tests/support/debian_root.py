# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release of Debian in a folder, for its programs: made once with debootstrap, and kept."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

PROGRAMS = (
    *("p11-kit", "p11-kit-modules", "opensc", "opensc-pkcs11", "gnutls-bin", "openssh-client"),
    *("openssl", "pkcs11-provider", "curl", "libengine-pkcs11-openssl"),
)
CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"


def debian_root(suite: str) -> t.Tuple[t.Optional[pathlib.Path], str]:
    """Returns the folder of a suite, or None and why there is none."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hardbound"
    root = cache / f"debian-{suite}"
    if (root / CLIENT[1:]).exists():
        return root, ""
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        return None, "needs debootstrap, and root"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PROGRAMS)}", suite, str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return (None, f"debootstrap failed: {done.stdout[-200:]}") if done.returncode else (root, "")
