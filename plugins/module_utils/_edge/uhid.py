# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/dev/uhid: a HID device that a program plays. Linux, Documentation/hid/uhid.rst and include/uapi/linux/uhid.h."""

from __future__ import annotations

import contextlib
import enum
import os
import struct
import typing as t

from .._errors import StateError

PATH = "/dev/uhid"
LARGEST_EVENT = 4380
"""Bytes of a struct uhid_event."""
_PACKET = 64
_BUS_USB = 0x03
"""linux/input.h. libfido2 looks at no other bus."""
_DESCRIPTOR = bytes.fromhex("06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0")
"""The report descriptor of CTAP 2.1, clause 11.2.8.2: reports of 64 bytes in and out, on usage page F1D0."""
_TYPE = struct.Struct("=I")
_CREATE = struct.Struct("=I128s64s64sHHIIII")
_INPUT = struct.Struct("=IH")
_OUTPUT = struct.Struct("=I4096sHB")
_GET_REPORT = struct.Struct("=II")
_GET_REPLY = struct.Struct("=IIHH")
_SET_REPLY = struct.Struct("=IIH")
_NOT_SUPPORTED = 95  # EOPNOTSUPP


class UhidEvent(enum.IntEnum):
    """enum uhid_event_type."""

    DESTROY = 1
    OUTPUT = 6
    GET_REPORT = 9
    GET_REPORT_REPLY = 10
    CREATE2 = 11
    INPUT2 = 12
    SET_REPORT = 13
    SET_REPORT_REPLY = 14


class Uhid:
    """A FIDO device of a host, which is there until it is closed.

    :param descriptor: of /dev/uhid, opened
    :param name: what programs show of it, at most 127 bytes
    :param place: its physical path, at most 63 bytes, and so is ``serial``
    """

    def __init__(self, descriptor: int, name: str, place: str, serial: str) -> None:
        self._descriptor = descriptor
        texts = (name.encode()[:127], place.encode()[:63], serial.encode()[:63])
        head = _CREATE.pack(UhidEvent.CREATE2, *texts, len(_DESCRIPTOR), _BUS_USB, 0, 0, 1, 0)
        os.write(descriptor, head + _DESCRIPTOR)

    def fileno(self) -> int:
        return self._descriptor

    def send(self, packet: bytes) -> None:
        """Sends a packet to the programs that have the device open."""
        os.write(self._descriptor, _INPUT.pack(UhidEvent.INPUT2, len(packet)) + packet)

    def receive(self) -> t.Optional[bytes]:
        """Takes one event. Returns the packet that a program has sent, if it was that.

        :raises OSError: if the kernel has no such device any more
        """
        try:
            event = os.read(self._descriptor, LARGEST_EVENT)
        except BlockingIOError:
            return None
        if len(event) < _TYPE.size:
            raise OSError(0, "/dev/uhid was closed")
        kind = _TYPE.unpack_from(event)[0]
        if kind == UhidEvent.OUTPUT and len(event) >= _OUTPUT.size:
            return _packet(event)
        if kind == UhidEvent.GET_REPORT:
            self._answer(_GET_REPLY.pack(UhidEvent.GET_REPORT_REPLY, _identifier(event), _NOT_SUPPORTED, 0))
        elif kind == UhidEvent.SET_REPORT:
            self._answer(_SET_REPLY.pack(UhidEvent.SET_REPORT_REPLY, _identifier(event), _NOT_SUPPORTED))
        return None

    def _answer(self, reply: bytes) -> None:
        """A program that asks for what a FIDO device has not would wait for the kernel's five seconds."""
        os.write(self._descriptor, reply)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, _TYPE.pack(UhidEvent.DESTROY))
        os.close(self._descriptor)


def _identifier(event: bytes) -> int:
    return int(_GET_REPORT.unpack_from(event)[1])


def _packet(event: bytes) -> bytes:
    """The kernel hands on the number of the report in front, which is 0 where there is but one."""
    _kind, data, size, _type = _OUTPUT.unpack_from(event)
    data = data[:size]
    return bytes(data[1:] if size == _PACKET + 1 else data)


def open_uhid(path: str = PATH) -> int:
    """:raises StateError: where there is none, as in containers"""
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        remedy = "apply the role tpm_host with tpm_host_passkeys: true, on a host with a kernel of its own"
        raise StateError(f"{path} can't be opened ({error.strerror})", remedy) from error
