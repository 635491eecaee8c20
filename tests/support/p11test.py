# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSC's p11test, which Debian ships as source alone: built once from that of the release, and kept."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import typing as t

_NEEDS = ("apt-get", "dpkg-source", "cc")
_APT = pathlib.Path("/etc/apt")
_BUILD = """
cd {folder}/opensc-*/ && touch src/config.h
cc -w -O1 -DENABLE_OPENSSL -DHAVE_DLFCN_H '-DPACKAGE_VERSION=""' '-DDEFAULT_PKCS11_PROVIDER=""' \\
    -Isrc -Isrc/tests/p11test -o {program} src/tests/p11test/p11test*.c -lcmocka -lcrypto -ldl
"""


def p11test() -> t.Tuple[t.Optional[pathlib.Path], str]:
    """Returns the program, or None and why there is none."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hardbound"
    program = cache / "p11test"
    if program.exists():
        return program, ""
    missing = [each for each in _NEEDS if shutil.which(each) is None]
    if missing:
        return None, f"needs {', '.join(missing)}"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        apt = _apt(folder)
        script = f"{apt} update; cd {folder} && {apt} source opensc && {_BUILD.format(folder=folder, program=program)}"
        done = subprocess.run(
            ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    return (None, f"p11test was not built: {done.stdout[-300:]}") if done.returncode else (program, "")


def _apt(folder: pathlib.Path) -> str:
    """Returns apt-get as it fetches sources from where the host's packages are from, and leaves the host's lists."""
    for place in ("parts", "lists/partial"):
        (folder / place).mkdir(parents=True)
    for file in [_APT / "sources.list", *(_APT / "sources.list.d").iterdir()]:
        if file.suffix in (".list", ".sources") and file.exists():
            told = re.sub(r"^(Types:.*|deb(?= ))", _as_source, file.read_text(), flags=re.MULTILINE)
            (folder / "parts" / file.name).write_text(told)
    places = {"Etc::sourcelist": "/dev/null", "Etc::sourceparts": folder / "parts", "State::lists": folder / "lists"}
    return " ".join(["apt-get -q", *(f"-o Dir::{name}={path}" for name, path in places.items())])


def _as_source(found: t.Match[str]) -> str:
    return "Types: deb-src" if found[0].startswith("Types") else "deb-src"
