# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format of p11-kit, by which a PKCS#11 module serves programs from another process.

A request is a number, a signature and values; an answer likewise. A signature has a letter or two for each value:

====== ==========================================================================================
``y``  CK_BYTE
``u``  CK_ULONG, 8 bytes
``v``  CK_VERSION, 2 bytes
``s``  text that fills its field
``z``  text, or NULL
``ay`` bytes, or NULL
``au`` numbers
``fy`` room for bytes in the program's memory, ``fu`` for numbers; 0 asks how much it takes
``aA`` attributes
``fA`` attributes that the program wants, each with its room
``M``  a mechanism and its parameter
``P``  what a mechanism has changed in its parameter: of those that a card knows, none changes anything
====== ==========================================================================================

All numbers are big-endian. Source: p11-kit 0.24.1 to 0.26.5, ``p11-kit/rpc-message.c``.
"""

from __future__ import annotations

import re
import struct
import typing as t

from .p11_kit_attributes import Attribute, read_attributes, read_wanted, write_attributes
from .p11_kit_calls import CALLS, FAILURE, Call
from .p11_kit_mechanism import Mechanism, read_mechanism
from .wire import Reader, WireError

HANDSHAKE = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
"""What a program says in C_Initialize."""

NEWEST = 2
"""The version of the protocol that this module speaks; older ones it does, too."""

_NULL = 0xFFFFFFFF
_PART = re.compile("a[yuA]|f[yuA]|[yuvszMP]")

Value = t.Any
"""What a letter of the signature stands for; :data:`_READERS` and :data:`_WRITERS` say in which type."""


class Fitted(t.NamedTuple):
    """Bytes or numbers, and how many of them the program has room for."""

    value: t.Union[bytes, t.Sequence[int]]
    room: int


class Request(t.NamedTuple):
    """One call with its arguments, in the order of its signature."""

    number: int
    call: Call
    arguments: t.Tuple[Value, ...]


class UnknownCall(Exception):
    """A call that this module does not serve; it is no fault of the program."""


def read_request(body: bytes, version: int) -> Request:
    """Reads the body of a request.

    :param version: what the program has offered: it tells how mechanisms and templates are written
    :raises UnknownCall: for a call that is not in :data:`CALLS`
    :raises UnknownMechanism: for a mechanism whose parameter nobody here can read
    :raises WireError: if it is malformed, in length or signature
    """
    reader = Reader(body, "the request")
    number = reader.u32()
    if number not in _REQUESTS:
        raise UnknownCall(str(number))
    call, signature, readers = _REQUESTS[number]
    if reader.take(len(signature)) != signature:
        raise reader.fault(f"has another signature than {call.name}")
    arguments = tuple([read(reader, version) for read in readers])
    reader.end()
    return Request(number, call, arguments)


def answer(number: int, values: t.Sequence[Value]) -> bytes:
    """Returns the body of an answer, with a value for each part of the call's signature."""
    start, writers = _ANSWERS[number]
    if len(writers) != len(values):
        raise TypeError(f"{CALLS[number].name} is answered by {len(writers)} values, not by {len(values)}")
    return start + b"".join([write(value) for write, value in zip(writers, values)])


def failure(rv: int) -> bytes:
    """Returns the body of an answer that is a CK_RV alone, never CKR_OK."""
    return struct.pack(">I", FAILURE) + _array(b"u") + _number(rv)


def padded(text: str, size: int) -> bytes:
    """Returns a text of ``size`` bytes in UTF-8, cut or filled with spaces: PKCS#11 2.40, clause 3.2."""
    return text.encode()[:size].decode(errors="ignore").encode().ljust(size)


def _read_array(reader: Reader) -> t.Optional[bytes]:
    size = reader.u32()
    return None if size == _NULL else reader.take(size)


def _read_bytes(reader: Reader) -> t.Optional[bytes]:
    if reader.u8():
        return _read_array(reader)
    reader.u32()
    return None


def _read_room(reader: Reader) -> int:
    """Returns how much there is room for. A buffer of no bytes is told from none since 0.25, and answered alike."""
    room = reader.u32()
    return 0 if room == _NULL else room


def _array(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _number(value: int) -> bytes:
    return struct.pack(">Q", value)


def _fitted_bytes(fitted: Fitted) -> bytes:
    value = t.cast(bytes, fitted.value)
    if len(value) > fitted.room:
        return struct.pack(">BI", 0, len(value))
    return b"\1" + _array(value)


def _fitted_numbers(fitted: Fitted) -> bytes:
    count = len(fitted.value)
    if count > fitted.room:
        return struct.pack(">BI", 0, count)
    return struct.pack(">BI", 1, count) + b"".join(map(_number, fitted.value))


_READERS: t.Mapping[str, t.Callable[[Reader, int], Value]] = {
    "y": lambda reader, _version: reader.u8(),
    "u": lambda reader, _version: reader.u64(),
    "z": lambda reader, _version: _read_array(reader),
    "ay": lambda reader, _version: _read_bytes(reader),
    "fy": lambda reader, _version: _read_room(reader),
    "fu": lambda reader, _version: _read_room(reader),
    "aA": lambda reader, _version: read_attributes(reader),
    "fA": read_wanted,
    "M": read_mechanism,
}
_WRITERS: t.Mapping[str, t.Callable[[t.Any], bytes]] = {
    "u": _number,
    "v": bytes,
    "s": _array,
    "ay": _fitted_bytes,
    "au": _fitted_numbers,
    "aA": write_attributes,
    "P": lambda _nothing: b"\1",
}

# Every signature of a program comes by here twice for each call, so what a call is made of is found once.
_REQUESTS: t.Mapping[int, t.Tuple[Call, bytes, t.Sequence[t.Callable[[Reader, int], Value]]]] = {
    number: (call, _array(call.request.encode()), tuple(_READERS[part] for part in _PART.findall(call.request)))
    for number, call in CALLS.items()
}
_ANSWERS: t.Mapping[int, t.Tuple[bytes, t.Sequence[t.Callable[[t.Any], bytes]]]] = {
    number: (
        struct.pack(">I", number) + _array(call.answer.encode()),
        tuple(_WRITERS[part] for part in _PART.findall(call.answer)),
    )
    for number, call in CALLS.items()
}

__all__ = [
    "CALLS",
    "HANDSHAKE",
    "NEWEST",
    "Attribute",
    "Fitted",
    "Mechanism",
    "Request",
    "UnknownCall",
    "WireError",
    "answer",
    "failure",
    "padded",
    "read_request",
]
