# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry.pol, the policy file of a Group Policy object ([MS-GPREG] section 2.2.1).

A header of 8 bytes is followed by entries ``[key;value;type;size;data]``: brackets and semicolons
are UTF-16LE characters, key and value are UTF-16LE strings that end in NUL, type and size are
32-bit little-endian. Strings and data may hold brackets and semicolons themselves, so an entry is
read by its NULs and its size, never split at a delimiter.

The codec is strict about the frame and leaves the content alone: what it can read, it writes back
byte for byte, whatever types and names other tools have put there.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Iterable, Tuple

SIGNATURE = b"PReg"  # [MS-GPREG] 2.2.1, Signature
VERSION = 1  # [MS-GPREG] 2.2.1, Version
LARGEST_DATA = 0xFFFF  # bytes, [MS-GPREG] 2.2.1, Size

DELETE_VALUE = "**del."  # + name of the value: the client removes it
DELETE_ALL_VALUES = "**delvals."  # the client empties the key
DELETION_DATA = " \0".encode("utf-16-le")  # what the Group Policy editor stores with a deletion

_HEADER = struct.Struct("<4sI")
_NUMBER = struct.Struct("<I")
_QUAD = struct.Struct("<Q")
_UNIT = 2  # bytes of a UTF-16 code unit


class RegType(enum.IntEnum):
    """Types of registry data ([MS-GPREG] 2.2.1, Type; NONE stands with entries that only name a key)."""

    NONE = 0
    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    DWORD_BIG_ENDIAN = 5
    MULTI_SZ = 7
    QWORD = 11


class PregError(ValueError):
    """The bytes are no Registry.pol, or not a whole one.

    :param offset: where in the file the fault is, in bytes from its start
    :param fault: what is wrong there, as a clause
    """

    def __init__(self, offset: int, fault: str) -> None:
        super().__init__(f"{fault} at offset {offset} (0x{offset:x})")
        self.offset = offset
        self.fault = fault


@dataclass(frozen=True)
class Entry:
    """One instruction: set ``value`` below ``key`` to ``data``, or a ``**`` command to the client.

    ``key`` and ``value`` keep the case in which they are stored, ``type`` may be any 32-bit number,
    ``data`` is what the file holds, with the NUL that ends a string.
    """

    key: str
    value: str
    type: int
    data: bytes

    @classmethod
    def dword(cls, key: str, value: str, number: int) -> Entry:
        """A REG_DWORD: 4 bytes, little-endian. Raises ValueError for a number outside 0 to 2^32 - 1."""
        if not 0 <= number <= 0xFFFFFFFF:
            raise ValueError(f"{number} does not fit a REG_DWORD")
        return cls(key, value, RegType.DWORD, _NUMBER.pack(number))

    @classmethod
    def string(cls, key: str, value: str, text: str) -> Entry:
        """A REG_SZ with its NUL. Raises ValueError where the text holds a NUL or is over 65,535 bytes."""
        data = _encode_string(text)
        if len(data) > LARGEST_DATA:
            raise ValueError(f"a text of {len(data)} bytes is over the {LARGEST_DATA} bytes that an entry takes")
        return cls(key, value, RegType.SZ, data)

    @classmethod
    def deletion(cls, key: str, value: str) -> Entry:
        """The command that makes the client remove ``value`` from ``key``."""
        return cls(key, DELETE_VALUE + value, RegType.SZ, DELETION_DATA)

    @property
    def number(self) -> int:
        """The number of a REG_DWORD or REG_QWORD. Raises ValueError for other types and sizes."""
        if self.type == RegType.DWORD and len(self.data) == _NUMBER.size:
            return int(_NUMBER.unpack(self.data)[0])
        if self.type == RegType.QWORD and len(self.data) == _QUAD.size:
            return int(_QUAD.unpack(self.data)[0])
        raise ValueError(f"{self.key}\\{self.value} holds no number (type {self.type}, {len(self.data)} bytes)")

    @property
    def text(self) -> str:
        """The text of a REG_SZ or REG_EXPAND_SZ up to its NUL. Raises ValueError for other types and odd sizes."""
        if self.type not in (RegType.SZ, RegType.EXPAND_SZ) or len(self.data) % _UNIT:
            raise ValueError(f"{self.key}\\{self.value} holds no text (type {self.type}, {len(self.data)} bytes)")
        return self.data.decode("utf-16-le", "surrogatepass").split("\0", 1)[0]


def decode(blob: bytes) -> Tuple[Entry, ...]:
    """Reads a whole file and returns its entries in order. Raises :class:`PregError`."""
    reader = _Reader(blob)
    reader.header()
    entries = []
    while not reader.at_end:
        entries.append(reader.entry())
    return tuple(entries)


def encode(entries: Iterable[Entry]) -> bytes:
    """Writes a whole file. Raises ValueError where a key or a value name holds a NUL."""
    return _HEADER.pack(SIGNATURE, VERSION) + b"".join(_encode_entry(entry) for entry in entries)


EMPTY = encode(())  # a file without entries: the header alone


def _encode_entry(entry: Entry) -> bytes:
    return b"".join(
        (
            b"[\0",
            _encode_string(entry.key),
            b";\0",
            _encode_string(entry.value),
            b";\0",
            _NUMBER.pack(entry.type),
            b";\0",
            _NUMBER.pack(len(entry.data)),
            b";\0",
            entry.data,
            b"]\0",
        )
    )


def _encode_string(text: str) -> bytes:
    if "\0" in text:
        raise ValueError(f"{text!r} holds a NUL, which would end it")
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


class _Reader:
    """Walks through a file. Every refusal names the offset of the field that it stumbled over."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._blob)

    def header(self) -> None:
        if len(self._blob) < _HEADER.size:
            raise PregError(len(self._blob), f"the file ends within the header of {_HEADER.size} bytes")
        signature, version = _HEADER.unpack(self._take(_HEADER.size, "the header"))
        if signature != SIGNATURE:
            raise PregError(0, f"the signature is {signature!r}, not {SIGNATURE!r}")
        if version != VERSION:
            raise PregError(len(SIGNATURE), f"the version is {version}, not {VERSION}")

    def entry(self) -> Entry:
        self._delimiter("[")
        key = self._string("the key")
        self._delimiter(";")
        value = self._string("the value name")
        self._delimiter(";")
        kind = self._number("the type")
        self._delimiter(";")
        size = self._number("the size")
        self._delimiter(";")
        data = self._take(size, "the data")
        self._delimiter("]")
        return Entry(key, value, kind, data)

    def _delimiter(self, character: str) -> None:
        start = self._at
        found = self._take(_UNIT, f"an entry, where {character!r} should stand")
        if found != character.encode("utf-16-le"):
            raise PregError(start, f"{found.hex()} stands where {character!r} should be")

    def _string(self, what: str) -> str:
        end = self._at
        while True:
            end = self._blob.find(b"\0\0", end)
            if end < 0:
                raise PregError(self._at, f"{what} has no NUL that ends it")
            if (end - self._at) % _UNIT == 0:
                break
            end += 1
        text = self._blob[self._at : end].decode("utf-16-le", "surrogatepass")
        self._at = end + _UNIT
        return text

    def _number(self, what: str) -> int:
        return int(_NUMBER.unpack(self._take(_NUMBER.size, what))[0])

    def _take(self, size: int, what: str) -> bytes:
        left = len(self._blob) - self._at
        if size > left:
            raise PregError(self._at, f"the file ends within {what}: {size} bytes announced, {left} left")
        self._at += size
        return self._blob[self._at - size : self._at]
