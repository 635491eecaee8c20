# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another release of Debian in a folder, for its programs: made once with mmdebstrap, and kept."""

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
GNUPG = ("scdaemon", "gpg", "gpgsm", "gpg-agent", "gpgconf", "pcscd")
"""What administers a card with GnuPG, and a pcscd that speaks the same PC/SC protocol."""
CLIENT = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"


def debian_root(
    suite: str, programs: t.Sequence[str] = PROGRAMS, wanted: str = CLIENT
) -> t.Tuple[t.Optional[pathlib.Path], str]:
    """Returns the folder of a suite, or None and why there is none.

    :param programs: packages
    :param wanted: a file of the last of them
    """
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hardbound"
    root = cache / (f"debian-{suite}" if programs == PROGRAMS else f"debian-{suite}-{programs[0]}")
    if (root / wanted[1:]).exists():
        return root, ""
    if shutil.which("mmdebstrap") is None or os.geteuid() != 0:
        return None, "needs mmdebstrap, and root"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(programs)}", suite, str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return (None, f"mmdebstrap failed: {done.stdout[-200:]}") if done.returncode else (root, "")
