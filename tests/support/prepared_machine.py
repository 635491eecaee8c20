# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a machine that the role tpm_host has prepared is kept, and until when."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import pathlib
import shutil
import typing as t

from ansible_collections.hardbound.identity.tests.support.machine_image import Image
from ansible_collections.hardbound.identity.tests.support.machine_lab import Outfit

_ROOT = pathlib.Path(__file__).parents[2]
_DIGITS = 12


class Home(t.NamedTuple):
    """The folder of a prepared machine, beside the image that it stands upon."""

    image: pathlib.Path
    outfit: str
    collection: str

    @property
    def folder(self) -> pathlib.Path:
        return self._named(self.collection)

    def outdated(self) -> t.List[pathlib.Path]:
        """Returns the folders of the same outfit that another state of the collection has prepared."""
        pattern = self._named("[0-9a-f]" * _DIGITS).name
        return [folder for folder in self.image.parent.glob(pattern) if folder != self.folder]

    def _named(self, collection: str) -> pathlib.Path:
        return self.image.with_name(f"{self.image.name}-prepared-{self.outfit}-{collection}")


def home(image: Image, outfit: Outfit) -> Home:
    """Returns where the machine is kept: by its image, the variables of its role, and what the collection is."""
    variables = hashlib.sha256(repr(sorted(outfit.variables.items())).encode())
    return Home(image.folder, variables.hexdigest()[:_DIGITS], _collection())


def _collection() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for name in ("plugins", "roles") for path in (_ROOT / name).rglob("*") if path.is_file()):
        if path.suffix != ".pyc":
            digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


@contextlib.contextmanager
def in_use(place: Home, prepare: t.Callable[[pathlib.Path], object]) -> t.Iterator[pathlib.Path]:
    """Gives the folder, which is prepared if it is not there, and keeps it from being removed.

    A machine starts from files of its, as often as it is switched on. So what is outdated is removed only where no
    machine uses it, such as that of another checkout.
    """
    with _lock(place.folder) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not place.folder.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.folder.exists():
                _remove_unused(place.outdated())
                prepare(place.folder)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield place.folder


def _remove_unused(folders: t.Iterable[pathlib.Path]) -> None:
    for folder in folders:
        with _lock(folder) as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


def _lock(folder: pathlib.Path) -> t.IO[str]:
    return pathlib.Path(f"{folder}.lock").open("w")
