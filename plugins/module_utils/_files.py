# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that survive a power cut, and locks between processes.

Whatever root writes into a folder belongs to the folder's owner, so that a service without root's
rights can go on with it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
import typing as t

from ._errors import StateError

PRIVATE = 0o600

_REMEDIES: t.Mapping[int, str] = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room in its owner's quota",
    errno.EROFS: "name a place that can be written",
    errno.ENOTDIR: "name a folder, which a file's path can't lead through",
    errno.EISDIR: "name a file, not a folder",
}


def remedy_of(error: OSError) -> str:
    """Returns what helps a person whose file or folder the system refused, as an imperative clause.

    Rights are the remedy of those alone who lack them: root is not told to become root.
    """
    if isinstance(error, PermissionError):
        return "use become" if os.geteuid() else "look for what keeps root out: attributes, a mount, a container"
    return _REMEDIES.get(error.errno or 0, "check the path")


def write_atomically(path: str, data: bytes, mode: int = PRIVATE) -> None:
    """Replaces a file as a whole: after a crash it holds the old bytes or the new ones.

    :raises OSError: if the folder can't be written
    """
    folder = os.path.dirname(path)
    fd, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, mode)
            give_to_folder_owner(fd, folder)
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def remove_durably(path: str) -> None:
    """Removes a file if it is there, and makes that last."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def give_to_folder_owner(fd: int, folder: str) -> None:
    if os.geteuid() == 0:
        owner = os.stat(folder)
        os.fchown(fd, owner.st_uid, owner.st_gid)


def open_lock(path: str) -> int:
    """Opens, and if need be makes, a file to lock. The caller closes it.

    :raises StateError: for a link. Root gives the file to the folder's owner, and no other file that they could name so
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(path) from error
        raise
    if os.fstat(fd).st_nlink > 1:
        os.close(fd)
        raise _link(path)
    give_to_folder_owner(fd, os.path.dirname(path))
    return fd


def _link(path: str) -> StateError:
    return StateError(f"{path} is a link, and a file to lock is none", "remove it, and find out who has made it")


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Holds an exclusive lock between processes; the kernel drops it if the process dies.

    Whoever holds it may remove the file: who has waited for it meanwhile takes the file that is there then.
    """
    fd = _lock(path)
    while not _is_at(fd, path):
        os.close(fd)
        fd = _lock(path)
    try:
        yield
    finally:
        os.close(fd)


def _lock(path: str) -> int:
    fd = open_lock(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False
