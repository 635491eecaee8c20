# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM's wire format: big-endian numbers and sized buffers, read within bounds.

Source: TPM 2.0 part 1, clause 4.3 (canonical form) and part 2, clause 10 (TPM2B).
"""

from __future__ import annotations

import struct

LARGEST_STRUCTURE = 1024
"""Bytes of the largest structure here, an RSA-4096 public area or signature with room to spare."""


class WireError(ValueError):
    """A structure is malformed. The text names the structure and its fault."""


class Reader:
    """Reads a structure from its first byte to its last, and never beyond.

    :param data: the marshalled structure
    :param structure: its name in the specification, for messages
    """

    def __init__(self, data: bytes, structure: str) -> None:
        self._data = bytes(data)
        self._at = 0
        self.structure = structure

    def take(self, size: int) -> bytes:
        """Returns the next ``size`` bytes.

        :raises WireError: if there are fewer
        """
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise self.fault(f"ends after {len(self._data)} bytes, {size - len(piece)} too early")
        self._at += size
        return piece

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "big")

    def sized(self, field: str, most: int) -> bytes:
        """Returns the contents of a TPM2B of at most ``most`` bytes.

        :raises WireError: if it is longer, or longer than what is left
        """
        size = self.u16()
        if size > most:
            raise self.fault(f"has {size} bytes in {field}, where at most {most} may be")
        return self.take(size)

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self._data) - self._at

    def end(self) -> None:
        """:raises WireError: if bytes are left"""
        if self.left:
            raise self.fault(f"has {self.left} bytes after its end")

    def fault(self, clause: str) -> WireError:
        return WireError(f"{self.structure} {clause}")


def sized(value: bytes) -> bytes:
    """Returns a TPM2B with these contents."""
    return struct.pack(">H", len(value)) + value


def unsized(data: bytes, structure: str, most: int = LARGEST_STRUCTURE) -> bytes:
    """Returns the contents of a marshalled TPM2B that fills ``data``.

    :raises WireError: if it does not
    """
    reader = Reader(data, structure)
    value = reader.sized("its buffer", most)
    reader.end()
    return value
