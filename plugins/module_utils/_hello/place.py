# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a policy document is kept: in a file, replaced in one step, or nowhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Mapping, Tuple

from .._errors import StateError
from .._files import remedy_of, remove_durably, write_atomically

# More than any policy needs, less than what would hurt to read.
LONGEST = 16 * 1024 * 1024
_PUBLIC = 0o644


class NoPlace:
    """Keeps nothing: a document to be returned."""

    title = "policy"
    chores: Tuple[str, ...] = ()
    warnings: Tuple[str, ...] = ()

    def load(self) -> bytes:
        return b""

    def store(self, document: bytes) -> Mapping[str, object]:
        return self.report()

    def report(self) -> Mapping[str, object]:
        return {}


@dataclass(frozen=True)
class FilePlace(NoPlace):
    """A file. One that is there keeps its mode and owner; a new one can be read by everybody."""

    path: str
    make_folder: bool = False

    @property
    def title(self) -> str:  # type: ignore[override]
        return self.path

    def load(self) -> bytes:
        """Returns the file's bytes, none if there is no file.

        :raises StateError: if it can't be read, or is far too long
        """
        try:
            with open(self.path, "rb") as file:
                document = file.read(LONGEST + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StateError(f"{self.path} can't be read ({error.strerror})", remedy_of(error)) from None
        if len(document) > LONGEST:
            raise StateError(f"{self.path} has more than {LONGEST} bytes", "give the path of a policy file")
        return document

    def store(self, document: bytes) -> Mapping[str, object]:
        """Replaces the file as a whole. No bytes remove it.

        :raises StateError: if the folder is missing or doesn't let it
        """
        # What a link points to is replaced, not the link.
        path = os.path.realpath(self.path)
        try:
            if self.make_folder:
                os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            if document:
                _replace(path, document)
            else:
                remove_durably(path)
        except OSError as error:
            raise StateError(f"{self.path} can't be written ({error.strerror})", remedy_of(error)) from None
        return self.report()

    def report(self) -> Mapping[str, object]:
        return {"dest": self.path}


def _replace(path: str, document: bytes) -> None:
    try:
        before = os.stat(path)
    except FileNotFoundError:
        write_atomically(path, document, _PUBLIC)
        return
    write_atomically(path, document, before.st_mode & 0o7777)
    if os.geteuid() == 0:
        os.chown(path, before.st_uid, before.st_gid)
