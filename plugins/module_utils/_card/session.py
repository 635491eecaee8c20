# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of a card in use: its record, the TPM behind it, and who has been let in."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from .._tpm.errors import STALE_TICKET, TpmError
from .._tpm.session import Ticket
from .._tpm.storage_root import FoundKey
from .._tpm.workbench import SavedKey, Workbench
from .admin_gate import Administrator
from .errors import Blocked, CardGone, NotVerified, PinDue, WrongSecret
from .gate import Contents, Gates, Opened
from .kept import Kept, KeyPlace, secrets_of
from .pin_record import Due
from .record import Record, State
from .store import Stamp, Store


class CardSession:
    """What the parts of a :class:`~.card.Card` share.

    It ends at once when another process changes the card's secrets or destroys the card.

    :param bench: of the TPM that holds the card
    :raises CardGone: here and by every look at :attr:`record`, once the card is destroyed
    """

    def __init__(self, store: Store, bench: Workbench, number: int, kept: t.Optional[Kept] = None) -> None:
        self.store = store
        self.bench = bench
        self.tpm = bench.tpm
        self.number = number
        self.opened: t.Optional[Opened] = None
        """What the verified PIN has brought."""
        self.due: t.Optional[Due] = None
        """Why the verified PIN can do nothing but be changed."""
        self.administrator: t.Optional[Administrator] = None
        self.kept = Kept() if kept is None else kept
        """What outlives a logout."""
        self._is_stale = False
        """Whether something may be loaded in the TPM that nobody may use any more."""
        self._stamp = store.stamp(number)
        self.known = self.read()
        """The record as it was last seen."""

    def read(self) -> Record:
        """Returns the record from the disk, and notices nothing."""
        record = self.store.read(self.number)
        if record.state is not State.READY:
            raise CardGone(f"The card {record.name!r} is being made or destroyed.")
        return record

    @property
    def record(self) -> Record:
        """The card's record as the disk has it now. What another process has changed ends what it has to.

        That costs the TPM nothing: what is loaded in it leaves at the next :meth:`turn`, and can't be used until then.
        """
        stamp = self.store.stamp(self.number)
        if stamp != self._stamp:
            self._notice(stamp)
        return self.known

    def _notice(self, stamp: t.Optional[Stamp]) -> None:
        try:
            record = self.read()
        except CardGone:
            self._end()
            raise
        if record.administration != self.known.administration:
            self.end_administration()
        if secrets_of(record) != secrets_of(self.known):
            self._end()
        self._stamp = stamp
        self.known = record

    def _end(self) -> None:
        """Ends what anybody may do, without the TPM."""
        self.opened = self.administrator = None
        self.kept.forget()
        self._is_stale = True

    def write(self, record: Record) -> None:
        """Writes what this process changed; its own session goes on."""
        self.store.write(record)
        self.known = record
        self._stamp = self.store.stamp(self.number)

    @contextlib.contextmanager
    def supposing(self, record: Record) -> t.Iterator[None]:
        """For a block, takes a record for the card's that is not on the disk. Held like :meth:`changing`."""
        before, self.known = self.known, record
        try:
            yield
        finally:
            self.known = before

    def revise(self, revision: t.Callable[[Record], Record]) -> None:
        """Changes the record without the TPM."""
        with self.store.changing(self.number):
            self.write(revision(self.record))

    @property
    def saved_keys(self) -> t.Dict[KeyPlace, SavedKey]:
        """Keys that were loaded, by their places."""
        return self.kept.keys

    @contextlib.contextmanager
    def counting(self) -> t.Iterator[None]:
        """Lets all programs know that a try was spent: what they know of the counters is no longer so."""
        try:
            yield
        except (WrongSecret, Blocked):
            self.store.touch(self.number)
            raise

    @contextlib.contextmanager
    def turn(self) -> t.Iterator[None]:
        """Takes the TPM, and gives it back if another program waits."""
        self.tpm.acquire()
        try:
            if self._is_stale:
                self._is_stale = False
                self.bench.clear()
            yield
        finally:
            if self.tpm.wanted:
                self.tpm.release()

    @contextlib.contextmanager
    def changing(self) -> t.Iterator[Gates]:
        """Held while the card's record and the TPM change together."""
        with self.store.changing(self.number), self.making_room() as gates:
            yield gates

    @contextlib.contextmanager
    def making_room(self) -> t.Iterator[Gates]:
        """Takes the TPM, and keeps nothing in it that could be in the way of what is made there."""
        with self.turn():
            gates = Gates(self.tpm, self.record)
            self.bench.clear()
            yield gates

    def contents_by(
        self, ticket: Ticket, open_key: t.Callable[[bytes], bytes], root: FoundKey
    ) -> t.Callable[[], Contents]:
        """Returns what reads the SECRET index, once it is called for the first time, by the PIN's ticket.

        :param open_key: gives K to whoever knows what the index holds
        :param root: the storage root key
        """

        @functools.cache
        def contents() -> Contents:
            held = contextlib.nullcontext() if self.tpm.is_held else self.turn()
            with self.noticing_stale_tickets(), held:
                gates = Gates(self.tpm, self.known)
                secret = gates.secret_again(ticket, self.bench, root)
                return gates.contents(open_key(secret), secret)

        return contents

    @contextlib.contextmanager
    def noticing_stale_tickets(self) -> t.Iterator[None]:
        """:raises NotVerified: if a ticket of the TPM is over, and so the session"""
        try:
            yield
        except TpmError as error:
            if error.reason not in STALE_TICKET:
                raise
            self.close()
            raise NotVerified("The authentication is over: authenticate again.") from error

    def require_pin(self) -> Opened:
        """:raises NotVerified, PinDue: unless a PIN that is good for more than its change is verified"""
        if self.opened is None:
            raise NotVerified("The PIN has not been verified: verify it first.")
        if self.due is not None:
            raise PinDue(self.due.value)
        return self.opened

    def require_administrator(self) -> Administrator:
        """:raises NotVerified: unless somebody has answered the challenge"""
        if self.administrator is None:
            raise NotVerified("Nobody has authenticated with the admin key: do that first.")
        return self.administrator

    def require_either(self) -> Opened:
        """:raises NotVerified, PinDue: with neither administrator nor PIN"""
        self.look()
        return self.administrator.opened if self.administrator else self.require_pin()

    def look(self) -> None:
        """Looks whether another process has ended the session."""
        self.record  # noqa: B018  Reading it does that.

    def logout(self) -> None:
        """Ends what a verified PIN may do. A key that is loaded asks for the PIN anew, until it leaves the TPM."""
        self.opened = None
        if self.tpm.is_held:
            self.bench.leave()

    def end_administration(self) -> None:
        self.administrator = None

    def close(self) -> None:
        """Also has the keys leave the TPM; only their contexts stay."""
        self.logout()
        self.end_administration()
        if self.tpm.is_held:
            self.bench.clear()
