# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cards of a host that are authenticators: each is a HID device of its own, while the card service runs."""

from __future__ import annotations

import logging
import os
import selectors
import typing as t

from ..._card.errors import CardGone
from ..._card.host import CardHost
from ..._card.record import Record, State
from ..uhid import Uhid, open_uhid
from . import cbor
from .authenticator import Authenticator, Failed
from .hid import HidDevice
from .presence import Ask
from .presence_desk import PresenceDesk

_log = logging.getLogger("hardbound")

Open = t.Callable[[], int]
_PLACE = "hardbound/"
"""What the physical path of a card's device begins with; its number follows. The role's udev rule knows it by that."""


class PasskeySeat:
    """A card and its HID device."""

    def __init__(self, card: t.Any, descriptor: int, stamp: object, failed: Failed, ask: Ask) -> None:
        self.card = card
        self.stamp = stamp
        self.whose = _whose(card.record)
        self._authenticator = Authenticator(card, failed)
        self.uhid = Uhid(descriptor, f"hardbound {card.name}", f"{_PLACE}{card.number:04d}", card.serial.hex())
        self._device = HidDevice(self._authenticator, self.uhid.send, ask=ask)

    def serve(self, _events: int) -> int:
        """Takes an event of the kernel's. Returns how many messages were answered."""
        packet = self.uhid.receive()
        return int(packet is not None and self._device.receive(packet))

    @property
    def due(self) -> t.Optional[float]:
        return self._device.due

    def tidy(self) -> int:
        """Ends what is over by now. Returns how many messages were answered."""
        answered = self._device.tidy()
        self._authenticator.tidy()
        return int(answered)

    def close(self) -> None:
        self._device.close()
        self.uhid.close()
        self.card.close()


def _whose(record: Record) -> t.Tuple[bytes, str, str]:
    """What is said of a card when it is plugged in, so that udev lets its owner and its group in."""
    return record.serial, record.owner, record.group


class PasskeyFace:
    """:param enabled: whether the host shows cards so
    :param opened: opens /dev/uhid
    :param desk: where users' sessions wait to be asked, where cards want that
    """

    def __init__(self, enabled: bool, opened: Open = open_uhid, desk: t.Optional[PresenceDesk] = None) -> None:
        self._enabled = enabled
        self._opened = opened
        self._desk = desk or PresenceDesk("")
        self._seats: t.Dict[int, PasskeySeat] = {}
        self._refused: t.Dict[int, object] = {}

    def start(self, host: CardHost, selector: selectors.BaseSelector, failed: Failed) -> None:
        """:raises StateError: where cbor2 is missing"""
        if self._enabled:
            cbor.require()
            self._desk.start(selector)
        self._host, self._selector, self._failed = host, selector, failed

    def look(self) -> int:
        """Looks at the store: plugs in the cards that have come, unplugs those that have gone, ends what is over.

        Returns how many messages were answered.
        """
        if not self._enabled:
            return 0
        numbers, answered = self._host.numbers(), 0
        for number, seat in list(self._seats.items()):
            answered += seat.tidy()
            if numbers.get(number) != seat.stamp and not self._goes_on(number, seat, numbers.get(number)):
                self._unplug(number)
        for number, stamp in numbers.items():
            if number not in self._seats and self._refused.get(number) != stamp:
                self._refused[number] = stamp
                self._plug_in(number, stamp)
        return answered

    def _goes_on(self, number: int, seat: PasskeySeat, stamp: object) -> bool:
        """Whether a card whose file has changed still is the one that was plugged in."""
        record = self._shown(number)
        seat.stamp = stamp
        return record is not None and _whose(record) == seat.whose

    def _shown(self, number: int) -> t.Optional[Record]:
        """The record of a card that shall be an authenticator."""
        try:
            record = self._host.record(number)
        except CardGone:
            return None
        shown = record.state is State.READY and record.presented and record.passkeys
        return record if shown else None

    def _plug_in(self, number: int, stamp: object) -> None:
        try:
            if self._shown(number) is None:
                return
            seat = self._seat(number, stamp)
        except Exception as error:
            self._failed(error)
            return
        self._seats[number] = seat
        self._selector.register(seat.uhid, selectors.EVENT_READ, _Served(self, number, seat))
        _log.info("card %04d is a FIDO2 authenticator", number)

    def _seat(self, number: int, stamp: object) -> PasskeySeat:
        descriptor = self._opened()
        try:
            return PasskeySeat(self._host.open(number), descriptor, stamp, self._failed, self._desk.ask)
        except BaseException:
            os.close(descriptor)
            raise

    def lost(self, number: int, error: OSError) -> None:
        """The kernel took a device away: it is plugged in anew at the next look."""
        self._failed(error)
        self._unplug(number)
        self._refused.pop(number, None)

    def _unplug(self, number: int) -> None:
        seat = self._seats.pop(number)
        self._selector.unregister(seat.uhid)
        self._refused.pop(number, None)
        try:
            seat.close()
        except CardGone:
            pass
        except Exception as error:
            self._failed(error)
        _log.info("card %04d is no FIDO2 authenticator any more", number)

    @property
    def due(self) -> t.List[float]:
        """When something has to be ended."""
        return [seat.due for seat in self._seats.values() if seat.due is not None]

    def tidy(self, now: float) -> int:
        """Ends what is due. Returns how many messages were answered."""
        due = [seat for seat in self._seats.values() if seat.due is not None and now >= seat.due]
        return sum(seat.tidy() for seat in due)

    def stop(self) -> None:
        for number in list(self._seats):
            self._unplug(number)
        if self._enabled:
            self._desk.stop()


class _Served:
    """What the selector knows of a seat."""

    def __init__(self, face: PasskeyFace, number: int, seat: PasskeySeat) -> None:
        self._face = face
        self._number = number
        self._seat = seat

    def serve(self, events: int) -> int:
        try:
            return self._seat.serve(events)
        except OSError as error:
            self._face.lost(self._number, error)
            return 0
