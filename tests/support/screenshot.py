# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the screen of Xvfb, as a picture: its frame buffer, which ``-fbdir`` has it keep in a file of xwd(1).

Run as a program, it makes a PNG of a frame buffer: its arguments are the two paths.
"""

from __future__ import annotations

import pathlib
import struct
import sys
import typing as t
import zlib

_HEADER = struct.Struct(">25I")
"""XWDFile.h, version 7: the size of the header and the window's name, and what follows."""
_COLOUR = 12
"""Bytes of an entry of the colour map."""
_TRUE_COLOUR = (24, 32)
"""Depth and bits of a pixel: blue, green, red, and nothing."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FEW = 32
"""A screen with nothing on it has fewer colours, and any text with smooth edges more."""
_LINES = 50
"""A dialog changes more lines of the screen, and a cursor that blinks, or a name that is typed, fewer."""


class Screenshot:
    """:param frame_buffer: a whole file of xwd"""

    def __init__(self, frame_buffer: bytes) -> None:
        words = _HEADER.unpack_from(frame_buffer)
        assert (words[3], words[11]) == _TRUE_COLOUR, words
        self.width, self.height, stride = words[4], words[5], words[12]
        start = words[0] + words[19] * _COLOUR
        self._rows = [_rgb(frame_buffer[start + y * stride :][: self.width * 4]) for y in range(self.height)]

    def colours(self) -> int:
        return len({row[x : x + 3] for row in set(self._rows) for x in range(0, len(row), 3)})

    def unlike(self, other: Screenshot) -> bool:
        return sum(mine != theirs for mine, theirs in zip(self._rows, other._rows)) > _LINES

    def png(self) -> bytes:
        """ISO/IEC 15948, colour type 2, each row without a filter."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        data = zlib.compress(b"".join(b"\0" + row for row in self._rows))
        return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _rgb(row: bytes) -> bytes:
    pixels = bytearray(len(row) // 4 * 3)
    for place in range(3):
        pixels[place::3] = row[2 - place :: 4]
    return bytes(pixels)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main(arguments: t.Sequence[str]) -> None:
    source, target = map(pathlib.Path, arguments)
    target.write_bytes(Screenshot(source.read_bytes()).png())


if __name__ == "__main__":
    main(sys.argv[1:])
