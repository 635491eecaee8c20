# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card service in a thread, with sockets in the place of /dev/uhid, and what the kernel knows of devices."""

from __future__ import annotations

import pathlib
import socket
import struct
import threading
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.face import PasskeyFace
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.presence_desk import PresenceDesk
from ansible_collections.hardbound.identity.plugins.module_utils._edge.service import Service
from ansible_collections.hardbound.identity.plugins.module_utils._edge.uhid import LARGEST_EVENT, UhidEvent
from ansible_collections.hardbound.identity.tests.support.waiting import until
from fido2.hid.base import parse_report_descriptor


class Device:
    """What the kernel knows of one HID device, and a program's way to it."""

    def __init__(self, kernel: socket.socket) -> None:
        self._kernel = kernel
        self._kernel.settimeout(30)
        created = kernel.recv(LARGEST_EVENT)
        kind, name, place, serial, size, bus = struct.unpack_from("=I128s64s64sHH", created)
        assert (kind, bus, parse_report_descriptor(created[280:])) == (UhidEvent.CREATE2, 3, (64, 64))
        assert len(created) == 280 + size
        self.name, self.place, self.serial = (each.rstrip(b"\0").decode() for each in (name, place, serial))

    def write_packet(self, packet: bytes) -> None:
        """As hidraw's users do: the report's number in front."""
        data = b"\0" + packet
        self._kernel.send(struct.pack("=I4096sHB", UhidEvent.OUTPUT, data, len(data), 1))

    def read_packet(self) -> bytes:
        kind, size = struct.unpack_from("=IH", event := self._kernel.recv(LARGEST_EVENT))
        assert (kind, size, len(event)) == (UhidEvent.INPUT2, 64, 70)
        return event[6:]

    def ask_for_report(self) -> bytes:
        self._kernel.send(struct.pack("=IIBB", UhidEvent.GET_REPORT, 77, 0, 0).ljust(LARGEST_EVENT, b"\0"))
        return self._kernel.recv(LARGEST_EVENT)

    @property
    def is_gone(self) -> bool:
        assert self._kernel.recv(LARGEST_EVENT) == struct.pack("=I", UhidEvent.DESTROY)
        return self._kernel.recv(LARGEST_EVENT) == b""

    def end(self) -> None:
        self._kernel.close()


class Machine:
    """A host whose card service runs in a thread.

    :param desk: where sessions wait to be asked
    """

    def __init__(self, folder: pathlib.Path, store: str, desk: t.Optional[PresenceDesk] = None) -> None:
        self._plugged_in: t.List[socket.socket] = []
        self._taken = 0
        folder.mkdir()
        self._host = CardHost(store, str(folder / "no policy"))
        self.service = Service(self._host, folder, ("127.0.0.1", 1))
        self.service.offer_passkeys(PasskeyFace(True, self._open, desk))
        self._thread = threading.Thread(target=self.service.run)
        self._thread.start()

    def _open(self) -> int:
        ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._plugged_in.append(kernel)
        ours.setblocking(False)
        return ours.detach()

    def next(self) -> Device:
        """The next device that is plugged in."""
        until(lambda: len(self._plugged_in) > self._taken, "nothing was plugged in")
        self._taken += 1
        return Device(self._plugged_in[self._taken - 1])

    @property
    def count(self) -> int:
        return len(self._plugged_in)

    def stop(self) -> None:
        self.service.stop()
        self._thread.join()
