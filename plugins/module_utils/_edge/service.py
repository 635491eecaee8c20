# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card service: puts every card of a store into its reader and answers for it.

One thread serves all cards. The TPM does one thing at a time, so there is nothing that a second could do.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
import typing as t
from pathlib import Path

from .._card.errors import CardGone
from .._card.face import Face
from .._card.host import CardHost
from .fault import describe
from .fido2.face import PasskeyFace
from .fido2.presence_desk import PresenceDesk
from .options import parse_options
from .owner.face import OwnerFace
from .pkcs11.face import Pkcs11Face
from .seat import Seat
from .vpcd import ReaderGone, Waiting

_log = logging.getLogger("hardbound")

_STORE_INTERVAL = 1.0  # seconds between two looks at the store
_READER_INTERVAL = 0.25  # seconds between two tries to find a reader
_IDLE_AFTER = 0.2  # seconds without a command after which the core may let go of the TPM
_LOOKS = 48  # looks for a next command before one sleeps: some 200 microseconds


class Service:
    """All cards of a store.

    :param host: the store and the TPM behind it
    :param run: folder for ``NNNN.present``
    :param reader: host and port of the first reader slot
    """

    def __init__(self, host: CardHost, run: Path, reader: t.Tuple[str, int]) -> None:
        self._host = host
        self._run = run
        self._reader = reader
        self._seats: t.Dict[int, Seat] = {}
        self._refused: t.Dict[int, object] = {}
        self._kept_out: t.Dict[int, object] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._store_due = 0.0
        self._reader_due = 0.0
        self._idle_due: t.Optional[float] = None
        self._looks = 0
        self._pkcs11: t.Optional[Pkcs11Face] = None
        self._passkeys = PasskeyFace(enabled=False)
        self._owners = OwnerFace("", run)

    def run(self) -> None:
        """Serves until :meth:`stop` is called, then takes all cards out of their readers."""
        for left_over in self._run.glob("*.present"):
            left_over.unlink()
        try:
            while not self._stopping:
                self.step()
        finally:
            self._close()

    def stop(self) -> None:
        self._stopping = True

    def offer_pkcs11(self, face: Pkcs11Face) -> None:
        """Serves programs that ask p11-kit, beside the readers."""
        self._pkcs11 = face
        face.start(self._host, self._selector, self._failed)

    def offer_passkeys(self, face: PasskeyFace) -> None:
        """Makes cards that have passkeys authenticators of the host."""
        self._passkeys = face
        face.start(self._host, self._selector, self._failed)

    def offer_owners(self, face: OwnerFace) -> None:
        """Answers owners who ask about their cards, whichever faces these have."""
        self._owners = face
        face.start(self._host, self._selector, self._failed)

    def _failed(self, error: Exception) -> None:
        _log.error("a face of cards: %s", describe(error))

    def wake_on(self, wakeup: socket.socket) -> None:
        """Ends the wait for readers when the socket becomes readable."""
        self._selector.register(wakeup, selectors.EVENT_READ, None)

    def step(self) -> None:
        """Waits for the next message or deadline, and does what is due."""
        for key, events in self._ready():
            with self._host.glance():
                self._on_event(key, events)
        self._keep_up(time.monotonic())

    def _ready(self) -> t.List[t.Tuple[selectors.SelectorKey, int]]:
        """Returns what there is to do, as soon as there is something, or once a deadline has come.

        Whoever was just answered mostly goes on at once, and to be woken would take longer than a few looks.
        """
        looks, self._looks = self._looks, 0
        for _look in range(looks):
            ready = self._selector.select(0)
            if ready:
                return ready
            os.sched_yield()
        return self._selector.select(self._timeout())

    def _on_event(self, key: selectors.SelectorKey, events: int) -> None:
        if isinstance(key.data, Seat):
            self._serve(key.data, events)
        elif key.data is not None:
            # A program of PKCS#11 asks for a signature in two calls, so half of the work is for either.
            self._answered(key.data.serve(events), whole=False)
        else:
            t.cast(socket.socket, key.fileobj).recv(4096)

    def _timeout(self) -> float:
        due = [self._store_due]
        if any(seat.connection is None for seat in self._seats.values()):
            due.append(self._reader_due)
        if self._idle_due is not None:
            due.append(self._idle_due)
        due += [*self._passkeys.due, *self._owners.due]
        due += [seat.silent_at for seat in self._seats.values() if seat.silent_at is not None]
        return max(0.0, min(due) - time.monotonic())

    def _keep_up(self, now: float) -> None:
        if now >= self._store_due:
            self._store_due = now + _STORE_INTERVAL
            self._look_at_store()
            self._answered(self._passkeys.look(), whole=False)
        self._answered(self._passkeys.tidy(now), whole=False)
        self._owners.tidy(now)
        self._look_at_readers(now)
        if now >= self._reader_due:
            self._reader_due = now + _READER_INTERVAL
            self._find_readers(now)
        if self._idle_due is None and not self._host.is_at_rest:
            self._idle_due = now + _IDLE_AFTER  # nobody was answered: who asked may have gone meanwhile
        if self._idle_due is not None and now >= self._idle_due:
            self._idle_due = None
            self._let_go()

    def _let_go(self) -> None:
        """A TPM that can't be let go is most likely not there; the next command tells."""
        try:
            self._host.idle()
        except Exception as error:
            _log.error("the TPM cannot be let go: %s", describe(error))

    def _look_at_store(self) -> None:
        try:
            numbers = self._host.numbers()
        except Exception as error:
            _log.error("the store cannot be read: %s", describe(error))
            return
        for number in set(self._seats) - set(numbers):
            self._remove(self._seats[number])
        for number, stamp in numbers.items():
            seat = self._seats.get(number)
            if seat is None:
                if self._kept_out.get(number) != stamp:
                    self._add(number, stamp)
            elif seat.stamp != stamp:
                self._check(seat, stamp)

    def _add(self, number: int, stamp: object) -> None:
        """Opens a card. One that cannot be opened is tried again at each look, and complained of once."""
        try:
            card = self._host.open(number)
        except CardGone:
            return
        except Exception as error:
            if self._refused.get(number) != stamp:
                _log.error("card %04d cannot be opened: %s", number, describe(error))
            self._refused[number] = stamp
            return
        self._refused.pop(number, None)
        if not (card.presented and Face.PCSC in card.faces):
            why = "as its faces say" if card.presented else "by the Hello policy under which it was made"
            _log.info("card %04d has no reader, %s", number, why)
            self._kept_out[number] = stamp
            card.close()
            return
        address = (self._reader[0], self._reader[1] + number)
        self._seats[number] = Seat(number, stamp, card, address, self._run / f"{number:04d}.present")
        self._reader_due = 0.0

    def _check(self, seat: Seat, stamp: object) -> None:
        """A changed file is mostly the same card with another PIN or key; a new card under an old number is not."""
        seat.stamp = stamp
        try:
            card = self._host.open(seat.number)
        except CardGone:
            self._remove(seat)
            return
        except Exception as error:
            _log.error("card %04d cannot be read again: %s", seat.number, describe(error))
            self._remove(seat)
            return
        if card.serial == seat.serial and Face.PCSC in card.faces:
            card.close()
            return
        self._remove(seat)
        card.close()
        self._add(seat.number, stamp)

    def _remove(self, seat: Seat) -> None:
        """Ends a card of ours. Whatever its last words, the others go on."""
        self._seats.pop(seat.number, None)
        self._disconnect(seat)
        try:
            seat.card.close()
        except Exception as error:
            _log.debug("card %04d: %s", seat.number, describe(error))
        _log.info("card %04d is out of the store", seat.number)

    def _look_at_readers(self, now: float) -> None:
        """Frees a reader that waits for an answer: the whole of pcscd waits with it."""
        for seat in self._seats.values():
            try:
                if seat.connection is not None:
                    seat.connection.check(now)
            except Waiting:
                _log.warning("card %04d: a program's APDU of one byte hung pcscd: it is taken out", seat.number)
                seat.ban(now)
                self._disconnect(seat)

    def _find_readers(self, now: float) -> None:
        for seat in self._seats.values():
            if seat.connection is None and now >= seat.connects_at:
                self._connect(seat)

    def _connect(self, seat: Seat) -> None:
        try:
            seat.connect()
        except (ReaderGone, OSError) as error:
            _log.debug("card %04d has no reader: %s", seat.number, error)
            return
        connection = seat.connection
        if connection is not None:
            self._selector.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, seat)

    def _serve(self, seat: Seat, events: int) -> None:
        try:
            self._answered(seat.serve(events))
        except ReaderGone as error:
            _log.debug("card %04d lost its reader: %s", seat.number, error)
            self._disconnect(seat)
        except CardGone:
            self._remove(seat)
        else:
            self._watch(seat)

    def _answered(self, commands: int, whole: bool = True) -> None:
        """Uses the time until the next command."""
        if commands:
            self._looks = _LOOKS
            self._idle_due = time.monotonic() + _IDLE_AFTER
            self._host.prepare(whole)

    def _watch(self, seat: Seat) -> None:
        """Asks the selector for writability only while there is something to write."""
        connection = seat.connection
        if connection is None:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_to_write else 0)
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events, seat)

    def _disconnect(self, seat: Seat) -> None:
        if seat.connection is None:
            return
        self._selector.unregister(seat.connection.socket)
        try:
            seat.disconnect()
        except (CardGone, OSError) as error:
            _log.debug("card %04d: %s", seat.number, describe(error))

    def _close(self) -> None:
        for seat in list(self._seats.values()):
            self._disconnect(seat)
        self._passkeys.stop()
        self._owners.stop()
        if self._pkcs11 is not None:
            self._pkcs11.stop()
        self._selector.close()
        try:
            self._host.close()
        except Exception as error:
            _log.error("the TPM cannot be closed: %s", describe(error))


def main(argv: t.Sequence[str]) -> int:
    """Runs the service until SIGTERM or SIGINT.

    :param argv: the options, without the program's name
    """
    options = parse_options(argv)
    logging.basicConfig(level=options.log_level, format="%(levelname)s %(message)s")
    service = Service(CardHost(options.store, options.policy), Path(options.run), options.vpcd)
    with _ended_by_signals(service):
        service.offer_pkcs11(Pkcs11Face(options.pkcs11, not options.keep_root_out, options.sign_in))
        service.offer_passkeys(PasskeyFace(options.passkeys, desk=PresenceDesk(options.presence)))
        service.offer_owners(OwnerFace(options.owners, Path(options.run)))
        service.run()
    return 0


@contextlib.contextmanager
def _ended_by_signals(service: Service) -> t.Iterator[None]:
    """A signal writes to a socket that the selector watches: no wait goes on after it."""
    receiver, sender = socket.socketpair()
    with receiver, sender:
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        service.wake_on(receiver)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_unused: service.stop())
        yield
        signal.set_wakeup_fd(-1)
