# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of a host's cards: one file a card, replaced as a whole, locked while it is changed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import typing as t

from .._errors import StateError
from .._files import locked, remedy_of, remove_durably, write_atomically
from . import record_file
from .errors import CardGone
from .host_policy import PATH as POLICY
from .host_policy import HostPolicy
from .migration import NewerVersion
from .record import Record

DEFAULT_FOLDER = "/var/lib/hardbound"
_FILE = re.compile(r"(\d{4})\.json")
Stamp = t.Tuple[int, int, int]


class _Glance:
    """A block in which a card's file is looked at once."""

    def __init__(self) -> None:
        self.seen: t.Optional[t.Dict[int, t.Optional[Stamp]]] = None
        """What was seen of cards' files, within the block."""

    def __enter__(self) -> None:
        self.seen = {}

    def __exit__(self, *_unused: object) -> None:
        self.seen = None


class Store:
    """:param folder: absolute path; made by whoever sets the host up
    :param policy: file of the host's Hello policy
    """

    def __init__(self, folder: str = DEFAULT_FOLDER, policy: str = POLICY) -> None:
        self.folder = folder
        self._policy = policy
        self._cards = os.path.join(folder, "cards")
        self._glance = _Glance()

    def prepare(self) -> None:
        """Makes the folder of the cards if it is missing.

        :raises StateError: if the store can't be written
        """
        try:
            if not os.path.isdir(self._cards):
                os.makedirs(self._cards, mode=0o750)
                if os.geteuid() == 0:
                    owner = os.stat(self.folder)
                    os.chown(self._cards, owner.st_uid, owner.st_gid, follow_symlinks=False)
        except OSError as error:
            raise self._refused("made", error) from error
        if not os.access(self._cards, os.W_OK | os.X_OK):
            raise self._refused("written", PermissionError(errno.EACCES, os.strerror(errno.EACCES)))

    def _refused(self, what: str, error: OSError) -> StateError:
        return StateError(f"the store {self.folder} can't be {what} ({error.strerror})", remedy_of(error))

    def path(self, number: int) -> str:
        return f"{self._cards}/{number:04d}.json"

    def host_policy(self) -> HostPolicy:
        """Returns what the host asks of its cards now.

        :raises StateError: if its file can't be used
        """
        return HostPolicy.load(self._policy)

    def numbers(self) -> t.List[int]:
        """Returns the numbers of all cards, in whichever state, in ascending order.

        :raises StateError: if the store can't be read
        """
        try:
            names = os.listdir(self._cards)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._refused("read", error) from error
        matches = (_FILE.fullmatch(name) for name in names)
        return sorted(int(match.group(1)) for match in matches if match)

    def stamp(self, number: int) -> t.Optional[Stamp]:
        """Returns what changes when a card's file is replaced, or None if there is none. One system call."""
        seen = self._glance.seen
        if seen is None:
            return self._look(number)
        if number not in seen:
            seen[number] = self._look(number)
        return seen[number]

    def _look(self, number: int) -> t.Optional[Stamp]:
        try:
            status = os.stat(self.path(number))
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def glance(self) -> t.ContextManager[None]:
        """For a block that answers one request, looks at a card's file once, unless this process changes the card."""
        return self._glance

    def _look_again(self, number: int) -> None:
        if self._glance.seen is not None:
            self._glance.seen.pop(number, None)

    def read(self, number: int) -> Record:
        """Returns a card's record, brought up to date if an older release wrote it; the file stays as it is.

        :raises CardGone: if there is none
        :raises StateError: if it can't be read, is damaged, or was written by a newer release
        """
        path = self.path(number)
        try:
            with open(path, "rb") as file:
                return record_file.load(file.read())
        except FileNotFoundError as error:
            raise CardGone(f"There is no card {number:04d} in {self.folder}.") from error
        except OSError as error:
            raise StateError(f"the card file {path} can't be read ({error.strerror})", remedy_of(error)) from error
        except NewerVersion as error:
            remedy = "update the collection, and apply the role hardbound.identity.tpm_host again"
            raise StateError(f"the card file {path} can't be used: {error}", remedy) from error
        except ValueError as error:
            remedy = "restore it from a backup, or remove the file and its NV indices"
            raise StateError(f"the card file {path} can't be used: {error}", remedy) from error

    def records(self) -> t.List[Record]:
        return [self.read(number) for number in self.numbers()]

    def write(self, record: Record) -> None:
        """Writes a record, durably.

        :raises StateError: if the disk refuses
        """
        try:
            write_atomically(self.path(record.number), record_file.dump(record))
        except OSError as error:
            raise self._refused("written", error) from error
        finally:
            self._look_again(record.number)

    def touch(self, number: int) -> None:
        """Has every program that watches a card's file look again, where that may be touched."""
        with contextlib.suppress(OSError):
            os.utime(self.path(number), follow_symlinks=False)
        self._look_again(number)

    def remove(self, number: int) -> None:
        """Removes a record and its lock, which the caller holds."""
        remove_durably(self.path(number))
        self._look_again(number)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._lock(number))

    def changing_all(self) -> t.ContextManager[None]:
        """Held while cards come and go."""
        return locked(os.path.join(self._cards, "store.lock"))

    @contextlib.contextmanager
    def changing(self, number: int) -> t.Iterator[None]:
        """Held while one card's record or secrets change."""
        with locked(self._lock(number)):
            self._look_again(number)
            yield

    def _lock(self, number: int) -> str:
        return os.path.join(self._cards, f"{number:04d}.lock")
