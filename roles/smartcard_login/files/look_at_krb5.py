# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what there is of Kerberos on this host: one connection before the role lays its files, one after.

Arguments: path of Kerberos' configuration, a package, a realm or nothing, and files of the role's own. Prints JSON:
"text" and "mode" of the configuration, with a character for each byte, or null where it is no file of its own; "proxy",
which is p11-kit's module of all modules; whether the package is installed; those of the files that are there; and what
MIT Kerberos' library makes of the configuration: "identities", where it looks for certificates, or "fault".
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import stat
import subprocess
import sys
import typing as t

_PROFILE = "pkinit_identities"


def configuration(path: str) -> t.Dict[str, t.Any]:
    """A link would be replaced by a file, so what one leads to counts for nothing here."""
    if not os.path.isfile(path) or os.path.islink(path):
        return {"text": None, "mode": ""}
    with open(path, encoding="latin-1", newline="") as file:
        return {"text": file.read(), "mode": f"{stat.S_IMODE(os.fstat(file.fileno()).st_mode):04o}"}


def installed(package: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the role's own words
    return done.stdout == "installed"


class Library:
    """MIT Kerberos' library, as it reads the configuration.

    :raises OSError: if this host has none
    """

    def __init__(self) -> None:
        self._krb5 = ctypes.CDLL("libkrb5.so.3")
        self._krb5.krb5_get_error_message.restype = ctypes.c_void_p
        self._context, self._profile = ctypes.c_void_p(), ctypes.c_void_p()

    def fault(self) -> str:
        """Returns why it does not take the configuration; empty if it does."""
        code = self._krb5.krb5_init_context(ctypes.byref(self._context))
        code = code or self._krb5.krb5_get_profile(self._context, ctypes.byref(self._profile))
        message = ctypes.cast(self._krb5.krb5_get_error_message(None, code), ctypes.c_char_p).value or b""
        return message.decode(errors="replace") if code else ""

    def identities(self, *place: str) -> str:
        """Returns the first value of a section, and of a realm in it."""
        found = ctypes.c_char_p()
        names = [name.encode() for name in (*place, _PROFILE)]
        names += [None] * (3 - len(names))  # type: ignore[list-item]
        self._krb5.profile_get_string(self._profile, *names, None, ctypes.byref(found))
        return (found.value or b"").decode(errors="replace")


def judged(realm: str) -> t.Dict[str, str]:
    try:
        library = Library()
    except OSError:
        return {"fault": "", "identities": ""}
    fault = library.fault()
    place = ("realms", realm) if realm else ("libdefaults",)
    return {"fault": fault, "identities": "" if fault else library.identities(*place)}


def look(path: str, package: str, realm: str, *own: str) -> t.Dict[str, t.Any]:
    proxy = next(iter(sorted(glob.glob("/usr/lib/*/p11-kit-proxy.so"))), "")
    there = [each for each in own if os.path.exists(each)]
    return {**configuration(path), "proxy": proxy, "package": installed(package), "files": there, **judged(realm)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(*sys.argv[1:])) + "\n")
