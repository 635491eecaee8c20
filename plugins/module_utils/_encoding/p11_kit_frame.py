# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of p11-kit: the number of a request, the length of its options, that of its body, and both.

A connection begins with one byte from each side, the versions that they speak. The number of an answer is that of its
request; an answer has no options. Source: p11-kit 0.24.1 to 0.26.5, ``p11-kit/rpc-transport.c``.
"""

from __future__ import annotations

import struct
import typing as t

_HEADER = struct.Struct(">III")
LONGEST = 1 << 16
"""Bytes of a body, or of options, that are read. What is longer is skipped, and never kept."""


class Frame(t.NamedTuple):
    """One request.

    :param code: its number
    :param body: None if it was too long
    """

    code: int
    body: t.Optional[bytes]


class Frames:
    """What has come in on one connection, and is not a whole frame yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0
        """Bytes to come of a frame that is too long."""

    @property
    def is_empty(self) -> bool:
        """Whether the next byte begins a frame."""
        return not self._buffer and not self._skip

    @property
    def missing(self) -> int:
        """Bytes to read before there can be a frame. More might belong to the next one."""
        if self._skip:
            return self._skip
        return (whole_size(self._buffer) or _HEADER.size) - len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Takes what has come in."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._buffer += data[skipped:]

    def next(self) -> t.Optional[Frame]:
        """Returns the next frame, or None until it is whole."""
        if len(self._buffer) < _HEADER.size:
            return None
        code, options, size = _HEADER.unpack_from(self._buffer)
        end = _HEADER.size + options + size
        if max(options, size) > LONGEST:
            self._pass_over(end)
            return Frame(code, None)
        if len(self._buffer) < end:
            return None
        whole = bytes(self._buffer[:end])
        del self._buffer[:end]
        return read_frame(whole)

    def _pass_over(self, size: int) -> None:
        here = min(size, len(self._buffer))
        del self._buffer[:here]
        self._skip = size - here


def whole_size(start: t.Union[bytes, bytearray]) -> t.Optional[int]:
    """Returns the bytes of a frame, or None where its header is not whole."""
    if len(start) < _HEADER.size:
        return None
    _code, options, size = _HEADER.unpack_from(start)
    return int(_HEADER.size + options + size)


def read_frame(whole: bytes) -> Frame:
    """Reads a frame of which nothing is missing, and which nothing follows."""
    code, options, size = _HEADER.unpack_from(whole)
    return Frame(code, whole[_HEADER.size + options :] if max(options, size) <= LONGEST else None)


def frame(code: int, body: bytes) -> bytes:
    """Returns an answer as it goes out."""
    return _HEADER.pack(code, 0, len(body)) + body
