# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the card service, in one release or another, laid down on a host as the role does it."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import typing as t

ROLE = pathlib.Path(__file__).parents[2] / "roles" / "tpm_host" / "files"
SOURCE = pathlib.Path(__file__).parents[2] / "plugins" / "module_utils"
_LIBRARY = pathlib.PurePosixPath("_edge/pkcs11/general.py")
Texts = t.Mapping[str, str]
"""Files of a program, by their paths."""


def today() -> Texts:
    """Returns the program as it is."""
    command = [sys.executable, "-I", str(ROLE / "program_files.py"), str(ROLE / "card_service.py"), str(SOURCE)]
    listed = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {path: (SOURCE / path).read_text() for path in listed}


def older() -> Texts:
    """Returns a program whose files are all other ones, which says so of itself, and has one file more."""
    texts = {path: f"{text}# of an older release\n" for path, text in today().items()}
    texts[str(_LIBRARY)] += '_LIBRARY = padded("of an older release", 32)\n'
    return {**texts, "_dropped.py": ""}


class LaidProgram:
    """:param folder: where it is laid down"""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        (folder / "hardbound_identity").mkdir(parents=True)
        shutil.copy(ROLE / "card_service.py", folder)
        self._laid: Texts = {}

    @property
    def start(self) -> str:
        """Code that starts it, with no compiled file beside."""
        entry = str(self._folder / "card_service.py")
        return f"import runpy, sys; sys.dont_write_bytecode = True; runpy.run_path({entry!r}, run_name='__main__')"

    def lay(self, texts: Texts) -> None:
        """Lays a release down in the place of another."""
        job = {"write": dict(texts), "remove": sorted(set(self._laid) - set(texts))}
        command = [sys.executable, "-I", str(ROLE / "lay_program.py"), str(self._folder / "hardbound_identity")]
        subprocess.run(command, input=json.dumps(job), text=True, check=True, stdout=subprocess.DEVNULL)
        self._laid = texts
