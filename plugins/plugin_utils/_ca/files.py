# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a CA: whole or not at all, and errors in words."""

from __future__ import annotations

import contextlib
import errno
import typing as t
from pathlib import Path

from ...module_utils._errors import StateError
from ...module_utils._files import PRIVATE, write_atomically

PUBLIC = 0o644

_REMEDIES: t.Mapping[int, t.Tuple[str, str]] = {
    errno.ENOSPC: ("has no room on its disk", "make room, then run again"),
    errno.EDQUOT: ("has no room in its quota", "make room, then run again"),
    errno.EACCES: ("is closed to this user", "run as the user who owns the CA"),
    errno.EPERM: ("is closed to this user", "run as the user who owns the CA"),
    errno.EROFS: ("lies on a read-only file system", "run where it can be written"),
    errno.ENOENT: ("is not there", "restore the CA's folder from a backup"),
    errno.ENOTEMPTY: ("holds other files", "give the CA a folder of its own"),
    errno.ENOTDIR: ("is no folder", "give the CA a folder of its own"),
}


@contextlib.contextmanager
def explained(path: Path) -> t.Iterator[None]:
    """Turns an :class:`OSError` into a :class:`StateError` that names the path and a remedy."""
    try:
        yield
    except OSError as error:
        found, remedy = _REMEDIES.get(error.errno or 0, (f"failed: {error.strerror}", "see to it, then run again"))
        raise StateError(f"{error.filename or path} {found}", remedy) from None


def read(path: Path) -> bytes:
    with explained(path):
        return path.read_bytes()


def write(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Replaces a file as a whole, so that a lost power supply leaves the old or the new content."""
    with explained(path):
        write_atomically(str(path), content, mode)
